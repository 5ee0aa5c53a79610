package dev.holdfast.cli;

import dev.holdfast.lock.Lease;
import dev.holdfast.lock.LeaseLostException;
import dev.holdfast.lock.LockInfo;
import dev.holdfast.lock.LockListener;
import dev.holdfast.lock.LockOptions;
import dev.holdfast.lock.LockStoreUnavailableException;
import dev.holdfast.lock.ReleaseResult;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Option;

/** {@code holdfast run}. */
@CommandLine.Command(
    name = "run",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    customSynopsis = "holdfast run [OPTIONS] ID -- COMMAND [ARGUMENT...]",
    exitCodeListHeading = ExitStatus.HEADING,
    exitCodeList = {
      "0:the command succeeded; or, with --on-contention skip, did not run, as another holds the"
          + " lock",
      "1:another holds the lock, and the command did not run; or the lease was lost while it ran",
      ExitStatus.USAGE_TEXT,
      "3:the cluster does not answer or rejects requests; the command did not run",
      "126, 127:the command cannot be run, or is not found",
      "128+n:signal n ended the command, or the wait for the lock",
      "other:the command's own"
    },
    description = {
      "Runs a command while it holds a lock, and releases the lock at the end.",
      "The command inherits input and outputs, gets the signals INT, TERM, HUP, USR1, USR2 and"
          + " ALRM, and finds"
          + " HOLDFAST_LOCK_ID and HOLDFAST_FENCING_TOKEN in its environment. If the lease is lost,"
          + " it is terminated with its descendants, and killed after a grace period."
    })
final class RunCommand implements Callable<Integer> {
  @CommandLine.Mixin private final Connection connection = new Connection();
  @CommandLine.Mixin private final Output output = new Output();

  @CommandLine.Parameters(index = "0", paramLabel = "ID", description = "The lock's id.")
  private String lockId = "";

  @CommandLine.Parameters(
      index = "1..*",
      arity = "1..*",
      paramLabel = "COMMAND",
      description = "The command and its arguments, after --.")
  private List<String> command = List.of();

  @Option(
      names = "--wait",
      paramLabel = "TIME",
      defaultValue = "0s",
      converter = Durations.Converter.class,
      description = "How long to wait if another holds the lock (default: one attempt).")
  private Duration wait = Duration.ZERO;

  @Option(
      names = "--ttl",
      paramLabel = "TIME",
      defaultValue = "30s",
      converter = Durations.Converter.class,
      description = {
        "How long a crash of this process blocks others, 100ms to 24h (default:"
            + " ${DEFAULT-VALUE}). The lease is renewed every third of it."
      })
  private Duration ttl = Duration.ofSeconds(30);

  /** What a lock is that another holds. */
  enum OnContention {
    /** Nothing to do. */
    SKIP,
    /** A failure. */
    FAIL;

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  @Option(
      names = "--on-contention",
      paramLabel = "skip|fail",
      defaultValue = "fail",
      description = "Whether a lock that another holds is success or failure (default: fail).")
  private OnContention onContention = OnContention.FAIL;

  @Option(
      names = "--kill-after",
      paramLabel = "TIME",
      defaultValue = "5s",
      converter = Durations.Converter.class,
      description = {
        "How long the command may take to end before it is killed, after TERM, HUP or INT, or when"
            + " the lease is lost (default: ${DEFAULT-VALUE}); when it is lost, at most until others"
            + " may acquire the lock. INT from the terminal's keyboard is the command's own affair."
      })
  private Duration killAfter = Duration.ofSeconds(5);

  /** Two interrupts that are closer are one key, held down. */
  private static final long INTERRUPT_NANOS = 300_000_000;

  /** The library's default of {@code maxClockSkew}. */
  private static final Duration MAX_CLOCK_SKEW = Duration.ofSeconds(2);

  /** For noticing the loss, and for the kill. */
  private static final Duration KILL_MARGIN = Duration.ofMillis(500);

  private static final Duration SHORT_GRACE = Duration.ofSeconds(1);

  private final Thread caller = Thread.currentThread();

  // Guarded by this.
  private @Nullable Child child;
  private @Nullable String signalBefore;
  private @Nullable LeaseLostException loss;
  private @Nullable Long interruptNanos;

  /**
   * Requires {@code --} before the command, and the id before it. Without the one, options of the
   * command would be taken for options of this program, which may mean another lock. Without the
   * other, the command's name would be taken for the id. Only an id that begins with a hyphen,
   * which would be an option, may stand behind {@code --}.
   *
   * @param all the arguments of this program
   * @throws CommandLine.ParameterException if {@code --} does not stand between id and command
   */
  void checkSeparator(List<String> all) {
    int separator = all.indexOf("--");
    int behind = separator < 0 ? 0 : all.size() - separator - 1;
    if (behind < command.size()) {
      throw connection.usage(
          "-- is needed before the command, so that its options are its own: holdfast run [OPTIONS]"
              + " ID -- COMMAND [ARGUMENT...]");
    }
    if (behind > command.size() && !lockId.startsWith("-")) {
      throw connection.usage(
          "the lock's id is needed before --: holdfast run [OPTIONS] ID -- COMMAND [ARGUMENT...]");
    }
  }

  @Override
  public Integer call() throws InterruptedException {
    LockOptions options;
    try {
      options =
          LockOptions.defaults()
              .withTtl(ttl)
              .withWaitTimeout(wait)
              .withMetadata(Map.of("command", fileName(command.get(0))));
    } catch (IllegalArgumentException e) {
      throw connection.usage(String.valueOf(e.getMessage()));
    }
    // First, as the prompt for a password is to be ended by an interrupt.
    Map<String, String> environment = connection.environment();
    Signals.handle(Signals.ENDING, this::signalled);
    Signals.handle(Signals.OTHERS, this::passOn);
    try (Connection.Session session = connection.open(environment)) {
      session.builder().listener(new Reporter());
      Optional<Lease> lease = session.locks().tryAcquire(lockId, options);
      return lease.isPresent() ? run(lease.get()) : contended(session);
    } catch (InterruptedException e) {
      synchronized (this) {
        if (signalBefore == null) {
          throw e;
        }
        return statusOf(signalBefore);
      }
    }
  }

  private int contended(Connection.Session session) {
    String holder = holder(() -> session.locks().find(lockId));
    synchronized (this) {
      if (signalBefore != null) {
        return statusOf(signalBefore);
      }
    }
    boolean skip = onContention == OnContention.SKIP;
    report(
        skip ? "skipped" : "contended",
        "lock \"" + lockId + "\" " + holder + "; the command did not run");
    return skip ? ExitStatus.OK : ExitStatus.NEGATIVE;
  }

  /** That another holds the lock is known; who, only if the store answers this too. */
  static String holder(Supplier<Optional<LockInfo>> find) {
    try {
      return find.get().map(info -> Records.holder(info, Instant.now())).orElse("was held");
    } catch (LockStoreUnavailableException e) {
      return "was held";
    }
  }

  private int run(Lease lease) throws InterruptedException {
    lease.onLost(this::lost);
    int status;
    try {
      status = runChild(lease);
    } finally {
      // A signal may have come too early for the child, or too late.
      boolean unused = Thread.interrupted();
    }
    ReleaseResult released = lease.release();
    synchronized (this) {
      if (loss != null || released == ReleaseResult.NOT_HELD) {
        report(
            "lost",
            "the lease of lock \""
                + lockId
                + "\" was lost before the command had ended"
                + (loss == null
                    ? ""
                    : ": " + loss.reason().name().toLowerCase(Locale.ROOT).replace('_', ' ')));
        return ExitStatus.NEGATIVE;
      }
    }
    if (released == ReleaseResult.UNCONFIRMED) {
      report(
          "unconfirmed",
          "the release of lock \""
              + lockId
              + "\" was not confirmed: it may stay held for "
              + Durations.text(ttl));
    }
    return status;
  }

  private int runChild(Lease lease) throws InterruptedException {
    Child started;
    synchronized (this) {
      if (signalBefore != null) {
        return statusOf(signalBefore);
      }
      if (loss != null) {
        return ExitStatus.NEGATIVE;
      }
      try {
        started =
            Child.start(
                command,
                Map.of(
                    "HOLDFAST_LOCK_ID",
                    lockId,
                    "HOLDFAST_FENCING_TOKEN",
                    lease.fencingToken().toString()),
                killAfter);
      } catch (IOException e) {
        return cannotRun(e);
      }
      child = started;
    }
    return started.await();
  }

  private int cannotRun(IOException failure) {
    boolean there = isThere(command.get(0));
    report(
        "not-run",
        "\""
            + command.get(0)
            + (there ? "\" cannot be run: " + failure.getMessage() : "\" was not found"));
    return there ? ExitStatus.CANNOT_RUN : ExitStatus.NOT_FOUND;
  }

  private static boolean isThere(String name) {
    if (name.contains("/")) {
      return Files.exists(Path.of(name));
    }
    for (String folder : System.getenv().getOrDefault("PATH", "").split(":", -1)) {
      if (Files.exists(Path.of(folder.isEmpty() ? "." : folder, name))) {
        return true;
      }
    }
    return false;
  }

  private static String fileName(String path) {
    return path.substring(path.lastIndexOf('/') + 1);
  }

  private static int statusOf(String signal) {
    return ExitStatus.SIGNALLED + Signals.NUMBERS.getOrDefault(signal, 0);
  }

  // --- From other threads

  private synchronized void signalled(String signal) {
    Child running = child;
    if (running == null) {
      signalBefore = signal;
      caller.interrupt();
    } else if (!signal.equals("INT") || !Terminal.isForeground()) {
      running.passOn(signal);
    } else {
      // The terminal has sent it to the command too, which may go on; but kill sends it to this
      // process alone, which looks the same.
      long now = System.nanoTime();
      if (interruptNanos != null && now - interruptNanos > INTERRUPT_NANOS && running.isAlive()) {
        running.send(signal);
      }
      interruptNanos = now;
    }
  }

  /** There is nobody to pass it on to while the lock is waited for. */
  private synchronized void passOn(String signal) {
    if (child != null) {
      child.send(signal);
    }
  }

  private synchronized void lost(LeaseLostException lost) {
    loss = lost;
    if (child != null) {
      // Before the report, which may block.
      child.terminate(grace(lost.reason(), ttl, killAfter));
      report(
          "terminating",
          "the lease of lock \""
              + lockId
              + "\" was lost, the command is terminated: "
              + lost.getMessage());
    }
  }

  /**
   * How long the command may take to end. After an expiry nobody else can have the lock for what is
   * left of the TTL; after the other losses somebody may have it already.
   */
  static Duration grace(LeaseLostException.Reason reason, Duration ttl, Duration killAfter) {
    return switch (reason) {
      case EXPIRED -> {
        // As the library counts with its defaults: a tenth for clocks that run at different speeds,
        // and as much, but 2 s at most, for wall clocks.
        Duration tenth = ttl.dividedBy(10);
        Duration left = tenth.plus(shorter(tenth, MAX_CLOCK_SKEW)).minus(KILL_MARGIN);
        yield left.isNegative() ? Duration.ZERO : shorter(killAfter, left);
      }
      case TAKEN_OVER, RECORD_DELETED, FORCE_RELEASED, INDEX_REPLACED ->
          shorter(killAfter, SHORT_GRACE);
      case MAX_HOLD, MANAGER_CLOSED -> killAfter;
    };
  }

  private static Duration shorter(Duration one, Duration other) {
    return one.compareTo(other) < 0 ? one : other;
  }

  /** To standard error: standard output is the command's. */
  private void report(String event, String message) {
    if (!output.isJson()) {
      output.message(message);
      return;
    }
    Map<String, String> json = new LinkedHashMap<>();
    json.put("time", Instant.now().toString());
    json.put("event", event);
    json.put("lockId", lockId);
    json.put("message", message);
    output.err().println(Output.jsonLine(json));
    output.err().flush();
  }

  /** What an operator wants to know meanwhile. */
  private final class Reporter implements LockListener {
    @Override
    public void waiting(String id, Optional<LockInfo> holder) {
      report(
          "waiting",
          "lock \""
              + id
              + "\" "
              + holder.map(info -> Records.holder(info, Instant.now())).orElse("is held")
              + "; waiting for up to "
              + Durations.text(wait));
    }

    @Override
    public void takenOver(String id, LockInfo previous) {
      report(
          "taken-over",
          "lock \"" + id + "\" " + Records.holder(previous, Instant.now()) + "; taken over");
    }

    @Override
    public void renewalFailed(String id, Throwable cause, Duration took, Duration remaining) {
      report(
          "renewal-failed",
          "a renewal of lock \""
              + id
              + "\" failed, the lease ends in "
              + Durations.text(remaining)
              + ": "
              + cause.getMessage());
    }
  }
}
