package dev.holdfast.cli;

import dev.holdfast.lock.LockInfo;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Option;

/** {@code holdfast list}. */
@CommandLine.Command(
    name = "list",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    exitCodeListHeading = ExitStatus.HEADING,
    exitCodeList = {
      "0:done, also if no record matches",
      ExitStatus.USAGE_TEXT,
      ExitStatus.UNAVAILABLE_TEXT
    },
    description = {
      "Lists the records of locks, also of those whose lease has expired.",
      "A record that was written or deleted within the last second may not show."
    })
final class ListCommand implements Callable<Integer> {
  @CommandLine.Mixin private final Connection connection = new Connection();
  @CommandLine.Mixin private final Output output = new Output();

  @CommandLine.Parameters(
      arity = "0..1",
      paramLabel = "PATTERN",
      description = "Only locks whose whole id matches; * stands for any text.")
  private @Nullable String pattern;

  @Option(names = "--expired", description = "Only records whose lease has expired.")
  private boolean expired;

  @Option(names = "--held", description = "Only records whose lease has not expired.")
  private boolean held;

  @Option(
      names = "--owner",
      paramLabel = "TEXT",
      description = "Only records whose owner contains that text.")
  private @Nullable String owner;

  @Option(
      names = "--older-than",
      paramLabel = "AGE",
      converter = Durations.Converter.class,
      description = "Only records of locks acquired longer ago, such as 10m.")
  private @Nullable Duration olderThan;

  /** What to sort by. */
  enum Sort {
    /** Alphabetically. */
    ID,
    /** The oldest first. */
    AGE,
    /** By owner, then by id. */
    OWNER,
    /** What expires first, or expired longest ago, first. */
    EXPIRY;

    Comparator<LockInfo> order() {
      Comparator<LockInfo> byId = Comparator.comparing(LockInfo::lockId);
      return switch (this) {
        case ID -> byId;
        case AGE -> Comparator.comparing(LockInfo::createdAt, soonest()).thenComparing(byId);
        case OWNER -> Comparator.comparing(LockInfo::owner).thenComparing(byId);
        case EXPIRY -> Comparator.comparing(LockInfo::expiresAt, soonest()).thenComparing(byId);
      };
    }

    private static Comparator<@Nullable Instant> soonest() {
      return Comparator.nullsLast(Comparator.naturalOrder());
    }

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  @Option(
      names = "--sort",
      paramLabel = "KEY",
      defaultValue = "id",
      description = "One of ${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}).")
  private Sort sort = Sort.ID;

  @Override
  public Integer call() {
    if (expired && held) {
      throw connection.usage("--expired and --held exclude each other");
    }
    List<LockInfo> all;
    try (Connection.Session session = connection.open()) {
      all = session.locks().list();
    }
    List<LockInfo> shown = selected(all, Instant.now());
    Instant now = Instant.now();
    if (output.isJson()) {
      output.json(shown.stream().map(info -> Records.json(info, now)).toList());
      return ExitStatus.OK;
    }
    if (shown.isEmpty()) {
      output.message(all.isEmpty() ? "no locks" : "none of " + all.size() + " locks matches");
      return ExitStatus.OK;
    }
    List<List<String>> rows = new ArrayList<>();
    rows.add(List.of("LOCK", "STATE", "OWNER", "AGE", "EXPIRES", "TTL"));
    for (LockInfo info : shown) {
      rows.add(
          List.of(
              info.lockId(),
              Records.state(info),
              Records.owner(info),
              Records.ageText(info, now),
              Records.expiry(info, now),
              info.ttl().isZero() ? "?" : Durations.text(info.ttl())));
    }
    output.table(rows);
    return ExitStatus.OK;
  }

  private List<LockInfo> selected(List<LockInfo> all, Instant now) {
    Pattern ids = pattern == null ? Pattern.compile(".*", Pattern.DOTALL) : glob(pattern);
    return all.stream()
        .filter(info -> ids.matcher(info.lockId()).matches())
        .filter(info -> !expired || Records.state(info).equals("expired"))
        .filter(info -> !held || !info.expired())
        .filter(info -> owner == null || info.owner().contains(owner))
        .filter(info -> olderThan == null || Records.age(info, now).compareTo(olderThan) > 0)
        .sorted(sort.order())
        .toList();
  }

  private static Pattern glob(String pattern) {
    StringBuilder regex = new StringBuilder();
    for (String part : pattern.split("\\*", -1)) {
      regex.append(regex.isEmpty() ? "" : ".*").append(Pattern.quote(part));
    }
    return Pattern.compile(regex.toString(), Pattern.DOTALL);
  }
}
