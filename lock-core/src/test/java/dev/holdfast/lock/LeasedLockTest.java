package dev.holdfast.lock;

import static dev.holdfast.lock.ScriptedStore.CREATE;
import static dev.holdfast.lock.ScriptedStore.DELETE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.lock.LeaseLostException.Reason;
import dev.holdfast.lock.store.WriteResult;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Lock;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A lock as java.util.concurrent has it. */
@SuppressWarnings("LockNotBeforeTry") // A test that fails may leave its lock behind.
class LeasedLockTest extends OnVirtualTime {
  private static final long LIVENESS_SECONDS = 30;

  private final Lock lock = a.manager.asLock("x", World.ONE_ATTEMPT);

  @AfterEach
  void nothingIsKept() {
    assertThat(Thread.interrupted()).as("an interrupt was left behind").isFalse();
    assertThat(a.manager.localLocks.isEmpty()).as("no local lock is kept").isTrue();
  }

  // --- Holding

  @Test
  void lock_isHeldAcrossProcesses_untilUnlock() {
    lock.lock();
    assertThat(b.canAcquire("x")).isFalse();

    lock.unlock();

    assertThat(b.canAcquire("x")).isTrue();
  }

  @Test
  void lock_thatIsNested_isAcquiredOnce_andFreedByTheOutermostUnlock() throws Exception {
    lock.lock();
    lock.lockInterruptibly();
    assertThat(lock.tryLock()).isTrue();
    assertThat(lock.tryLock(1, TimeUnit.SECONDS)).isTrue();
    assertThat(a.store.count(CREATE)).isEqualTo(1);

    lock.unlock();
    lock.unlock();
    lock.unlock();
    assertThat(a.store.isFree("x")).isFalse();
    lock.unlock();

    assertThat(a.store.isFree("x")).isTrue();
    assertThat(a.store.count(DELETE)).isEqualTo(1);
  }

  @Test
  void locks_ofOneIdOfAManager_areOneLock() throws Exception {
    Lock other = a.manager.asLock("x", World.ONE_ATTEMPT);
    lock.lock();

    assertThat(other.tryLock()).as("the same thread").isTrue();
    assertThat(Caller.of(other::tryLock).result()).as("another thread").isFalse();
    assertThat(Caller.of(() -> other.tryLock(1, TimeUnit.MILLISECONDS)).result()).isFalse();
    other.unlock();
    assertThat(Caller.of(other::tryLock).result()).as("still held").isFalse();
    other.unlock();

    assertThat(
            Caller.of(
                    () -> {
                      boolean locked = other.tryLock();
                      lock.unlock();
                      return locked;
                    })
                .result())
        .isTrue();
    assertThat(a.store.isFree("x")).isTrue();
  }

  @Test
  void lock_ofAnotherThread_isWaitedForInOrder() throws Exception {
    List<String> order = new ArrayList<>();
    lock.lock();
    Caller<Void> first = Caller.of(() -> visit("first", order));
    await(() -> waiters() == 1);
    Caller<Void> second = Caller.of(() -> visit("second", order));
    await(() -> waiters() == 2);
    a.store.clear();

    lock.unlock();
    first.result();
    second.result();

    assertThat(order).containsExactly("first", "second");
  }

  @SuppressWarnings("NullAway") // The checker does not look into type arguments.
  private Void visit(String name, List<String> order) {
    lock.lock();
    order.add(name);
    lock.unlock();
    return null;
  }

  /** How many threads wait for this one. */
  private int waiters() {
    return Objects.requireNonNull(a.manager.localLocks.ofCurrentThread("x")).mutex.getQueueLength();
  }

  // --- Contention

  @Test
  void tryLock_ofALockThatAnotherProcessHolds_isFalse_andHoldsNothing() throws Exception {
    Lease other = b.acquire("x");

    assertThat(lock.tryLock()).isFalse();
    assertThat(lock.tryLock(0, TimeUnit.SECONDS)).isFalse();
    assertThat(lock.tryLock(-1, TimeUnit.SECONDS)).isFalse();
    assertThat(a.manager.localLocks.isEmpty()).isTrue();

    other.close();
    assertThat(
            Caller.of(
                    () -> {
                      boolean locked = lock.tryLock();
                      lock.unlock();
                      return locked;
                    })
                .result())
        .as("another thread, afterwards")
        .isTrue();
  }

  @Test
  void tryLock_withATime_waitsForThatLong_whateverTheOptionsSay() throws Exception {
    Lease other = b.acquire("x");
    Lock patient = a.manager.asLock("x", World.PATIENT);
    Caller<Boolean> call = Caller.of(() -> patient.tryLock(3, TimeUnit.SECONDS)).awaitBlocked();

    advance(seconds(3).minus(MILLI));
    assertThat(a.manager.engine.queues).as("it waits").isNotEmpty();
    advance(MILLI);

    assertThat(call.result()).isFalse();
    other.close();
  }

  @Test
  void tryLock_withAShortTime_hearsTheStoreOut() throws Exception {
    Lease other = b.acquire("x");
    a.store.next(CREATE, ScriptedStore.late(a.machine, seconds(1)));
    Caller<Boolean> call = Caller.of(() -> lock.tryLock(1, TimeUnit.MILLISECONDS)).awaitBlocked();

    advance(seconds(1));

    assertThat(call.result()).isFalse();
    other.close();
  }

  @Test
  void tryLock_withATime_isTrueWhenTheLockBecomesFree() throws Exception {
    Lease other = b.acquire("x");
    Caller<Boolean> call =
        Caller.of(
                () -> {
                  boolean locked = lock.tryLock(Long.MAX_VALUE, TimeUnit.DAYS);
                  lock.unlock();
                  return locked;
                })
            .awaitBlocked();
    advance(seconds(1));

    other.close();
    advance(seconds(1));

    assertThat(call.result()).isTrue();
  }

  @Test
  void tryLock_thatFails_letsTheNextThreadOfThisProcessTry() throws Exception {
    Lease other = b.acquire("x");
    Caller<Boolean> first = Caller.of(() -> lock.tryLock(3, TimeUnit.SECONDS)).awaitBlocked();
    LocalLocks.LocalLock local = a.manager.localLocks.enter("x");
    Caller<Boolean> second = Caller.of(this::lockAndUnlock);
    await(local.mutex::hasQueuedThreads);
    a.manager.localLocks.leave("x");
    advance(seconds(3));
    assertThat(first.result()).isFalse();

    second.awaitBlocked();
    other.close();
    advanceUntil(second::isDone);

    assertThat(second.result()).as("interrupted").isFalse();
  }

  @Test
  void lock_thatAnotherProcessHolds_isWaitedForWithoutALimit() throws Exception {
    Lease other = b.acquire("x");
    Caller<Boolean> call = Caller.of(this::lockAndUnlock).awaitBlocked();
    for (int round = 0; round < 4; round++) {
      endRound(call);
    }
    assertThat(call.isDone()).isFalse();

    other.close();

    advanceUntil(call::isDone);
    assertThat(call.result()).as("interrupted").isFalse();
  }

  /** Locks and unlocks, and returns whether the thread was interrupted in between. */
  private boolean lockAndUnlock() {
    lock.lock();
    boolean interrupted = Thread.interrupted();
    lock.unlock();
    return interrupted;
  }

  /** Ends one round of a wait, and waits until the first attempt of the next one has ended. */
  private void endRound(Caller<?> call) {
    int rounds = a.store.count(CREATE);
    advance(LeasedLock.MIN_PATIENCE);
    // Each begins with one, since the lock may be free; later attempts begin with a read.
    await(() -> a.store.count(CREATE) > rounds);
    call.awaitBlocked();
  }

  // --- Outages

  @Test
  void tryLock_inAnOutage_isAnException_andHoldsNothing() {
    a.store.goDown();

    assertThatExceptionOfType(LockStoreUnavailableException.class).isThrownBy(lock::tryLock);
    assertThatExceptionOfType(LockStoreUnavailableException.class)
        .isThrownBy(() -> lock.tryLock(0, TimeUnit.SECONDS));
  }

  @Test
  void lock_inAnOutage_isAnExceptionAfterTenSeconds_andHoldsNothing() throws Exception {
    a.store.goDown();
    Caller<Boolean> call = Caller.of(this::lockAndUnlock).awaitBlocked();

    advance(LeasedLock.MIN_PATIENCE.minus(MILLI));
    assertThat(a.manager.engine.queues).as("it waits").isNotEmpty();
    advance(MILLI);

    assertThat(call.failure()).isInstanceOf(LockStoreUnavailableException.class);
    a.store.heal();
    assertThat(Caller.of(this::lockAndUnlock).result()).isFalse();
  }

  @Test
  void lock_inAnOutage_waitsAsLongAsTheOptionsSay() throws Exception {
    a.store.goDown();
    Lock patient = a.manager.asLock("x", World.ONE_ATTEMPT.withWaitTimeout(seconds(60)));
    Caller<Boolean> call =
        Caller.of(
                () -> {
                  patient.lockInterruptibly();
                  return true;
                })
            .awaitBlocked();

    advance(seconds(60).minus(MILLI));
    assertThat(a.manager.engine.queues).as("it waits").isNotEmpty();
    advance(MILLI);

    assertThat(call.failure()).isInstanceOf(LockStoreUnavailableException.class);
  }

  @Test
  void lock_thatIsRejected_isAnExceptionAtOnce() {
    a.store.always(
        CREATE,
        ScriptedStore.answering(new WriteResult.Rejected(new IllegalStateException("forbidden"))));

    assertThatThrownBy(lock::lock)
        .isInstanceOfSatisfying(
            LockStoreUnavailableException.class, e -> assertThat(e.isRetryable()).isFalse());
  }

  @Test
  void lock_thatIsHeld_survivesAnOutageThatIsShorterThanARound_andNotALongerOne() throws Exception {
    Lease other = b.acquire("x", World.ONE_ATTEMPT.withTtl(LockOptions.MAX_TTL));
    Caller<Boolean> call = Caller.of(this::lockAndUnlock).awaitBlocked();
    endRound(call);
    a.store.goDown();
    endRound(call);
    a.store.heal();
    endRound(call);
    assertThat(call.isDone()).as("after a short one").isFalse();

    a.store.goDown();
    endRound(call);
    assertThat(call.isDone()).as("after one round").isFalse();
    advance(LeasedLock.MIN_PATIENCE);

    assertThat(call.failure()).isInstanceOf(LockStoreUnavailableException.class);
    other.close();
  }

  // --- Interrupts

  @Test
  void lock_ofAThreadThatIsInterrupted_goesOnWaiting_andKeepsTheInterrupt() throws Exception {
    Lease other = b.acquire("x");
    Caller<Boolean> call = Caller.of(this::lockAndUnlock).awaitBlocked();
    advance(seconds(1));
    int waits = a.events.all().size();

    call.interrupt();
    call.awaitBlocked();
    advance(seconds(1));
    assertThat(a.events.all()).as("the same wait").hasSize(waits);
    other.close();
    advance(seconds(1));

    assertThat(call.result()).as("interrupted").isTrue();
  }

  @Test
  void tryLock_ofAThreadThatIsInterrupted_makesItsAttempt() {
    Thread.currentThread().interrupt();

    assertThat(lock.tryLock()).isTrue();
    assertThat(Thread.interrupted()).isTrue();

    lock.unlock();
  }

  @Test
  void lockInterruptibly_ofAThreadThatIsInterrupted_ends_andHoldsNothing() throws Exception {
    Lease other = b.acquire("x");
    Caller<Boolean> call =
        Caller.of(
                () -> {
                  lock.lockInterruptibly();
                  return true;
                })
            .awaitBlocked();

    call.interrupt();

    assertThat(call.failure()).isInstanceOf(InterruptedException.class);
    other.close();
    advance(seconds(1));
    assertThat(a.store.isFree("x")).isTrue();
  }

  @Test
  void lockInterruptibly_behindAThreadOfThisProcess_endsToo() throws Exception {
    lock.lock();
    Caller<Boolean> call = Caller.of(() -> lock.tryLock(1, TimeUnit.HOURS));
    await(() -> waiters() == 1);

    call.interrupt();

    assertThat(call.failure()).isInstanceOf(InterruptedException.class);
    lock.unlock();
  }

  // --- Unlocking

  @Test
  void unlock_byAThreadThatDoesNotHoldIt_isIllegal_andFreesNothing() throws Exception {
    assertThatExceptionOfType(IllegalMonitorStateException.class).isThrownBy(lock::unlock);
    lock.lock();

    Caller<Boolean> call =
        Caller.of(
            () -> {
              lock.unlock();
              return true;
            });

    assertThat(call.failure())
        .isInstanceOf(IllegalMonitorStateException.class)
        .hasMessageContaining("\"x\"");
    assertThat(a.store.isFree("x")).isFalse();
    lock.unlock();
  }

  @Test
  void unlock_afterALoss_isAnException_andTheLocalLockIsFree() throws Exception {
    lock.lock();
    a.store.cutOff();
    advance(World.VALIDITY.plus(MILLI));
    assertThat(Thread.currentThread().isInterrupted()).as("nobody is interrupted").isFalse();
    a.store.heal();

    assertThatThrownBy(lock::unlock)
        .isInstanceOfSatisfying(
            LeaseLostException.class, e -> assertThat(e.reason()).isEqualTo(Reason.EXPIRED));

    advance(World.TTL);
    assertThat(Caller.of(this::lockAndUnlock).result()).isFalse();
  }

  @Test
  void loss_ofANestedLock_showsAtEachUnlock_andWhenItIsLockedAgain() {
    lock.lock();
    lock.lock();
    a.store.cutOff();
    advance(World.VALIDITY.plus(MILLI));

    assertThatExceptionOfType(LeaseLostException.class).isThrownBy(lock::lock);
    assertThatExceptionOfType(LeaseLostException.class).isThrownBy(lock::tryLock);
    assertThatExceptionOfType(LeaseLostException.class).isThrownBy(lock::unlock);
    assertThatExceptionOfType(LeaseLostException.class).isThrownBy(lock::unlock);
    assertThatExceptionOfType(IllegalMonitorStateException.class).isThrownBy(lock::unlock);
  }

  @Test
  void loss_thatNobodyHasNoticed_showsAtUnlock() {
    lock.lock();
    a.machine.pause();
    advance(World.TTL);

    assertThatExceptionOfType(LeaseLostException.class).isThrownBy(lock::unlock);
  }

  // --- The lease

  @Test
  void currentLease_isThatOfTheThreadThatHoldsTheLock() throws Exception {
    assertThat(a.manager.currentLease("x")).isEmpty();
    lock.lock();

    Lease lease = a.manager.currentLease("x").orElseThrow();
    assertThat(lease.isHeld()).isTrue();
    assertThat(lease.token()).isEqualTo(a.store.found("x").record().token());
    assertThat(Caller.of(() -> a.manager.currentLease("x")).result()).isEmpty();
    assertThat(a.manager.currentLease("y")).isEmpty();

    lock.unlock();
    assertThat(a.manager.currentLease("x")).isEmpty();
    assertThat(lease.isHeld()).isFalse();
  }

  @Test
  void currentLease_notifiesOfTheLoss() {
    List<LeaseLostException> told = new ArrayList<>();
    lock.lock();
    a.manager.currentLease("x").orElseThrow().onLost(told::add);

    a.store.cutOff();
    advance(World.VALIDITY.plus(MILLI));

    assertThat(told).hasSize(1);
    assertThat(a.manager.currentLease("x").map(Lease::isHeld)).contains(false);
    assertThatExceptionOfType(LeaseLostException.class).isThrownBy(lock::unlock);
  }

  // --- Other calls of the manager

  @Test
  void lock_insideABodyUnderTheSameLock_isAnException() throws Exception {
    a.manager.withLock(
        "x",
        () ->
            assertThatExceptionOfType(LockAcquisitionException.class)
                .isThrownBy(lock::lock)
                .withMessageContaining("not reentrant"));
  }

  @Test
  void lock_andOtherCallsOfTheManager_excludeEachOther() throws Exception {
    lock.lock();
    assertThat(a.manager.tryAcquire("x")).isEmpty();
    lock.unlock();

    Lease lease = a.acquire("x");
    assertThat(lock.tryLock()).isFalse();
    lease.close();
  }

  @Test
  void newCondition_isNotSupported() {
    assertThatExceptionOfType(UnsupportedOperationException.class).isThrownBy(lock::newCondition);
  }

  // --- close()

  @Test
  void close_whileItIsHeld_releasesIt_andUnlockSaysSo() {
    lock.lock();

    assertThat(world.now(a.manager.closeAsync())).isNull();

    assertThat(b.canAcquire("x")).isTrue();
    assertThatThrownBy(lock::unlock)
        .isInstanceOfSatisfying(
            LeaseLostException.class, e -> assertThat(e.reason()).isEqualTo(Reason.MANAGER_CLOSED));
    assertThatExceptionOfType(IllegalStateException.class).isThrownBy(lock::lock);
  }

  @Test
  void close_endsWaits() throws Exception {
    Lease other = b.acquire("x");
    Caller<Boolean> call = Caller.of(this::lockAndUnlock).awaitBlocked();

    assertThat(world.now(a.manager.closeAsync())).isNull();

    assertThat(call.failure()).hasMessageContaining("closed");
    other.close();
  }

  @Test
  void close_endsWaitsBehindAThreadOfThisProcess_whenThatHasUnlocked() throws Exception {
    lock.lock();
    Caller<Boolean> call = Caller.of(this::lockAndUnlock);
    await(() -> waiters() == 1);

    assertThat(world.now(a.manager.closeAsync())).isNull();
    assertThatExceptionOfType(LeaseLostException.class).isThrownBy(lock::unlock);

    assertThat(call.failure()).hasMessageContaining("closed");
  }

  // --- Waiting for other threads

  /** Waits on real time for what another thread does. */
  private static void await(BooleanSupplier condition) {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(LIVENESS_SECONDS);
    while (!condition.getAsBoolean()) {
      assertThat(System.nanoTime()).as("another thread is stuck").isLessThan(deadline);
      Thread.onSpinWait();
    }
  }

  /**
   * Moves the clocks as long as another thread waits for that. Not while it holds the lock: it may
   * not run for so long that its lease would end.
   */
  private void advanceUntil(BooleanSupplier condition) {
    await(
        () -> {
          if (a.manager.stats().held() == 0) {
            advance(MILLI.multipliedBy(10));
          } else {
            world.time.settle();
          }
          return condition.getAsBoolean();
        });
  }
}
