package app;

import dev.holdfast.lock.Lease;
import dev.holdfast.lock.LockManager;
import dev.holdfast.lock.ReleaseResult;
import dev.holdfast.lock.elasticsearch.ElasticsearchLockStore;
import java.util.concurrent.Callable;

/** What an application does with locks. */
final class Locks {
  private Locks() {}

  /** Prints one line: that all went as it should, or what was thrown, with its cause. */
  static void use(
      String name, String index, Callable<ElasticsearchLockStore.Builder> builder) {
    try {
      use(builder.call().indexNames(index, index + "-alias").build());
      System.out.println(name + ": works");
    } catch (Throwable e) {
      System.out.println(name + ": " + e + (e.getCause() == null ? "" : " | " + e.getCause()));
    }
  }

  private static void use(ElasticsearchLockStore opened) throws Exception {
    try (ElasticsearchLockStore store = opened;
        LockManager one = LockManager.create(store);
        LockManager other = LockManager.create(store)) {
      expect(one.withLock("a", () -> 42) == 42, "a body runs");

      Lease held = one.tryAcquire("a").orElseThrow();
      expect(other.tryAcquire("a").isEmpty(), "one holder at a time");
      held.renew();
      expect(other.find("a").isPresent(), "a held lock is found");
      long until = System.nanoTime() + 60_000_000_000L;
      while (other.list().size() != 1) {
        expect(System.nanoTime() < until, "a held lock is listed");
        Thread.sleep(100);
      }
      expect(held.release() == ReleaseResult.RELEASED, "a lease is released");

      Lease next = other.tryAcquire("a").orElseThrow();
      expect(next.fencingToken().compareTo(held.fencingToken()) > 0, "tokens rise");
      expect(one.forceRelease("a"), "an operator releases");
      expect(one.find("a").isEmpty(), "a released lock has no record");
    }
  }

  private static void expect(boolean so, String what) {
    if (!so) {
      throw new IllegalStateException("not so: " + what);
    }
  }
}
