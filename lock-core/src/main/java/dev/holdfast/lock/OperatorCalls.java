package dev.holdfast.lock;

import dev.holdfast.lock.internal.Logs;
import dev.holdfast.lock.store.IncarnationGoneException;
import dev.holdfast.lock.store.ListResult;
import dev.holdfast.lock.store.ReadResult;
import dev.holdfast.lock.store.WriteResult;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What operators ask of a store beside any lease: to find, list and force-release records. Their
 * contract is that of {@link LockManager}'s methods. Thread-safe.
 */
final class OperatorCalls {
  private static final int MAX_LISTED = 100_000;
  private static final int MAX_FORCE_ATTEMPTS = 10;

  private static final Logger LOG = LoggerFactory.getLogger(OperatorCalls.class);

  private final Engine engine;

  OperatorCalls(Engine engine) {
    this.engine = engine;
  }

  Optional<LockInfo> find(String lockId) {
    ReadResult read = read(lockId);
    if (read instanceof ReadResult.Found found) {
      return Optional.of(LockInfo.of(found, engine.clocks.wallNow()));
    }
    return Optional.empty();
  }

  List<LockInfo> list() {
    ListResult result =
        answer(engine.list(MAX_LISTED), new ListResult.Unavailable(engine.noAnswer()));
    if (result instanceof ListResult.Listed listed) {
      return listed.records().stream()
          .map(found -> LockInfo.of(found, engine.clocks.wallNow()))
          .toList();
    } else if (result instanceof ListResult.Rejected rejected) {
      throw unavailable("", rejected.cause(), false);
    }
    throw unavailable("", ((ListResult.Unavailable) result).cause(), true);
  }

  /**
   * Deletes a record.
   *
   * @param onlyOf the token of the only record that may be deleted; null for any
   */
  boolean forceRelease(String lockId, @Nullable String onlyOf) {
    Throwable last = null;
    for (int attempt = 0; attempt < MAX_FORCE_ATTEMPTS; attempt++) {
      ReadResult read = read(lockId);
      if (!(read instanceof ReadResult.Found found)) {
        // After a delete that was not answered, an absent record is what it was sent for.
        return last != null;
      } else if (onlyOf != null && !onlyOf.equals(found.record().token())) {
        // Likewise: the record with that token is gone.
        return last != null;
      }
      WriteResult result =
          answer(
              engine.delete(lockId, found.version()), new WriteResult.Unknown(engine.noAnswer()));
      if (result instanceof WriteResult.Applied) {
        engine.onQueue(lockId, queue -> queue.forceReleased(found.record().token()));
        Logs.quietly(
            () ->
                LOG.warn(
                    "Lock \"{}\": released by force; it was held by {}, token {}",
                    Logs.shown(lockId),
                    Logs.shown(found.record().owner()),
                    Logs.shown(found.record().token())));
        return true;
      } else if (result instanceof WriteResult.Rejected rejected) {
        if (rejected.cause() instanceof IncarnationGoneException gone) {
          engine.incarnationGone(gone);
          return true;
        }
        throw unavailable(lockId, rejected.cause(), false);
      } else if (result instanceof WriteResult.Unknown unknown) {
        last = unknown.cause();
      }
    }
    throw unavailable(
        lockId, last != null ? last : new IllegalStateException("its record keeps changing"), true);
  }

  private ReadResult read(String lockId) {
    ReadResult result = answer(engine.read(lockId), new ReadResult.Unavailable(engine.noAnswer()));
    if (result instanceof ReadResult.Rejected rejected) {
      throw unavailable(lockId, rejected.cause(), false);
    } else if (result instanceof ReadResult.Unavailable unavailable) {
      throw unavailable(lockId, unavailable.cause(), true);
    }
    return result;
  }

  /** The answer, or the other one if none comes in time. */
  private <R> R answer(CompletableFuture<R> request, R otherwise) {
    return FutureWaits.awaitUninterruptibly(
            request, engine.requestTimeout().plus(LockManager.GRACE))
        ? request.join()
        : otherwise;
  }

  private LockStoreUnavailableException unavailable(
      String lockId, Throwable cause, boolean retryable) {
    if (cause instanceof Error error) {
      throw error;
    }
    return new LockStoreUnavailableException(
        lockId,
        Outcome.Unavailable.message(lockId, engine.store.description(), cause, retryable),
        retryable,
        cause);
  }
}
