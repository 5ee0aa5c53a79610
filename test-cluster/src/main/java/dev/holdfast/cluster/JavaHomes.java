package dev.holdfast.cluster;

import java.io.IOException;
import java.io.Reader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Properties;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** The Java installations of a machine, in the order of preference. */
final class JavaHomes {

  private static final Pattern VARIABLE = Pattern.compile("JAVA_HOME_\\d+(_\\w+)?");
  private static final Pattern VERSION = Pattern.compile("\"?(?:1\\.)?(\\d+).*");

  private final Map<String, String> environment;
  private final Path running;
  private final Path userHome;
  private final Path root;

  /** For tests: {@code root} stands for the root of the file system. */
  JavaHomes(Map<String, String> environment, Path running, Path userHome, Path root) {
    this.environment = Map.copyOf(environment);
    this.running = running;
    this.userHome = userHome;
    this.root = root;
  }

  static JavaHomes ofThisMachine() {
    return new JavaHomes(
        System.getenv(),
        Path.of(System.getProperty("java.home")),
        Path.of(System.getProperty("user.home")),
        Path.of("/"));
  }

  /** Returns the first home whose feature version is {@code minimum} or later. */
  Optional<Path> find(int minimum) {
    return candidates().stream()
        .filter(home -> Files.isExecutable(home.resolve("bin").resolve("java")))
        .filter(home -> featureVersion(home).orElse(0) >= minimum)
        .findFirst();
  }

  /** Returns where {@link #find} looks, for diagnostics only. */
  String places() {
    return "ES_JAVA_HOME, JAVA_HOME, the running Java, /usr/lib/jvm/*, /opt/java/*, /opt/jdk*, "
        + "~/.sdkman/candidates/java/*, ~/.jdks/*, /Library/Java/JavaVirtualMachines/*, "
        + "JAVA_HOME_<version>_*; found "
        + candidates();
  }

  /** Returns the version in the home's {@code release} file, for example 21. */
  static OptionalInt featureVersion(Path home) {
    Properties release = new Properties();
    try (Reader reader = Files.newBufferedReader(home.resolve("release"))) {
      release.load(reader);
    } catch (IOException e) {
      return OptionalInt.empty(); // no Java home, or not ours to read
    }
    Matcher matcher = VERSION.matcher(release.getProperty("JAVA_VERSION", ""));
    return matcher.matches()
        ? OptionalInt.of(Integer.parseInt(matcher.group(1)))
        : OptionalInt.empty();
  }

  private List<Path> candidates() {
    List<Path> homes = new ArrayList<>();
    addVariable(homes, "ES_JAVA_HOME");
    addVariable(homes, "JAVA_HOME");
    homes.add(running);
    homes.addAll(list(root.resolve("usr/lib/jvm"), ""));
    homes.addAll(list(root.resolve("opt/java"), ""));
    homes.addAll(list(root.resolve("opt"), "jdk"));
    homes.addAll(list(userHome.resolve(".sdkman/candidates/java"), ""));
    homes.addAll(list(userHome.resolve(".jdks"), ""));
    list(root.resolve("Library/Java/JavaVirtualMachines"), "")
        .forEach(bundle -> homes.add(bundle.resolve("Contents/Home")));
    new TreeMap<>(environment)
        .keySet().stream()
            .filter(name -> VARIABLE.matcher(name).matches())
            .forEach(name -> addVariable(homes, name));
    return homes.stream()
        .filter(home -> Files.isRegularFile(home.resolve("release")))
        .distinct()
        .toList();
  }

  private void addVariable(List<Path> homes, String name) {
    String value = environment.getOrDefault(name, "");
    if (!value.isBlank()) {
      homes.add(Path.of(value));
    }
  }

  private static List<Path> list(Path folder, String prefix) {
    try (Stream<Path> entries = Files.list(folder)) {
      return entries
          .filter(entry -> entry.getFileName().toString().startsWith(prefix))
          .sorted()
          .toList();
    } catch (IOException e) {
      return List.of(); // most of the usual places do not exist
    }
  }
}
