package dev.holdfast.lock.elasticsearch;

import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.AccessTarget;
import com.tngtech.archunit.core.domain.JavaAccess;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import dev.holdfast.cluster.ElasticsearchVersion;
import java.io.IOException;
import java.lang.reflect.Executable;
import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The jar that was built, compiled once against this project's client libraries, on those that
 * frameworks manage, older and newer: as applications of their users, on a real node.
 */
@Timeout(600)
@Tag("slow")
class ClientVersionsIT {
  private static final Path SOURCES = Path.of("src/test/clients/java/app");
  private static final Path CLASS_PATHS = Path.of("target/clients");

  private static final String WORKS = "works";

  /** Names both the versions found and those that are needed. */
  private static String tooOld(String found) {
    return "java.lang.IllegalStateException: The Elasticsearch client libraries are too old: found "
        + found;
  }

  /**
   * Client libraries, and what comes of the two kinds of store on them.
   *
   * @param main the application; each is written for one major version of the client
   */
  record Libraries(String name, String main, String ownConnections, String givenClient) {
    List<Path> classPath() throws IOException {
      return ForkedJava.paths(
          name.equals("this project's")
              ? Path.of("target/runtime-classpath")
              : CLASS_PATHS.resolve(name));
    }

    @Override
    public String toString() {
      return name;
    }
  }

  static List<Libraries> libraries() {
    return List.of(
        new Libraries("this project's", "Rest5", WORKS, WORKS),
        new Libraries("newest-9", "Rest5", WORKS, WORKS),
        new Libraries("spring-boot-4.1", "Rest5", WORKS, WORKS),
        new Libraries("spring-boot-4.0", "Rest5", WORKS, WORKS),
        new Libraries(
            "before-9.2", "Rest5", tooOld("elasticsearch-java 9.0.8, httpclient5 5.4.4"), WORKS),
        new Libraries(
            "newest-8",
            "Rest4",
            tooOld("elasticsearch-java 8.19.12, httpclient5 not found"),
            WORKS),
        new Libraries(
            "spring-boot-3.5",
            "Rest4",
            tooOld("elasticsearch-java 8.18.8, httpclient5 not found"),
            WORKS),
        new Libraries(
            "too-old",
            "Rest4",
            tooOld("elasticsearch-java 8.15.5, httpclient5 not found"),
            tooOld("elasticsearch-java 8.15.5, httpclient5 not found")));
  }

  @ParameterizedTest
  @MethodSource("libraries")
  void locks_onClientLibrariesOfAFramework_workOrSayWhichAreNeeded(
      Libraries libraries, @TempDir Path folder) throws Exception {
    List<Path> classPath = new ArrayList<>(List.of(folder, ForkedJava.jar()));
    classPath.addAll(libraries.classPath());
    ForkedJava.javac(
        folder,
        List.of("-cp", ForkedJava.joined(classPath)),
        SOURCES.resolve("Locks.java"),
        SOURCES.resolve(libraries.main() + ".java"));

    try (LockCluster cluster = LockCluster.on(ElasticsearchVersion.V8)) {
      ForkedJava.Result result =
          ForkedJava.java(
              folder,
              "-cp",
              ForkedJava.joined(classPath),
              "app." + libraries.main(),
              cluster.node().toString(),
              cluster.alias());

      assertThat(result.output())
          .contains("own connections: " + libraries.ownConnections())
          .contains("given client: " + libraries.givenClient());
      if (!libraries.ownConnections().equals(WORKS)) {
        assertThat(result.output())
            .contains("needs elasticsearch-java 9.2 or later and httpclient5 5.5 or later");
      }
      if (!libraries.givenClient().equals(WORKS)) {
        assertThat(result.output())
            .contains("a client of your own needs elasticsearch-java 8.18 or later");
      }
      assertThat(result.exitCode()).isZero();
    }
  }

  // --- What an application reaches by chance only: all that the classes name must be there

  private static final Set<String> OF_OWN_CONNECTIONS =
      Set.of(
          "ManagedTransport",
          "ResponseGuard",
          "ReactorGuard",
          "StaleConnections",
          "HostNames",
          "Cancellation");

  /** Read once: it takes seconds. */
  private static final JavaClasses OWN =
      new ClassFileImporter().importPath(Path.of("target/classes/dev/holdfast/lock/elasticsearch"));

  private static final List<String> CLIENT_LIBRARIES =
      List.of("co.elastic.", "com.fasterxml.jackson.", "jakarta.json.", "org.apache.hc.");

  static Stream<Libraries> supportedLibraries() {
    return libraries().stream().filter(libraries -> libraries.givenClient().equals(WORKS));
  }

  @ParameterizedTest
  @MethodSource("supportedLibraries")
  void clientLibraries_haveAllThatTheStoreUses(Libraries libraries) throws Exception {
    URL[] urls = libraries.classPath().stream().map(ClientVersionsIT::url).toArray(URL[]::new);
    Set<String> missing = new TreeSet<>();
    int checked = 0;
    try (URLClassLoader loader = new URLClassLoader(urls, ClassLoader.getPlatformClassLoader())) {
      for (JavaClass from : OWN) {
        if (!libraries.ownConnections().equals(WORKS) && isOfOwnConnections(from)) {
          continue;
        }
        for (JavaAccess<?> access : from.getAccessesFromSelf()) {
          AccessTarget target = access.getTarget();
          if (CLIENT_LIBRARIES.stream().anyMatch(target.getOwner().getName()::startsWith)) {
            checked++;
            if (!isThere(target, loader)) {
              missing.add(target.getFullName() + ", used by " + from.getSimpleName());
            }
          }
        }
      }
    }
    assertThat(missing).isEmpty();
    assertThat(checked).isGreaterThan(100);
  }

  private static boolean isOfOwnConnections(JavaClass from) {
    String name = from.getName().substring(from.getPackageName().length() + 1);
    if (name.equals("Failures$LowLevel")) {
      return true;
    }
    return OF_OWN_CONNECTIONS.contains(name.replaceFirst("\\$.*", ""))
        && !name.contains("Settings")
        && !name.endsWith("NotSentException");
  }

  private static URL url(Path jar) {
    try {
      return jar.toUri().toURL();
    } catch (MalformedURLException e) {
      throw new IllegalArgumentException(e);
    }
  }

  private static boolean isThere(AccessTarget target, ClassLoader loader) {
    try {
      Class<?> owner = Class.forName(target.getOwner().getName(), false, loader);
      if (target instanceof AccessTarget.FieldAccessTarget field) {
        return hierarchy(owner)
            .flatMap(type -> Arrays.stream(type.getDeclaredFields()))
            .anyMatch(there -> isIt(there, field));
      }
      AccessTarget.CodeUnitAccessTarget codeUnit = (AccessTarget.CodeUnitAccessTarget) target;
      return target.getName().equals("<init>")
          ? Arrays.stream(owner.getDeclaredConstructors())
              .anyMatch(there -> takesThe(there, codeUnit))
          : hierarchy(owner)
              .flatMap(type -> Arrays.stream(type.getDeclaredMethods()))
              .anyMatch(there -> isIt(there, codeUnit));
    } catch (ClassNotFoundException | LinkageError e) {
      return false;
    }
  }

  private static boolean isIt(Field there, AccessTarget.FieldAccessTarget field) {
    return there.getName().equals(field.getName())
        && there.getType().getName().equals(field.getRawType().getName());
  }

  private static boolean isIt(Method there, AccessTarget.CodeUnitAccessTarget method) {
    return there.getName().equals(method.getName())
        && there.getReturnType().getName().equals(method.getRawReturnType().getName())
        && takesThe(there, method);
  }

  private static boolean takesThe(Executable there, AccessTarget.CodeUnitAccessTarget codeUnit) {
    return Arrays.stream(there.getParameterTypes())
        .map(Class::getName)
        .toList()
        .equals(codeUnit.getRawParameterTypes().stream().map(JavaClass::getName).toList());
  }

  private static Stream<Class<?>> hierarchy(Class<?> type) {
    Stream<Class<?>> above =
        Stream.concat(Stream.ofNullable(type.getSuperclass()), Arrays.stream(type.getInterfaces()))
            .flatMap(ClientVersionsIT::hierarchy);
    return Stream.concat(
        type.isInterface() ? Stream.of(type, Object.class) : Stream.of(type), above);
  }
}
