package dev.holdfast.lock;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.lock.memory.InMemoryLockStore;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What an observer of calls is told, and what it can do to them: nothing. */
@Timeout(120)
class CallObserverTest {
  private final InMemoryLockStore store = new InMemoryLockStore();
  private final List<String> told = new ArrayList<>();

  /** Keeps what it is told, and fails at that moment. */
  private final class Recorder implements CallObserver {
    private final String failsWhen;

    Recorder(String failsWhen) {
      this.failsWhen = failsWhen;
    }

    private void tell(String moment, Object detail) {
      told.add(moment + " " + detail);
      if (moment.equals(failsWhen)) {
        throw new AssertionError("a bug in an observer");
      }
    }

    @Override
    public Call started(String lockId, LockOptions options) {
      tell("started", lockId);
      return new Call() {
        @Override
        public void acquired(FencingToken fencingToken) {
          tell("acquired", fencingToken);
        }

        @Override
        public void ended(@Nullable Throwable failure) {
          tell("ended", failure == null ? "well" : failure.getClass().getSimpleName());
        }
      };
    }
  }

  private LockManager observed(String failsWhen) {
    return LockManager.builder(store).callObserver(new Recorder(failsWhen)).build();
  }

  @Test
  void call_isToldInOrder_withTheFencingTokenOfItsLease() throws Exception {
    try (LockManager locks = observed("never")) {
      locks.runWithLease("x", lease -> told.add("body " + lease.fencingToken()));
      try (Lease lease = locks.acquire("y")) {
        assertThatThrownBy(() -> locks.withLock("y", () -> {}))
            .isInstanceOf(LockAcquisitionException.class);
        assertThat(lease.isHeld()).isTrue();
      }
    }

    String first = told.get(1).substring("acquired ".length());
    assertThat(told)
        .startsWith("started x", "acquired " + first, "body " + first, "ended well", "started y")
        .endsWith("ended well", "started y", "ended LockAcquisitionException")
        .hasSize(9);
  }

  @Test
  void call_ofEachForm_isToldHowItEnds() throws Exception {
    LockManager locks = observed("never");
    try (LockManager other = LockManager.builder(store).build();
        Lease held = other.acquire("x")) {
      assertThat(locks.tryAcquire("x")).isEmpty();
      assertThat(locks.tryWithLock("x", () -> {})).isFalse();
      assertThat(locks.tryRunWithLease("x", LockOptions.defaults(), lease -> {})).isFalse();
      assertThat(told).containsOnly("started x", "ended well").hasSize(6);
      told.clear();

      locks.close();
      assertThatThrownBy(() -> locks.tryAcquire("x")).isInstanceOf(IllegalStateException.class);
      assertThatThrownBy(() -> locks.acquire("x")).isInstanceOf(IllegalStateException.class);
      assertThatThrownBy(() -> locks.tryRunWithLease("x", LockOptions.defaults(), lease -> {}))
          .isInstanceOf(IllegalStateException.class);
      assertThatThrownBy(() -> locks.withLock("x", () -> {}))
          .isInstanceOf(IllegalStateException.class);
      assertThat(told)
          .filteredOn("ended LockManagerClosedException"::equals)
          .as("ends of the four calls")
          .hasSize(4);
      assertThat(held.isHeld()).isTrue();
    }
  }

  @Test
  void observer_thatThrows_changesNoCall_whateverItIsTold() throws Exception {
    for (String moment : List.of("started", "acquired", "ended")) {
      try (LockManager locks = observed(moment)) {
        assertThat(locks.withLock("x", () -> "ran")).isEqualTo("ran");
        assertThat(locks.tryWithLock("x", () -> {})).isTrue();
        assertThat(locks.tryAcquire("x").orElseThrow().release()).isEqualTo(ReleaseResult.RELEASED);
        assertThatThrownBy(
                () ->
                    locks.withLock(
                        "x",
                        () -> {
                          throw new UnsupportedOperationException("of the body");
                        }))
            .isInstanceOf(UnsupportedOperationException.class);
      }
    }

    assertThat(told).filteredOn(moment -> moment.startsWith("ended")).hasSize(2 * 4);
  }

  @Test
  void call_thatIsNotValid_isNotObserved() {
    try (LockManager locks = observed("never")) {
      assertThatThrownBy(() -> locks.withLock(" ", () -> {}))
          .isInstanceOf(IllegalArgumentException.class);
    }

    assertThat(told).isEmpty();
  }
}
