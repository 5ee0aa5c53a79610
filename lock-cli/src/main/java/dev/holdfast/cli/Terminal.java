package dev.holdfast.cli;

import java.io.Console;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The terminal, if there is one. */
final class Terminal {
  private Terminal() {}

  /** The console to ask somebody at; null if input or output is piped. */
  @SuppressWarnings("SystemConsoleNull") // Asked below.
  static @Nullable Console console() {
    Console console = System.console();
    return console != null && isTerminal(console) ? console : null;
  }

  /** From Java 22 on there may be a console without a terminal; before, there never is. */
  private static boolean isTerminal(Console console) {
    try {
      return (boolean) Console.class.getMethod("isTerminal").invoke(console);
    } catch (ReflectiveOperationException e) {
      return true;
    }
  }

  /**
   * Whether this process is in the foreground of a terminal, which then sends the signals of its
   * keys to the child too. By Linux's {@code /proc}; false elsewhere.
   */
  static boolean isForeground() {
    try {
      String stat = Files.readString(Path.of("/proc/self/stat"));
      // Behind the name, which may contain anything: state, parent, group, session, terminal, its
      // group.
      List<String> fields = List.of(stat.substring(stat.lastIndexOf(')') + 2).split(" "));
      return fields.get(2).equals(fields.get(5));
    } catch (java.io.IOException | RuntimeException e) {
      return false;
    }
  }
}
