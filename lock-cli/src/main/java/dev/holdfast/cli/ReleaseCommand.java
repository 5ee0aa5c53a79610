package dev.holdfast.cli;

import dev.holdfast.lock.LockInfo;
import java.io.Console;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Option;

/** {@code holdfast release}. */
@CommandLine.Command(
    name = "release",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    exitCodeListHeading = ExitStatus.HEADING,
    exitCodeList = {
      "0:released",
      "1:not released: there is no record, it changed hands, or the answer was no",
      ExitStatus.USAGE_TEXT,
      ExitStatus.UNAVAILABLE_TEXT
    },
    description = {
      "Releases a lock by force, regardless of its holder.",
      "A holder that still runs notices at its next renewal, or when its validity ends. Until then"
          + " it goes on, and another can acquire the lock: two hold it at once.",
      "Only the record that it shows is deleted, not that of a holder that comes meanwhile."
    })
final class ReleaseCommand implements Callable<Integer> {
  @CommandLine.Mixin private final Connection connection = new Connection();
  @CommandLine.Mixin private final Output output = new Output();

  @CommandLine.Parameters(paramLabel = "ID", description = "The lock's id.")
  private String lockId = "";

  @Option(
      names = {"-y", "--yes"},
      description = "Do not ask. Needed where there is no terminal to ask at.")
  private boolean yes;

  @Override
  public Integer call() {
    Console console = yes ? null : Terminal.console();
    if (!yes && console == null) {
      throw connection.usage("--yes is needed, as there is no terminal to ask at");
    }
    try (Connection.Session session = connection.open()) {
      Optional<LockInfo> found = session.locks().find(lockId);
      if (found.isEmpty()) {
        return end(null, false, "lock \"" + lockId + "\" has no record: nobody holds it");
      }
      LockInfo info = found.get();
      String holder = "lock \"" + lockId + "\" " + Records.holder(info, Instant.now());
      if (console != null) {
        output.message(holder);
        String answer = console.readLine("%s", "Release it by force? [y/N] ");
        if (answer == null || !answer.strip().toLowerCase(Locale.ROOT).matches("y|yes")) {
          return end(info, false, "not released");
        }
      }
      if (session.locks().forceRelease(lockId, info.token())) {
        return end(info, true, "released; " + holder);
      }
      Optional<LockInfo> now = session.locks().find(lockId);
      return end(
          now.orElse(info),
          false,
          now.isEmpty()
              ? "lock \"" + lockId + "\" was released by its holder meanwhile"
              : "not released: lock \""
                  + lockId
                  + "\" changed hands meanwhile and "
                  + Records.holder(now.get(), Instant.now()));
    }
  }

  private int end(@Nullable LockInfo record, boolean released, String message) {
    if (output.isJson()) {
      Map<String, @Nullable Object> json = new LinkedHashMap<>();
      json.put("lockId", lockId);
      json.put("released", released);
      json.put("record", record == null ? null : Records.json(record, Instant.now()));
      output.json(json);
    } else if (released) {
      output.line(message);
    } else {
      output.message(message);
    }
    return released ? ExitStatus.OK : ExitStatus.NEGATIVE;
  }
}
