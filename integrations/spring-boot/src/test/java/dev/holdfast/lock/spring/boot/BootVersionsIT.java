package dev.holdfast.lock.spring.boot;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.cluster.ElasticsearchNode;
import dev.holdfast.lock.FencingToken;
import dev.holdfast.lock.LockManager;
import java.io.File;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.spi.ToolProvider;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * The starter, compiled once, under the BOM of each supported version of Spring Boot as it is: the
 * other tests of this module, and the example of the documentation as processes.
 */
@Timeout(600)
class BootVersionsIT {
  /** Long for whatever is waited for: other work may keep the machine busy. */
  private static final long LIMIT_SECONDS = 300;

  private static final Path CLASS_PATHS = Path.of("target/boot");

  @TempDir Path folder;

  private static String classPath(String version, Path first) throws Exception {
    List<String> paths = new ArrayList<>();
    paths.add(first.toString());
    paths.add(Path.of("target/classes").toAbsolutePath().toString());
    paths.add(whereIs(LockManager.class));
    Path resolved = CLASS_PATHS.resolve("spring-boot-" + version);
    assertThat(resolved).as("made by the phase pre-integration-test").exists();
    paths.add(Files.readString(resolved).strip());
    return String.join(File.pathSeparator, paths);
  }

  private static String whereIs(Class<?> type) throws URISyntaxException {
    return Path.of(type.getProtectionDomain().getCodeSource().getLocation().toURI()).toString();
  }

  private Application start(String name, String classPath, List<String> arguments)
      throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx512m"));
    command.addAll(List.of("-cp", classPath));
    command.addAll(arguments);
    Path output = folder.resolve(name);
    return new Application(
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(output.toFile())
            .start(),
        output);
  }

  /** A process, and what it prints. */
  private record Application(Process process, Path file) implements AutoCloseable {
    String output() throws IOException {
      return Files.readString(file);
    }

    @Override
    public void close() {
      process.destroyForcibly().onExit().join();
    }
  }

  // --- The tests of this module

  @ParameterizedTest
  @CsvSource({"4.0, 4.0.9, 9.2.9", "4.1, 4.1.2, 9.4.8"})
  void tests_underTheBomOfAVersion_pass(String version, String boot, String client)
      throws Exception {
    String classPath =
        classPath(version, Path.of("target/test-classes").toAbsolutePath())
            + File.pathSeparator
            + whereIs(ElasticsearchNode.class);
    try (Application tests =
        start(
            "tests",
            classPath,
            List.of(
                "-D" + TestNode.PROPERTY + "=" + TestNode.url(),
                RunTests.class.getName(),
                HoldfastAutoConfigurationTest.class.getName(),
                LockedMethodsTest.class.getName(),
                LockedBeansTest.class.getName(),
                DestructionOrderTest.class.getName(),
                NamedTypesTest.class.getName(),
                ApplicationIT.class.getName()))) {
      assertThat(tests.process().waitFor(LIMIT_SECONDS, TimeUnit.SECONDS)).isTrue();

      Matcher summary =
          Pattern.compile(
                  "Spring Boot (\\S+), elasticsearch-java-(\\S+)\\.jar: (\\d+) tests, (\\d+) failed, 0 skipped")
              .matcher(tests.output());
      assertThat(summary.find()).as(tests.output()).isTrue();
      assertThat(summary.group(1)).isEqualTo(boot);
      assertThat(summary.group(2)).isEqualTo(client);
      assertThat(Integer.parseInt(summary.group(3))).isGreaterThan(70);
      assertThat(summary.group(4)).as(tests.output()).isEqualTo("0");
    }
  }

  // --- The example of the documentation

  /** A step of a run of the job. */
  private record Step(FencingToken token, int number) {}

  private static final Pattern STEP = Pattern.compile("token (\\S+), step (\\d+)");

  private static List<Step> steps(Application application) throws IOException {
    return STEP.matcher(application.output())
        .results()
        .map(
            found -> new Step(FencingToken.parse(found.group(1)), Integer.parseInt(found.group(2))))
        .toList();
  }

  private static boolean isUp(Application application) throws IOException {
    assertThat(application.process().isAlive()).as(application.output()).isTrue();
    return application.output().contains("Started DemoApplication");
  }

  @Test
  void example_whoseProcessIsKilledWhileItWorks_isTakenOverByTheOther() throws Exception {
    killOneOfTwo("4.1");
  }

  @Test
  @Tag("slow")
  void example_onTheOldestVersion_isTakenOverToo() throws Exception {
    killOneOfTwo("4.0");
  }

  private void killOneOfTwo(String version) throws Exception {
    String classPath = classPath(version, compiledExample(version));
    List<String> arguments =
        List.of(
            "demo.DemoApplication",
            "--holdfast.uris=" + TestNode.url(),
            "--holdfast.index=demo-" + version,
            "--holdfast.defaults.ttl=3s",
            // The class path is that of the other tests too, and both would listen on one port.
            "--spring.main.web-application-type=none");
    try (Application one = start("one", classPath, arguments);
        Application two = start("two", classPath, arguments)) {
      long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(LIMIT_SECONDS);
      Application killed = null;
      while (killed == null) {
        assertThat(System.nanoTime()).as(one.output() + two.output()).isLessThan(end);
        if (isUp(one) && isUp(two)) {
          killed = beginsARun(one) ? one : beginsARun(two) ? two : null;
        }
        Thread.sleep(20);
      }
      Application survivor = killed.equals(one) ? two : one;
      killed.close();
      List<Step> stepsOfKilled = steps(killed);
      Step lastOfKilled = stepsOfKilled.get(stepsOfKilled.size() - 1);

      while (steps(survivor).stream()
          .noneMatch(step -> step.token().compareTo(lastOfKilled.token()) > 0)) {
        assertThat(survivor.process().isAlive()).as(survivor.output()).isTrue();
        assertThat(System.nanoTime()).as(survivor.output()).isLessThan(end);
        Thread.sleep(20);
      }
      // Its run is a new one, from the first step on.
      assertThat(steps(survivor))
          .filteredOn(step -> step.token().compareTo(lastOfKilled.token()) > 0)
          .first()
          .extracting(Step::number)
          .isEqualTo(1);
      // No token is of both: each run had one process.
      assertThat(steps(survivor))
          .extracting(Step::token)
          .doesNotContainAnyElementsOf(stepsOfKilled.stream().map(Step::token).toList());

      survivor.process().destroy();
      assertThat(survivor.process().waitFor(LIMIT_SECONDS, TimeUnit.SECONDS)).isTrue();
    }
  }

  /** A run takes ten steps, so that it ends long after one of the first. */
  private static boolean beginsARun(Application application) throws IOException {
    List<Step> steps = steps(application);
    return !steps.isEmpty() && steps.get(steps.size() - 1).number() <= 3;
  }

  private Path compiledExample(String version) throws Exception {
    Path classes = folder.resolve("classes");
    Path source = Files.createDirectories(folder.resolve("demo")).resolve("DemoApplication.java");
    Files.writeString(source, Docs.blocks("java").get(0));
    Files.createDirectories(classes);
    Files.writeString(classes.resolve("application.yaml"), Docs.blocks("yaml").get(0));
    int result =
        ToolProvider.findFirst("javac")
            .orElseThrow()
            .run(
                System.out,
                System.err,
                "-proc:none",
                "-parameters",
                "-d",
                classes.toString(),
                "-cp",
                classPath(version, classes),
                source.toString());
    assertThat(result).as("javac's exit code").isZero();
    return classes;
  }
}
