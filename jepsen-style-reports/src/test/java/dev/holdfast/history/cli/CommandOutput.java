package dev.holdfast.history.cli;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.Arrays;

/** The output of the command line, and its exit status. */
record CommandOutput(int status, String out, String err) {

  static CommandOutput to(Object... arguments) {
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    int status =
        Main.commandLine()
            .setOut(new PrintWriter(out))
            .setErr(new PrintWriter(err))
            .execute(Arrays.stream(arguments).map(Object::toString).toArray(String[]::new));
    return new CommandOutput(status, out.toString(), err.toString());
  }
}
