package dev.holdfast.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.cli.Cli.Result;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.Writer;
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
        "lisst; there is no command \"lisst\"",
        "runn x -- report; there is no command \"runn\"",
        "--lisst; Unknown option: '--lisst'",
        "list --expired --held; --expired and --held exclude each other",
        "list --sort size; expected one of [ID, AGE, OWNER, EXPIRY]",
        "show; Missing required parameter: 'ID'",
        "run x; Missing required parameter",
        "run x report --json; -- is needed before the command",
        "run x report --index foo; -- is needed before the command",
        "run x report --help; -- is needed before the command",
        "run x report --version; -- is needed before the command",
        "run x report; -- is needed before the command",
        "run x report -- --json; -- is needed before the command",
        "run -- report now; the lock's id is needed before --",
        "run -- nice report -- now; the lock's id is needed before --",
        "run -- x; Missing required parameter",
        "run x --ttl 1ms -- true; ttl must be from 100 ms to 24 h",
        "run x --ttl fast -- true; \"fast\" is not a duration like",
        "run x --wait 9999d -- true; waitTimeout",
        "run x --on-contention wait -- true; expected one of [SKIP, FAIL]",
        "watch --interval 1ms; --interval must be from 100ms to 1h",
        "list --index UPPER; UPPER",
        "list --ca-certificate /none; holdfast: --ca-certificate: ",
        "list --api-key-file /none; holdfast: --api-key-file cannot be read: ",
        "list --api-key-file pom.xml; holdfast: --api-key-file: ",
        "list --username u --password-file /none; holdfast: --password-file cannot be read: ",
        "list --password-file pom.xml; holdfast: --password-file is set, but HOLDFAST_USERNAME is",
        "list --username a:b --password-file pom.xml; holdfast: --username: ",
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

  @Test
  void optionsBehindTheSeparator_areTheCommands() {
    for (String arguments :
        List.of("run x -- report --json --help --index foo", "run -- -x report --json --help")) {
      CommandLine commandLine = Main.commandLine();
      var run = commandLine.parseArgs(arguments.split(" ", -1)).subcommand();
      assertThat(run.matchedOptions()).isEmpty();
      assertThat(run.commandSpec().positionalParameters().get(1).<List<String>>getValue())
          .startsWith("report", "--json", "--help");
      // It goes on to what is missing, the address of a cluster.
      Result result = Cli.execute(("run --url UNUSABLE" + arguments.substring(3)).split(" ", -1));
      assertThat(result.status()).isEqualTo(2);
      assertThat(result.err())
          .contains("--url: ", "it has no scheme")
          .doesNotContain("HOLDFAST_URL");
    }
    assertThat(Cli.execute("run", "x", "--help").status()).isZero();
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

  // --- What goes wrong outside of any command

  @Test
  void error_isStatusThree_notANegativeAnswer() {
    assertThat(
            Main.status(
                () -> {
                  throw new OutOfMemoryError("planted by a test");
                }))
        .isEqualTo(3);
    assertThat(Main.status(() -> 1)).isEqualTo(1);
  }

  @Test
  void argument_thatTheLocaleCannotRepresent_isNamed_whereTheEncodingIsNotUtf8() {
    String[] changed = {"show", "caf\uFFFD\uFFFD"};
    assertThat(Main.undecodable(changed, "ANSI_X3.4-1968"))
        .contains("caf\uFFFD\uFFFD", "ANSI_X3.4-1968", "LC_ALL");
    assertThat(Main.undecodable(changed, "UTF-8")).isNull();
    assertThat(Main.undecodable(new String[] {"show", "caf\u00e9"}, "ISO-8859-1")).isNull();
  }

  @Test
  void output_thatCannotBeWritten_isStatusThree() {
    CommandLine commandLine = Main.commandLine();
    StringWriter err = new StringWriter();
    commandLine.setOut(new PrintWriter(new FullDevice(), true));
    commandLine.setErr(new PrintWriter(err, true));
    assertThat(commandLine.execute("completion")).isEqualTo(3);
    assertThat(err.toString()).contains("cannot be written");
  }

  private static final class FullDevice extends Writer {
    @Override
    public void write(char[] text, int offset, int length) throws IOException {
      throw new IOException("No space left on device");
    }

    @Override
    public void flush() {}

    @Override
    public void close() {}
  }

  @Test
  void json_isAscii_withoutControlCharacters() {
    assertThat(Output.jsonLine(Map.of("id", "\u009b31m\u007f\u001b\u202e\u00e9\ud83d\ude00\n")))
        .isEqualTo("{\"id\":\"\\u009B31m\\u007F\\u001B\\u202E\\u00E9\\uD83D\\uDE00\\n\"}");
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
