package dev.holdfast.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;
import picocli.CommandLine.ParseResult;

/**
 * The command lines of the documentation, the systemd units and the CronJob are understood, and
 * their variables are those that are read; the scripts are scripts.
 */
class ExamplesTest {
  private static final Path DOCS = Path.of("../docs");
  private static final Path EXAMPLES = DOCS.resolve("examples");

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
  void launcher_isAShellScript() throws Exception {
    assertThat(bash("sh -n src/main/bin/holdfast && echo good")).isEqualTo("good\n");
    assertThat(Files.isExecutable(Path.of("src/main/bin/holdfast"))).isTrue();
    try (Stream<String> lines = Files.lines(Path.of("src/main/bin/holdfast"))) {
      assertThat(lines.reduce((a, b) -> b))
          .hasValueSatisfying(last -> assertThat(last).contains("\"$@\""));
    }
  }

  private static String bash(String command) throws Exception {
    Process process = new ProcessBuilder("bash", "-c", command).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as(output).isZero();
    return output;
  }
}
