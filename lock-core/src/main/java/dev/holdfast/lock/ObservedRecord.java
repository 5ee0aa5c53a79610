package dev.holdfast.lock;

import dev.holdfast.lock.store.LockRecord;
import dev.holdfast.lock.store.ReadResult;
import dev.holdfast.lock.store.Version;
import org.jspecify.annotations.Nullable;

/**
 * What a read means to a caller that knows a token and, perhaps, a version that was acknowledged.
 * One classification for acquiring, renewing and releasing, so that a stale copy fools none of
 * them.
 */
sealed interface ObservedRecord {

  /** The record carries our token: a write of ours was applied, at this version. */
  record Ours(Version version) implements ObservedRecord {}

  /** The record carries another token. */
  record Others(LockRecord record, Version version) implements ObservedRecord {}

  /** No record. */
  record Absent() implements ObservedRecord {}

  /** Older than what we know was acknowledged: a copy that is behind. Tells nothing. */
  record Stale() implements ObservedRecord {}

  /**
   * The index in which we know a version is not the one that was read: ours is gone, or the node
   * that answered has not heard of it yet.
   */
  record OtherIncarnation() implements ObservedRecord {}

  /** No answer. */
  record Unavailable(Throwable cause, boolean retryable) implements ObservedRecord {}

  /**
   * For a caller whose knowledge of older incarnations does not matter: one that wants to acquire.
   */
  static ObservedRecord of(ReadResult read, String token, @Nullable Version known) {
    if (read instanceof ReadResult.Found found) {
      if (known != null && found.version().isOlderThan(known)) {
        return new Stale();
      }
      return found.record().token().equals(token)
          ? new Ours(found.version())
          : new Others(found.record(), found.version());
    } else if (read instanceof ReadResult.Rejected rejected) {
      return new Unavailable(rejected.cause(), false);
    } else if (read instanceof ReadResult.Unavailable unavailable) {
      return new Unavailable(unavailable.cause(), !(unavailable.cause() instanceof Error));
    }
    return new Absent();
  }

  /** For a holder: what another incarnation shows is not about its record. */
  static ObservedRecord ofHeld(ReadResult read, String token, Version held) {
    if (read instanceof ReadResult.Found found && !found.version().isComparableTo(held)) {
      return new OtherIncarnation();
    }
    if (read instanceof ReadResult.Absent absent
        && !held.incarnation().equals(absent.incarnation())) {
      return new OtherIncarnation();
    }
    return of(read, token, held);
  }
}
