package dev.holdfast.bench.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

/** Properties that all commands share, without running them. */
class CommandLineTest {

  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  private int execute(String line) {
    CommandLine commandLine =
        Main.commandLine().setOut(new PrintWriter(out)).setErr(new PrintWriter(err));
    return commandLine.execute(line.split(" "));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "compare ", "paired ", "own-locks ", "held ", "ttl "})
  void help_ofEachCommand_tellsTheExitCodesAndTheVersion(String command) {
    assertThat(execute(command + "--help")).isZero();
    assertThat(out.toString()).contains("Exit status:", "-h, --help", "-V, --version");
    assertThat(execute(command + "-V")).isZero();
    assertThat(out.toString()).contains("benchmarks (not released)");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "--nonsense",
        "-- -wi many",
        "compare --rounds 0",
        "paired --duration 0s",
        "paired --warm-up 20",
        "own-locks --turns 0",
        "held --leases 0",
        "ttl --rate 0"
      })
  void options_thatMakeNoSense_exitWith2AndUsage(String line) {
    assertThat(execute(line)).isEqualTo(CommandLine.ExitCode.USAGE);
    assertThat(err.toString()).contains("Usage: benchmarks");
  }
}
