package dev.holdfast.lock.shedlock;

import static dev.holdfast.lock.shedlock.LockProviderContract.LONG;
import static dev.holdfast.lock.shedlock.LockProviderContract.config;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.testing.Poll;
import dev.holdfast.testing.TestIndex;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import net.javacrumbs.shedlock.core.AbstractSimpleLock;
import net.javacrumbs.shedlock.core.LockConfiguration;
import net.javacrumbs.shedlock.core.LockProvider;
import net.javacrumbs.shedlock.core.SimpleLock;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/**
 * A task that runs longer than {@code lockAtMostFor} unlocks when another has the lock already: on
 * Holdfast, and by the protocol of ShedLock's own provider for Elasticsearch. What {@code
 * docs/integrations.md} says of it.
 */
class SideBySideIT {
  private static final Duration SHORT = Duration.ofMillis(200);

  private final TestIndex index = new TestIndex();

  @AfterEach
  void closeIndex() {
    index.close();
  }

  /** Whether a third process gets the lock that a second one holds, after the first's unlock. */
  private static boolean isSuccessorsLockFreed(
      LockProvider first, LockProvider second, LockProvider third) {
    SimpleLock stale = first.lock(config("job", SHORT, Duration.ZERO)).orElseThrow();
    SimpleLock successors =
        Poll.forValue(
            "free after lockAtMostFor", () -> second.lock(config("job", LONG, Duration.ZERO)));

    stale.unlock();

    Optional<SimpleLock> again = third.lock(config("job", LONG, Duration.ZERO));
    successors.unlock();
    return again.isPresent();
  }

  @Test
  void staleUnlock_onHoldfast_changesNothing() {
    assertThat(
            isSuccessorsLockFreed(
                new HoldfastLockProvider(index.manager()),
                new HoldfastLockProvider(index.manager()),
                new HoldfastLockProvider(index.manager())))
        .isFalse();
  }

  @Test
  void staleUnlock_byShedLocksOwnProtocol_freesTheSuccessorsLock() {
    try {
      LockProvider published = new PublishedProtocol(index);
      assertThat(isSuccessorsLockFreed(published, published, published)).isTrue();
    } finally {
      index.send("DELETE", "/shedlock", "");
    }
  }

  /**
   * The requests of ShedLock's ElasticsearchLockProvider (7.10, module
   * shedlock-provider-elasticsearch9). The node of the tests has no scripting: what a script
   * decides and writes on the server is a read and a conditional write here; and the script of the
   * unlock, which sets {@code lockUntil} without a condition, is a partial update.
   */
  private static final class PublishedProtocol implements LockProvider {
    private static final Pattern LOCK_UNTIL = Pattern.compile("\"lockUntil\":(\\d+)");
    private static final Pattern VERSION =
        Pattern.compile("\"_seq_no\":(\\d+),\"_primary_term\":(\\d+)");

    private final TestIndex index;

    PublishedProtocol(TestIndex index) {
      this.index = index;
    }

    private static String path(String operation, String name) {
      return "/shedlock/" + operation + "/" + URLEncoder.encode(name, StandardCharsets.UTF_8);
    }

    @Override
    public Optional<SimpleLock> lock(LockConfiguration configuration) {
      String name = configuration.getName();
      String document =
          String.format(
              Locale.ROOT,
              "{\"name\":\"%s\",\"lockUntil\":%d}",
              name,
              configuration.getLockAtMostUntil().toEpochMilli());
      String current = index.send("GET", path("_doc", name), "").body();
      Matcher until = LOCK_UNTIL.matcher(current);
      Matcher version = VERSION.matcher(current);
      int status;
      if (!until.find() || !version.find()) {
        status = index.send("PUT", path("_create", name), document).statusCode();
      } else if (Long.parseLong(until.group(1)) <= Instant.now().toEpochMilli()) {
        String condition =
            "?if_seq_no=" + version.group(1) + "&if_primary_term=" + version.group(2);
        status = index.send("PUT", path("_doc", name) + condition, document).statusCode();
      } else {
        return Optional.empty();
      }
      return status < 300 ? Optional.of(new PublishedLock(configuration)) : Optional.empty();
    }

    private final class PublishedLock extends AbstractSimpleLock {
      PublishedLock(LockConfiguration configuration) {
        super(configuration);
      }

      @Override
      protected void doUnlock() {
        long until = lockConfiguration.getUnlockTime().toEpochMilli();
        String unused =
            index.ok(
                "POST",
                path("_update", lockConfiguration.getName()),
                "{\"doc\":{\"lockUntil\":" + until + "}}");
      }
    }
  }
}
