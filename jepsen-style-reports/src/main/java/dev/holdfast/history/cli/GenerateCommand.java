package dev.holdfast.history.cli;

import dev.holdfast.history.SampleHistory;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;

/** {@code generate}: makes up a valid history. */
@CommandLine.Command(
    name = "generate",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Makes up the valid history of a lock with leases, to try checkers on, and how fast they"
          + " are.",
      "The same numbers make the same history."
    },
    versionProvider = Main.Version.class,
    exitCodeListHeading = Main.EXIT_HEADING,
    exitCodeList = {
      "0:the file is written",
      "3:an option is invalid, or the file cannot be written"
    },
    exitCodeOnInvalidInput = Main.UNREADABLE,
    exitCodeOnExecutionException = Main.UNREADABLE)
final class GenerateCommand implements Callable<Integer> {

  @CommandLine.Spec private CommandLine.Model.@Nullable CommandSpec spec;

  @CommandLine.Option(
      names = "--operations",
      paramLabel = "N",
      defaultValue = "10000",
      description = "How many operations, a line each (default: ${DEFAULT-VALUE}).")
  private long operations;

  @CommandLine.Option(
      names = "--locks",
      paramLabel = "N",
      defaultValue = "10",
      description = "On how many locks, each wanted by three clients (default: ${DEFAULT-VALUE}).")
  private int locks;

  @CommandLine.Option(
      names = "--seed",
      paramLabel = "N",
      defaultValue = "1",
      description = "Another number makes another history (default: ${DEFAULT-VALUE}).")
  private long seed;

  @CommandLine.Parameters(paramLabel = "FILE", description = "Where to, a file that is not there.")
  private Path file = Path.of("");

  @Override
  public Integer call() {
    CommandLine commandLine = spec == null ? new CommandLine(this) : spec.commandLine();
    PrintWriter err = commandLine.getErr();
    if (operations < 1 || locks < 1) {
      throw new CommandLine.ParameterException(
          commandLine, "--operations and --locks must be at least 1");
    }
    try (BufferedWriter out = Files.newBufferedWriter(file, StandardOpenOption.CREATE_NEW)) {
      SampleHistory.make(
          operations,
          locks,
          seed,
          operation -> {
            try {
              out.append(operation.toEdn()).append('\n');
            } catch (IOException e) {
              throw new UncheckedIOException(e);
            }
          });
      return 0;
    } catch (FileAlreadyExistsException e) {
      err.println(file + ": there is such a file already");
    } catch (UncheckedIOException | IOException e) {
      err.println(file + ": " + e.getMessage());
    }
    err.flush();
    return Main.UNREADABLE;
  }
}
