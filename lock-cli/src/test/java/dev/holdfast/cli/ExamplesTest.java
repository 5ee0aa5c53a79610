package dev.holdfast.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;
import picocli.CommandLine.ParseResult;

/**
 * The command lines of the documentation, the systemd units and the CronJob are understood, and
 * their variables are those that are read; the scripts are scripts.
 */
class ExamplesTest {
  private static final Path DOCS = Path.of("../docs");
  private static final Path EXAMPLES = DOCS.resolve("examples");
  private static final Path LAUNCHER = Path.of("src/main/bin/holdfast");

  @TempDir Path folder;

  private static ParseResult parsed(List<String> arguments) {
    ParseResult result = Main.commandLine().parseArgs(arguments.toArray(String[]::new));
    assertThat(result.hasSubcommand()).isTrue();
    return result.subcommand();
  }

  private static void assertIsTheJob(List<String> arguments) {
    ParseResult run = parsed(arguments);
    assertThat(run.commandSpec().name()).isEqualTo("run");
    List<CommandLine.Model.PositionalParamSpec> positional =
        run.commandSpec().positionalParameters();
    assertThat(positional.get(0).<String>getValue()).isEqualTo("nightly-reindex");
    assertThat(positional.get(1).<List<String>>getValue())
        .containsExactly("/opt/jobs/reindex", "--all");
  }

  private static void assertKnown(String variable) throws IOException {
    assertThat(Files.readString(DOCS.resolve("operations.md"))).contains("`" + variable);
  }

  @Test
  void cronJob_isYaml_whoseCommandLineIsUnderstood() throws IOException {
    JsonNode job = new YAMLMapper().readTree(EXAMPLES.resolve("holdfast-cronjob.yaml").toFile());
    assertThat(job.get("kind").asText()).isEqualTo("CronJob");
    JsonNode pod = job.at("/spec/jobTemplate/spec/template/spec");
    assertThat(pod.get("terminationGracePeriodSeconds").asInt()).isGreaterThan(5);
    JsonNode container = pod.at("/containers/0");
    List<String> arguments = new ArrayList<>();
    container.get("args").forEach(argument -> arguments.add(argument.asText()));
    assertIsTheJob(arguments);
    for (String name : container.get("env").findValuesAsText("name")) {
      if (name.startsWith("HOLDFAST_")) {
        assertKnown(name);
      }
    }
  }

  @Test
  void systemdService_hasACommandLineThatIsUnderstood_andATimer() throws IOException {
    List<String> unit = Files.readAllLines(EXAMPLES.resolve("holdfast-job.service"));
    String start =
        unit.stream().filter(line -> line.startsWith("ExecStart=")).findFirst().orElseThrow();
    List<String> words = Arrays.asList(start.substring("ExecStart=".length()).split(" ", -1));
    assertThat(words.get(0)).isEqualTo("/opt/holdfast/holdfast");
    assertIsTheJob(words.subList(1, words.size()));
    for (String line : unit) {
      if (line.startsWith("Environment=")) {
        assertKnown(line.substring("Environment=".length()).replaceAll("=.*", ""));
      }
    }
    assertThat(EXAMPLES.resolve("holdfast-job.timer")).content().contains("OnCalendar=");
  }

  @Test
  void commandLines_ofTheDocumentation_areUnderstood() throws IOException {
    String page = Files.readString(DOCS.resolve("operations.md"));
    List<String> lines =
        Pattern.compile("^(?:java -jar holdfast\\.jar|holdfast) (.+)$", Pattern.MULTILINE)
            .matcher(page)
            .results()
            .map(match -> match.group(1).replaceAll("\\s+#.*", ""))
            .toList();
    assertThat(lines).hasSizeGreaterThan(7);
    for (String line : lines) {
      List<String> words = Arrays.asList(line.replace("'", "").split(" +", -1));
      if (!words.equals(List.of("--version"))) {
        assertThat(parsed(words)).as(line).isNotNull();
      }
    }
  }

  @Test
  void commands_areAllDocumented() throws IOException {
    String page = Files.readString(DOCS.resolve("operations.md"));
    Set<String> commands = new TreeSet<>(Main.commandLine().getSubcommands().keySet());
    commands.remove("help");
    assertThat(commands).isNotEmpty().allSatisfy(c -> assertThat(page).contains("holdfast " + c));
  }

  @Test
  void completionScript_isBash_andCompletesCommandsAndOptions() throws Exception {
    Path script = Path.of("target/holdfast-completion.bash");
    Files.writeString(script, Cli.execute("completion").out());
    assertThat(bash("source " + script + "; complete -p holdfast")).contains("holdfast");
    assertThat(
            bash(
                "source "
                    + script
                    + "; COMP_WORDS=(holdfast run --on); COMP_CWORD=2; _complete_holdfast;"
                    + " echo \"${COMPREPLY[@]}\""))
        .contains("--on-contention");
  }

  @Test
  void launcher_passesAllArgumentsOn_alsoFromAPathWithASpace() throws Exception {
    Path there = folder.resolve("a folder");
    Files.createDirectories(there.resolve("bin"));
    Files.copy(LAUNCHER, there.resolve("holdfast"), StandardCopyOption.COPY_ATTRIBUTES);
    Files.writeString(there.resolve("holdfast.jar"), "");
    Path java = Files.writeString(there.resolve("bin/java"), "#!/bin/sh\nprintf '<%s>' \"$@\"\n");
    assertThat(java.toFile().setExecutable(true)).isTrue();

    Launched launched =
        launch(
            there.resolve("holdfast"),
            Map.of("JAVA_HOME", there.toString(), "HOLDFAST_JAVA_OPTS", "-Da=1 -Db=2"),
            "run",
            "a b",
            "--",
            "*",
            "");

    assertThat(launched.status()).as(launched.output()).isZero();
    assertThat(launched.output())
        .contains("<-Da=1><-Db=2><-jar><" + there.toRealPath().resolve("holdfast.jar") + ">")
        .endsWith("<run><a b><--><*><>");
  }

  /** A shell's 126 or 127, or the JVM's 1, would be taken for an answer. */
  @Test
  void launcher_withoutJavaOrJar_isStatusThree_andSaysWhatToSet() throws Exception {
    Path jar = Files.writeString(folder.resolve("holdfast.jar"), "");
    String home = System.getProperty("java.home");
    Launched noJar = launch(LAUNCHER, Map.of("JAVA_HOME", home, "HOLDFAST_JAR", jar + "x"), "list");
    assertThat(noJar.status()).isEqualTo(3);
    assertThat(noJar.output()).startsWith("holdfast: ").contains(jar + "x", "HOLDFAST_JAR");
    Launched noJava =
        launch(LAUNCHER, Map.of("JAVA_HOME", "/no where", "HOLDFAST_JAR", jar.toString()), "list");
    assertThat(noJava.status()).isEqualTo(3);
    assertThat(noJava.output()).contains("/no where/bin/java", "JAVA_HOME");
  }

  private record Launched(int status, String output) {}

  private static Launched launch(
      Path launcher, Map<String, String> environment, String... arguments) throws Exception {
    List<String> command = new ArrayList<>(List.of(launcher.toAbsolutePath().toString()));
    command.addAll(List.of(arguments));
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().putAll(environment);
    Process process = builder.start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    return new Launched(process.waitFor(), output);
  }

  private static String bash(String command) throws Exception {
    Process process = new ProcessBuilder("bash", "-c", command).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as(output).isZero();
    return output;
  }
}
