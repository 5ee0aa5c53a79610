package dev.holdfast.chaos.sim;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

/** Exit statuses of the command. */
class MainTest {

  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  private int execute(String... arguments) {
    return new CommandLine(new Main())
        .setOut(new PrintWriter(out))
        .setErr(new PrintWriter(err))
        .execute(arguments);
  }

  @Test
  void seeds_withoutAViolation_exitWith0() {
    assertThat(execute("--seeds", "1..3")).isZero();
    assertThat(out.toString()).contains("3 seeds", "all invariants held");
  }

  @Test
  void seeds_withAPlantedBug_exitWith1AndTheCommandThatRepeatsIt() {
    assertThat(execute("--seeds", "1..2000", "--planted", "monotonic-clock-alone")).isEqualTo(1);
    assertThat(out.toString()).contains("VIOLATION", "--planted monotonic-clock-alone");
  }

  @Test
  void options_thatMakeNoSense_exitWith2AndUsage() {
    assertThat(execute("--seeds", "5..1")).isEqualTo(2);
    assertThat(execute("--nonsense")).isEqualTo(2);
    assertThat(execute("--planted", "nothing-of-the-kind")).isEqualTo(2);
    assertThat(err.toString()).contains("Usage: holdfast-sim");
  }

  @Test
  void help_tellsTheExitCodesAndTheVersion() {
    assertThat(execute("--help")).isZero();
    assertThat(execute("--version")).isZero();
    assertThat(out.toString()).contains("Exit status:", "holdfast-sim (not released)");
  }
}
