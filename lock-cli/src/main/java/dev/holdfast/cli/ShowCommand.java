package dev.holdfast.cli;

import dev.holdfast.lock.LockInfo;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine;

/** {@code holdfast show}. */
@CommandLine.Command(
    name = "show",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    exitCodeListHeading = ExitStatus.HEADING,
    exitCodeList = {
      "0:there is a record",
      "1:there is none: nobody holds the lock",
      ExitStatus.USAGE_TEXT,
      ExitStatus.UNAVAILABLE_TEXT
    },
    description = "Shows a lock's record: who holds it, since when and until when.")
final class ShowCommand implements Callable<Integer> {
  @CommandLine.Mixin private final Connection connection = new Connection();
  @CommandLine.Mixin private final Output output = new Output();

  @CommandLine.Parameters(paramLabel = "ID", description = "The lock's id.")
  private String lockId = "";

  @Override
  public Integer call() {
    Optional<LockInfo> found;
    try (Connection.Session session = connection.open()) {
      found = session.locks().find(lockId);
    }
    Instant now = Instant.now();
    if (found.isEmpty()) {
      if (output.isJson()) {
        output.json(Map.of("lockId", lockId, "state", "free"));
      } else {
        output.message("lock \"" + lockId + "\" has no record: nobody holds it");
      }
      return ExitStatus.NEGATIVE;
    }
    LockInfo info = found.get();
    if (output.isJson()) {
      output.json(Records.json(info, now));
      return ExitStatus.OK;
    }
    output.table(
        List.of(
            List.of("lock", info.lockId()),
            List.of("state", Records.state(info)),
            List.of("owner", Records.owner(info)),
            List.of("since", info.createdAt() + " (" + Records.ageText(info, now) + ")"),
            List.of("expires", info.expiresAt() + " (" + Records.expiry(info, now) + ")"),
            List.of("ttl", Durations.text(info.ttl())),
            List.of("token", info.token()),
            List.of("metadata", Output.jsonLine(info.metadata()))));
    return ExitStatus.OK;
  }
}
