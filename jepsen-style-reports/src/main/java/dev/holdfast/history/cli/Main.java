package dev.holdfast.history.cli;

import dev.holdfast.history.check.Verdict;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Pattern;
import picocli.CommandLine;

/** {@code java -jar holdfast-history.jar}. */
@CommandLine.Command(
    name = "holdfast-history",
    mixinStandardHelpOptions = true,
    versionProvider = Main.Version.class,
    description = "Checks histories in Jepsen's format, and makes pages of them.",
    exitCodeListHeading = Main.EXIT_HEADING,
    exitCodeList = {
      "0:done; what was checked is valid",
      "1:something that was checked is invalid",
      "2:something that was checked is unknown",
      "3:a file, a folder or an option is invalid or used"
    },
    exitCodeOnInvalidInput = Main.UNREADABLE,
    exitCodeOnExecutionException = Main.UNREADABLE,
    subcommands = {
      CommandLine.HelpCommand.class,
      CheckCommand.class,
      GenerateCommand.class,
      ReportCommand.class,
      ServeCommand.class
    })
public final class Main implements Runnable {
  /**
   * The status of input that cannot be understood. The other commands of this project exit with 2
   * then, as is the custom; here 2 has always been the verdict unknown, and scripts rely on it.
   */
  static final int UNREADABLE = 3;

  static final String EXIT_HEADING = "%nExit status:%n";

  /** The command that runs this, for pages and for commands that repeat others. */
  static final String COMMAND = "java -jar holdfast-history.jar";

  private static final Pattern PLAIN_WORD = Pattern.compile("[\\w./:@%+=,-]+");

  /** The version of the jar, or of no release where this does not run from one. */
  static final class Version implements CommandLine.IVersionProvider {
    @Override
    public String[] getVersion() {
      String version = Main.class.getPackage().getImplementationVersion();
      return new String[] {"holdfast-history " + (version == null ? "(not released)" : version)};
    }
  }

  /** The status that says what was found. */
  static int status(Verdict verdict) {
    return switch (verdict) {
      case VALID -> 0;
      case INVALID -> 1;
      case UNKNOWN -> 2;
    };
  }

  @CommandLine.Spec private CommandLine.Model.@org.jspecify.annotations.Nullable CommandSpec spec;

  /** Runs, and exits with the command's status. */
  public static void main(String[] arguments) {
    System.setProperty("java.awt.headless", "true"); // images are drawn, no window is opened
    System.exit(commandLine().execute(arguments));
  }

  /** The command line, whose input errors exit as unreadable histories do. */
  static CommandLine commandLine() {
    return new CommandLine(new Main());
  }

  /** A path as a shell takes it for one word. */
  static String quoted(Path path) {
    String text = path.toString();
    return PLAIN_WORD.matcher(text).matches() ? text : "'" + text.replace("'", "'\\''") + "'";
  }

  /** The folder, if it is one. */
  static Path folder(CommandLine commandLine, Path folder) {
    if (!Files.isDirectory(folder)) {
      throw new CommandLine.ParameterException(commandLine, folder + ": there is no such folder");
    }
    return folder;
  }

  @Override
  public void run() {
    if (spec != null) {
      throw new CommandLine.ParameterException(
          spec.commandLine(), "say what to do: check, generate, report or serve");
    }
  }
}
