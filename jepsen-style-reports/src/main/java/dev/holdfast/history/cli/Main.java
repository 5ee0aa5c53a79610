package dev.holdfast.history.cli;

import java.nio.file.Files;
import java.nio.file.Path;
import picocli.CommandLine;

/** {@code java -jar holdfast-history.jar}. */
@CommandLine.Command(
    name = "holdfast-history",
    mixinStandardHelpOptions = true,
    version = "Holdfast histories 0.1.0",
    description = "Checks histories in Jepsen's format, and makes pages of them.",
    subcommands = {
      CheckCommand.class,
      GenerateCommand.class,
      ReportCommand.class,
      ServeCommand.class
    })
public final class Main implements Runnable {
  /** The status of input that cannot be understood. */
  static final int UNREADABLE = 3;

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
