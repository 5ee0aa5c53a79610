package dev.holdfast.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.cli.Cli.Result;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

/** Help, wrong arguments, and the settings of a connection; without any cluster. */
class UsageTest {
  @TempDir Path folder;

  @ParameterizedTest
  @ValueSource(strings = {"list", "show", "release", "watch", "run", "doctor", "completion"})
  void help_ofEachCommand_isOnStandardOutput_withExitStatuses(String command) {
    Result help = Cli.execute(command, "--help");
    assertThat(help.status()).isZero();
    assertThat(help.err()).isEmpty();
    assertThat(help.out()).startsWith("Usage: holdfast " + command).doesNotContain("\u001b");
    if (!command.equals("completion")) {
      assertThat(help.out()).contains("Exit status:", "HOLDFAST_URL", "--json");
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "''; Missing required subcommand",
        "lisst; Unmatched argument",
        "list --expired --held; --expired and --held exclude each other",
        "list --sort size; expected one of [ID, AGE, OWNER, EXPIRY]",
        "show; Missing required parameter: 'ID'",
        "run x; Missing required parameter",
        "run x --ttl 1ms -- true; ttl must be from 100 ms to 24 h",
        "run x --ttl fast -- true; \"fast\" is not a duration like",
        "run x --wait 9999d -- true; waitTimeout",
        "run x --on-contention wait -- true; expected one of [SKIP, FAIL]",
        "watch --interval 1ms; --interval must be from 100ms to 1h",
        "list --index UPPER; UPPER",
        "list --ca-certificate /none; /none",
        "list --username u; no password for user \"u\"",
        "list --api-key-file k --username u; cannot be combined",
        "list --password p; Unknown option"
      })
  void argument_thatIsWrong_isStatusTwo_andNamed(String line, String message) {
    Result result = Cli.execute(line.isEmpty() ? new String[0] : withUrl(line));
    assertThat(result.status()).as(result.err()).isEqualTo(2);
    assertThat(result.err()).contains(message).startsWith("holdfast: ").contains("--help");
    assertThat(result.out()).isEmpty();
  }

  private static String[] withUrl(String line) {
    String[] words = line.split(" ", 2);
    boolean takesUrl = List.of("list", "show", "run", "watch").contains(words[0]);
    return (words[0]
            + (takesUrl ? " --url https://localhost:1" : "")
            + (words.length == 1 ? "" : " " + words[1]))
        .split(" ", -1);
  }

  @Test
  void lockId_thatIsNone_isAUsageError() {
    Result result = Cli.execute("show", "--url", "http://localhost:1", " ");
    assertThat(result.status()).isEqualTo(2);
    assertThat(result.err()).contains("lockId must not be blank");
  }

  @Test
  void password_inAUrl_isRejected_andNotRepeated() {
    Result result = Cli.execute("list", "--url", "https://user:secret@localhost:1");
    assertThat(result.status()).isEqualTo(2);
    assertThat(result.err()).contains("--url must not contain").doesNotContain("secret");
  }

  // --- Connections

  private static Map<String, String> merged(Map<String, String> environment, String... options) {
    Connection connection = new Connection();
    CommandLine commandLine = new CommandLine(new Holder(connection));
    commandLine.parseArgs(options);
    return connection.environment(environment, null);
  }

  @CommandLine.Command
  private record Holder(@CommandLine.Mixin Connection connection) {}

  @Test
  void options_replaceTheirPartsOfTheEnvironment() throws IOException {
    Map<String, String> environment = new LinkedHashMap<>();
    environment.put("PATH", "/bin");
    environment.put("HOLDFAST_URL", "https://a:1");
    environment.put("HOLDFAST_API_KEY", "key");
    environment.put("HOLDFAST_CA_FINGERPRINT", "aa");
    environment.put("HOLDFAST_TRUST_STORE", " ");
    String file = Files.writeString(folder.resolve("file"), "x").toString();

    assertThat(merged(environment))
        .isEqualTo(
            Map.of(
                "HOLDFAST_URL",
                "https://a:1",
                "HOLDFAST_API_KEY",
                "key",
                "HOLDFAST_CA_FINGERPRINT",
                "aa"));
    assertThat(
            merged(
                environment,
                "--url=https://b:1,https://c:1",
                "--username=u",
                "--password-file=" + file,
                "--ca-certificate=" + file))
        .isEqualTo(
            Map.of(
                "HOLDFAST_URL",
                "https://b:1,https://c:1",
                "HOLDFAST_USERNAME",
                "u",
                "HOLDFAST_PASSWORD_FILE",
                file,
                "HOLDFAST_CA",
                file));
    assertThat(
            merged(
                Map.of(
                    "HOLDFAST_URL",
                    "https://a:1",
                    "HOLDFAST_USERNAME",
                    "u",
                    "HOLDFAST_PASSWORD",
                    "p"),
                "--api-key-file=" + file))
        .isEqualTo(Map.of("HOLDFAST_URL", "https://a:1", "HOLDFAST_API_KEY_FILE", file));
  }

  @Test
  void noOption_takesASecret() {
    CommandLine root = Main.commandLine();
    for (CommandLine command : root.getSubcommands().values()) {
      assertThat(command.getCommandSpec().optionsMap().keySet())
          .doesNotContain("--password", "--api-key");
    }
  }
}
