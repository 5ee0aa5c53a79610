package dev.holdfast.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.cli.Cli.Result;
import dev.holdfast.cli.Cli.Running;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The prompt for a password in a pseudo-terminal, when it is left without one. */
@Timeout(300)
class PasswordPromptIT {
  @TempDir Path folder;

  /** A shell that goes on after the command, as that of a user does. */
  private Running prompt(String command, String rest) {
    Running running =
        Cli.startLineInTerminal(
            folder,
            "trap : INT; stty echo; \"$HOLDFAST\" "
                + command
                + " --url http://127.0.0.1:1 --username locker "
                + rest
                + "; echo status $?; stty -a");
    running.awaitOut("Password of locker:");
    return running;
  }

  /** A terminal that no longer shows what is typed would be of no use to its user. */
  private static void assertEchoes(Result result) {
    assertThat(result.out()).contains(" echo ").doesNotContain("-echo ");
  }

  /** Also one that handles signals, as {@code run} does. */
  @ParameterizedTest
  @ValueSource(strings = {"list|", "run|job -- echo ran"})
  void interruptKey_endsTheCommand(String command) {
    String[] parts = command.split("\\|", 2);
    try (Running running = prompt(parts[0], parts[1])) {
      running.type("\u0003");

      Result result = running.await();
      assertThat(result.out()).contains("status 130").doesNotContain("ran\r\n");
      assertEchoes(result);
    }
  }

  @Test
  void endOfInput_isAUsageError() {
    try (Running running = prompt("list", "")) {
      running.type("\u0004");

      Result result = running.await();
      assertThat(result.out()).contains("no password was given", "status 2");
      assertEchoes(result);
    }
  }
}
