package dev.holdfast.history.cli;

import dev.holdfast.history.report.StoreServer;
import java.io.IOException;
import java.net.BindException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;

/** {@code serve}: shows a store to browsers of this machine. */
@CommandLine.Command(
    name = "serve",
    mixinStandardHelpOptions = true,
    description = {
      "Shows a store to browsers of this machine, and to nobody else, until it is interrupted."
    },
    versionProvider = Main.Version.class,
    sortOptions = false,
    exitCodeListHeading = Main.EXIT_HEADING,
    exitCodeList = {"0:interrupted", "3:the folder or an option is invalid, or the port is taken"},
    exitCodeOnInvalidInput = Main.UNREADABLE,
    exitCodeOnExecutionException = Main.UNREADABLE)
final class ServeCommand implements Callable<Integer> {

  @CommandLine.Spec private CommandLine.Model.@Nullable CommandSpec spec;

  @CommandLine.Option(
      names = "--port",
      paramLabel = "PORT",
      defaultValue = "8080",
      description = "Where to listen; 0 for any port that is free (default: ${DEFAULT-VALUE}).")
  private int port = 8080;

  @CommandLine.Parameters(paramLabel = "DIR", description = "The store, or a single run.")
  private Path folder = Path.of("");

  @Override
  public Integer call() throws IOException {
    CommandLine commandLine = spec == null ? new CommandLine(this) : spec.commandLine();
    if (port < 0 || port > 65_535) {
      throw new CommandLine.ParameterException(
          commandLine, "--port must be 0 to 65535, but is " + port);
    }
    try (StoreServer server = new StoreServer(Main.folder(commandLine, folder), port)) {
      commandLine.getOut().println(server.uri());
      commandLine.getOut().flush();
      commandLine.getErr().println("serving " + folder + " to this machine; Ctrl-C ends it");
      commandLine.getErr().flush();
      new CountDownLatch(1).await();
    } catch (BindException e) {
      throw new CommandLine.ParameterException(
          commandLine, "port " + port + " is taken; choose another with --port, or 0 for any", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    return 0;
  }
}
