package dev.holdfast.cli;

import dev.holdfast.lock.LockInfo;
import dev.holdfast.lock.LockManager;
import dev.holdfast.lock.LockStoreUnavailableException;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Option;

/** {@code holdfast watch}. */
@CommandLine.Command(
    name = "watch",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    exitCodeListHeading = ExitStatus.HEADING,
    exitCodeList = {
      "0:ended by a signal, or by a closed pipe",
      ExitStatus.USAGE_TEXT,
      "3:the cluster did not answer at the beginning; later outages are waited out"
    },
    description = {
      "Prints the locks, and then a line for each change, until it is interrupted.",
      "It looks at intervals, and misses what is acquired and released between two looks.",
      "With --json, each line is an object."
    })
final class WatchCommand implements Callable<Integer> {
  private static final Duration MIN_INTERVAL = Duration.ofMillis(100);
  private static final Duration MAX_INTERVAL = Duration.ofHours(1);

  @CommandLine.Mixin private final Connection connection = new Connection();
  @CommandLine.Mixin private final Output output = new Output();

  @CommandLine.Parameters(
      arity = "0..1",
      paramLabel = "ID",
      description = "The id of the lock to watch; all locks without it.")
  private @Nullable String lockId;

  @Option(
      names = "--interval",
      paramLabel = "TIME",
      defaultValue = "1s",
      converter = Durations.Converter.class,
      description = "How often to look, 100ms to 1h (default: ${DEFAULT-VALUE}).")
  private Duration interval = Duration.ofSeconds(1);

  @Option(names = "--renewals", description = "Print renewals too.")
  private boolean renewals;

  private final CountDownLatch stopped = new CountDownLatch(1);

  @Override
  public Integer call() throws InterruptedException {
    if (interval.compareTo(MIN_INTERVAL) < 0 || interval.compareTo(MAX_INTERVAL) > 0) {
      throw connection.usage("--interval must be from 100ms to 1h");
    }
    // First, as the prompt for a password is to be ended by an interrupt.
    Map<String, String> environment = connection.environment();
    Signals.handle(Signals.ENDING, signal -> stopped.countDown());
    try (Connection.Session session = connection.open(environment)) {
      Map<String, LockInfo> known = look(session.locks());
      known.values().forEach(info -> print(Records.state(info), info));
      boolean answering = true;
      while (!stopped.await(interval.toMillis(), TimeUnit.MILLISECONDS)) {
        try {
          Map<String, LockInfo> seen = look(session.locks());
          if (!answering) {
            output.message("the cluster answers again");
          }
          answering = true;
          compare(known, seen);
          known = seen;
        } catch (LockStoreUnavailableException e) {
          if (answering) {
            output.message(String.valueOf(e.getMessage()));
          }
          answering = false;
        }
        if (Output.isBroken(output.out())) {
          break; // Nobody reads any more, as behind "| head".
        }
      }
    }
    return ExitStatus.OK;
  }

  private Map<String, LockInfo> look(LockManager locks) {
    Map<String, LockInfo> seen = new TreeMap<>();
    List<LockInfo> all = lockId == null ? locks.list() : locks.find(lockId).stream().toList();
    all.forEach(info -> seen.put(info.lockId(), info));
    return seen;
  }

  private void compare(Map<String, LockInfo> known, Map<String, LockInfo> seen) {
    known.forEach(
        (id, before) -> {
          if (!seen.containsKey(id)) {
            print("released", before);
          }
        });
    seen.forEach(
        (id, now) -> {
          String event = event(known.get(id), now, interval, renewals);
          if (event != null) {
            print(event, now);
          }
        });
  }

  /**
   * What happened between two looks; null for nothing worth a line.
   *
   * @param interval between the looks
   */
  static @Nullable String event(
      @Nullable LockInfo before, LockInfo now, Duration interval, boolean renewals) {
    String state = Records.state(now);
    if (before == null) {
      return state.equals("held") ? "acquired" : state;
    } else if (!before.token().equals(now.token())) {
      return !state.equals("held") && !state.equals("expired")
          ? state
          : isTakenOver(before, now, interval) ? "taken-over" : "acquired";
    } else if (!state.equals(Records.state(before)) && !state.equals("held")) {
      return state;
    }
    return renewals && !before.version().equals(now.version()) ? "renewed" : null;
  }

  /**
   * Whether the holder before had let its lease expire. If that was not seen, it is known only of
   * looks that follow each other quickly: between others it may have renewed and released the lock.
   */
  private static boolean isTakenOver(LockInfo before, LockInfo now, Duration interval) {
    if (!before.isHeld()) {
      return false;
    }
    Instant expiresAt = before.expiresAt();
    Instant createdAt = now.createdAt();
    return before.expired()
        || (expiresAt != null
            && createdAt != null
            && !createdAt.isBefore(expiresAt)
            && interval.multipliedBy(2).compareTo(before.ttl()) <= 0);
  }

  private void print(String event, LockInfo info) {
    Instant now = Instant.now();
    if (output.isJson()) {
      Map<String, @Nullable Object> json = new LinkedHashMap<>();
      json.put("time", now.toString());
      json.put("event", event);
      json.putAll(Records.json(info, now));
      output.out().println(Output.jsonLine(json));
      output.out().flush();
    } else {
      output.line(
          String.format(
              "%s  %-10s  %s  %s",
              now.truncatedTo(ChronoUnit.SECONDS), event, info.lockId(), Records.owner(info)));
    }
  }
}
