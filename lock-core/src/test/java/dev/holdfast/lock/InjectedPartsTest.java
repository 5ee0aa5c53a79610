package dev.holdfast.lock;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.lock.memory.InMemoryLockStore;
import dev.holdfast.lock.store.Incarnation;
import dev.holdfast.lock.store.IncarnationGoneException;
import dev.holdfast.lock.store.ListResult;
import dev.holdfast.lock.store.LockRecord;
import dev.holdfast.lock.store.LockStore;
import dev.holdfast.lock.store.ReadResult;
import dev.holdfast.lock.store.Version;
import dev.holdfast.lock.store.WriteResult;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.Executors;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Locks on real threads, with executors, listeners, schedulers and stores that throw, block, die or
 * run tasks where they should not. The time limits only tell what hangs from what does not.
 */
@Timeout(120)
class InjectedPartsTest {
  private static final long LIVENESS_SECONDS = 60;

  private static final LockOptions SHORT = LockOptions.defaults().withTtl(Duration.ofMillis(600));

  private static final LockOptions WAITING =
      LockOptions.defaults().withWaitTimeout(Duration.ofSeconds(1));

  private final InMemoryLockStore memory = new InMemoryLockStore();
  private final List<Runnable> cleanUps = new ArrayList<>();

  @AfterEach
  void cleanUp() {
    cleanUps.forEach(Runnable::run);
  }

  private LockManager managed(LockManager.Builder builder) {
    LockManager manager = builder.releaseTimeout(Duration.ofSeconds(2)).build();
    cleanUps.add(manager::close);
    return manager;
  }

  private static <T> T get(CompletableFuture<T> future) throws Exception {
    return future.get(LIVENESS_SECONDS, TimeUnit.SECONDS);
  }

  /** What users bring, each harmful in its own way. */
  enum BadExecutor {
    OUT_OF_THREADS {
      @Override
      Executor make() {
        return task -> {
          throw new OutOfMemoryError("unable to create native thread");
        };
      }
    },
    REJECTS {
      @Override
      Executor make() {
        return task -> {
          throw new RejectedExecutionException("shut down");
        };
      }
    },
    RUNS_IN_THE_CALLER {
      @Override
      Executor make() {
        return Runnable::run;
      }
    },
    FORGETS {
      @Override
      Executor make() {
        return task -> {};
      }
    },
    SATURATED {
      @Override
      Executor make() {
        ThreadPoolExecutor pool =
            new ThreadPoolExecutor(
                1,
                1,
                1,
                TimeUnit.SECONDS,
                new ArrayBlockingQueue<>(1),
                task -> {
                  Thread thread = new Thread(task, "saturated");
                  thread.setDaemon(true);
                  return thread;
                },
                new ThreadPoolExecutor.CallerRunsPolicy());
        CountDownLatch never = new CountDownLatch(1);
        for (int i = 0; i < 2; i++) {
          pool.execute(
              () -> {
                try {
                  never.await();
                } catch (InterruptedException e) {
                  throw new AssertionError(e);
                }
              });
        }
        return pool;
      }
    },
    BLOCKS_ITS_CALLER {
      @Override
      Executor make() {
        return task -> {
          try {
            new CountDownLatch(1).await();
          } catch (InterruptedException e) {
            throw new AssertionError(e);
          }
        };
      }
    };

    abstract Executor make();
  }

  @ParameterizedTest
  @EnumSource
  void executor_thatMisbehaves_keepsNoCallFromItsEnd(BadExecutor bad) throws Exception {
    AtomicInteger told = new AtomicInteger();
    LockManager locks =
        managed(
            LockManager.builder(memory)
                .callbackExecutor(bad.make())
                .listener(
                    new LockListener() {
                      @Override
                      public void acquired(String lockId, FencingToken token, Duration waited) {
                        told.incrementAndGet();
                      }
                    }));

    Lease first = get(locks.acquireAsync("x"));
    assertThatThrownBy(() -> locks.acquire("x", WAITING))
        .isInstanceOf(LockAcquisitionException.class);
    assertThat(get(first.releaseAsync())).isEqualTo(ReleaseResult.RELEASED);
    assertThat(locks.withLock("x", () -> "ran")).isEqualTo("ran");
    CountDownLatch lost = new CountDownLatch(1);
    Lease second = get(locks.acquireAsync("x"));
    second.onLost(loss -> lost.countDown());
    assertThat(locks.forceRelease("x")).isTrue();
    assertThat(lost.await(LIVENESS_SECONDS, TimeUnit.SECONDS)).isTrue();
    assertThat(second.release()).isEqualTo(ReleaseResult.NOT_HELD);
    assertThat(locks.tryWithLock("x", () -> {})).isTrue();
    assertThat(get(locks.closeAsync())).isNull();
    assertThat(told).hasPositiveValue();
    assertThat(locks.engine.queues).isEmpty();
  }

  @ParameterizedTest
  @EnumSource
  void executor_thatMisbehaves_letsABodyBeInterruptedWhenItsLeaseIsLost(BadExecutor bad)
      throws Exception {
    SilentStore store = new SilentStore(memory);
    LockManager locks =
        managed(
            LockManager.builder(store)
                .callbackExecutor(bad.make())
                .listener(new LockListener() {}));

    assertThatThrownBy(
            () ->
                locks.withLease(
                    "x",
                    SHORT,
                    lease -> {
                      lease.onLost(
                          loss -> {
                            throw new OutOfMemoryError("in a callback");
                          });
                      store.silent.set(true);
                      return new CountDownLatch(1).await(LIVENESS_SECONDS, TimeUnit.SECONDS);
                    }))
        .isInstanceOfSatisfying(
            LeaseLostException.class,
            loss -> {
              assertThat(loss.reason()).isEqualTo(LeaseLostException.Reason.EXPIRED);
              assertThat(loss).hasCauseInstanceOf(InterruptedException.class);
            });
    store.silent.set(false);
    try (Lease again = locks.acquire("x", SHORT.withWaitTimeout(Duration.ofSeconds(30)))) {
      assertThat(again.isHeld()).isTrue();
    }
  }

  /** A store that can fall silent. */
  private static final class SilentStore extends ForwardingStore {
    final AtomicBoolean silent = new AtomicBoolean();

    SilentStore(LockStore store) {
      super(store);
    }

    @Override
    <T> CompletableFuture<T> forward(Supplier<CompletableFuture<T>> call) {
      return silent.get() ? new CompletableFuture<>() : super.forward(call);
    }
  }

  @Test
  void callbacks_thatBlock_keepNoOtherFutureFromCompleting() throws Exception {
    LockManager locks = managed(LockManager.builder(memory));
    List<CompletableFuture<Lease>> joined = new ArrayList<>();

    for (int i = 0; i < 16; i++) {
      int number = i;
      joined.add(
          locks
              .acquireAsync("outer-" + i)
              .thenApply(outer -> locks.acquireAsync("inner-" + number).join()));
    }

    for (CompletableFuture<Lease> inner : joined) {
      assertThat(get(inner).isHeld()).isTrue();
    }
  }

  @Test
  void waitInAForkJoinPool_runsNoOtherTaskOnItsStack() throws Exception {
    LockManager locks = managed(LockManager.builder(memory));
    // Workers of the common pool would run other tasks, which they take from their own queues:
    // hence a task that brings the others. See argLine in the POM.
    ForkJoinPool pool = ForkJoinPool.commonPool();
    assertThat(pool.getParallelism()).isGreaterThanOrEqualTo(2);
    AtomicInteger ran = new AtomicInteger();
    Runnable job =
        () -> {
          try {
            locks.withLock(
                "job",
                WAITING.withWaitTimeout(Duration.ofSeconds(LIVENESS_SECONDS)),
                () -> {
                  ran.incrementAndGet();
                  Thread.sleep(5);
                });
          } catch (InterruptedException e) {
            throw new AssertionError(e);
          }
        };

    CompletableFuture<List<CompletableFuture<Void>>> brought =
        CompletableFuture.supplyAsync(
            () -> Stream.generate(() -> CompletableFuture.runAsync(job, pool)).limit(20).toList(),
            pool);

    for (CompletableFuture<Void> task : get(brought)) {
      get(task.thenApply(nothing -> "done"));
    }
    assertThat(ran).hasValue(20);
  }

  @Test
  void scheduler_thatIsShutDown_keepsNoCallFromItsEnd() throws Exception {
    ScheduledExecutorService scheduler = Executors.newSingleThreadScheduledExecutor();
    cleanUps.add(scheduler::shutdownNow);
    SilentStore store = new SilentStore(memory);
    LockManager locks = managed(LockManager.builder(store).scheduler(Scheduler.of(scheduler)));
    Lease held = locks.acquire("held");
    CompletableFuture<Lease> waiting = locks.acquireAsync("held", WAITING);

    scheduler.shutdownNow();

    assertThatThrownBy(() -> get(waiting)).hasCauseInstanceOf(LockAcquisitionException.class);
    assertThatThrownBy(() -> locks.acquire("held", WAITING))
        .isInstanceOf(LockAcquisitionException.class);
    store.silent.set(true);
    assertThatThrownBy(() -> locks.acquire("other", WAITING))
        .isInstanceOf(LockStoreUnavailableException.class);
    assertThat(held.release()).isEqualTo(ReleaseResult.UNCONFIRMED);
    locks.close();
    assertThat(locks.engine.isClosed()).isTrue();
  }

  /** A scheduler alone makes no simulation: time is real. */
  @ParameterizedTest
  @EnumSource(BadExecutor.class)
  void badExecutor_besideASchedulerOfTheUsers_keepsNoCallFromItsEnd(BadExecutor bad)
      throws Exception {
    ScheduledExecutorService scheduler = Executors.newSingleThreadScheduledExecutor();
    cleanUps.add(scheduler::shutdownNow);
    LockManager locks =
        managed(
            LockManager.builder(memory)
                .scheduler(Scheduler.of(scheduler))
                .callbackExecutor(bad.make()));

    Caller<CompletableFuture<Lease>> call = Caller.of(() -> locks.acquireAsync("x", SHORT));

    assertThat(get(get(call.result()).releaseAsync())).isEqualTo(ReleaseResult.RELEASED);
  }

  @Test
  void store_thatBlocksItsCaller_holdsUpNoOtherCallBeyondItsTime() throws Exception {
    CountDownLatch stuck = new CountDownLatch(1);
    CountDownLatch mayGoOn = new CountDownLatch(1);
    cleanUps.add(0, mayGoOn::countDown);
    LockStore blocking =
        new ForwardingStore(memory) {
          @Override
          public CompletableFuture<WriteResult> create(LockRecord record) {
            stuck.countDown();
            try {
              mayGoOn.await();
            } catch (InterruptedException e) {
              throw new AssertionError(e);
            }
            return super.create(record);
          }
        };
    LockManager locks = managed(LockManager.builder(blocking));
    LockOptions patient = WAITING.withWaitTimeout(Duration.ofSeconds(LIVENESS_SECONDS));
    Caller<Lease> first = Caller.of(() -> locks.acquire("x", patient));
    stuck.await();

    assertThatThrownBy(() -> locks.acquire("x", WAITING))
        .isInstanceOf(LockStoreUnavailableException.class)
        .hasMessageContaining("stuck");

    mayGoOn.countDown();
    first.result().close();
  }

  private static class ForwardingStore implements LockStore {
    private final LockStore store;

    ForwardingStore(LockStore store) {
      this.store = store;
    }

    <T> CompletableFuture<T> forward(Supplier<CompletableFuture<T>> call) {
      return call.get();
    }

    @Override
    public CompletableFuture<WriteResult> create(LockRecord record) {
      return forward(() -> store.create(record));
    }

    @Override
    public CompletableFuture<WriteResult> replace(LockRecord record, Version expected) {
      return forward(() -> store.replace(record, expected));
    }

    @Override
    public CompletableFuture<WriteResult> delete(String lockId, Version expected) {
      return forward(() -> store.delete(lockId, expected));
    }

    @Override
    public CompletableFuture<ReadResult> read(String lockId) {
      return forward(() -> store.read(lockId));
    }

    @Override
    public CompletableFuture<ListResult> list(int limit) {
      return forward(() -> store.list(limit));
    }

    @Override
    public String description() {
      return store.description();
    }
  }

  @Test
  void error_ofTheStore_isThrownAsItIs_andIsNoOutage() {
    LinkageError broken = new NoSuchMethodError("in a client of another version");
    LockStore store =
        new ForwardingStore(memory) {
          @Override
          public CompletableFuture<WriteResult> create(LockRecord record) {
            throw broken;
          }

          @Override
          public CompletableFuture<ReadResult> read(String lockId) {
            return CompletableFuture.failedFuture(broken);
          }
        };
    LockManager locks = managed(LockManager.builder(store));

    assertThatThrownBy(() -> locks.acquire("x")).isSameAs(broken);
    assertThatThrownBy(() -> locks.acquire("x", WAITING)).isSameAs(broken);
    assertThatThrownBy(() -> get(locks.acquireAsync("x"))).hasCause(broken);
    assertThatThrownBy(() -> locks.find("x")).isSameAs(broken);
  }

  @Test
  void store_whoseFutureFailsInAnotherStage_isUnavailableForTheCauseOfThat() {
    IllegalStateException cause = new IllegalStateException("broken");
    LockStore store =
        new ForwardingStore(memory) {
          @Override
          public CompletableFuture<ReadResult> read(String lockId) {
            return CompletableFuture.failedFuture(new CompletionException(cause));
          }
        };
    LockManager locks = managed(LockManager.builder(store));

    assertThatThrownBy(() -> locks.find("x"))
        .isInstanceOf(LockStoreUnavailableException.class)
        .cause()
        .isSameAs(cause);
  }

  @Test
  void stackThatEnds_inTheMidstOfTheEngine_leavesTheLockUsable() throws Exception {
    LockManager locks = managed(LockManager.builder(memory));
    for (int round = 0; round < 20; round++) {
      assertThatThrownBy(() -> locks.withLease("x", lease -> useUntilTheStackEnds(locks, lease, 0)))
          .isInstanceOf(StackOverflowError.class);

      Lease again =
          locks.acquire("x", WAITING.withWaitTimeout(Duration.ofSeconds(LIVENESS_SECONDS)));
      assertThat(again.release()).isEqualTo(ReleaseResult.RELEASED);
    }
  }

  @SuppressWarnings("InfiniteRecursion") // On purpose.
  private static int useUntilTheStackEnds(LockManager locks, Lease lease, int depth)
      throws InterruptedException {
    if (depth % 50 == 49) {
      boolean renewed = lease.renew();
      boolean other = locks.tryAcquire("y-" + depth).map(ForgetfulCaller::giveBack).isPresent();
      assertThat(renewed || other).isIn(true, false);
    }
    return useUntilTheStackEnds(locks, lease, depth + 1) + 1;
  }

  private static final class ForgetfulCaller {
    static ReleaseResult giveBack(Lease lease) {
      return lease.release();
    }
  }

  /** What a manager is given, and may throw at any call. */
  enum Part {
    TICKER,
    WALL_CLOCK,
    RANDOM,
    TOKENS,
    SCHEDULER
  }

  @ParameterizedTest
  @EnumSource
  void part_thatThrowsOnce_atAnyCall_leavesNoFutureOpen_andTheLockUsable(Part part)
      throws Exception {
    for (int call = 1; call <= 40; call++) {
      AtomicInteger left = new AtomicInteger(Integer.MAX_VALUE);
      AtomicInteger token = new AtomicInteger();
      Ticker ticker = Ticker.system();
      Random random = new Random(call);
      Runnable point =
          () -> {
            if (left.decrementAndGet() == 0) {
              throw new OutOfMemoryError("at a call that the test chose");
            }
          };
      Runnable none = () -> {};
      Runnable inTicker = part == Part.TICKER ? point : none;
      Runnable inWall = part == Part.WALL_CLOCK ? point : none;
      Runnable inRandom = part == Part.RANDOM ? point : none;
      Runnable inTokens = part == Part.TOKENS ? point : none;
      Runnable inScheduler = part == Part.SCHEDULER ? point : none;
      ScheduledExecutorService threads = Executors.newSingleThreadScheduledExecutor();
      cleanUps.add(threads::shutdownNow);
      Scheduler scheduler = Scheduler.of(threads);
      LockManager locks =
          managed(
              LockManager.builder(memory)
                  .ticker(
                      () -> {
                        inTicker.run();
                        return ticker.nanos();
                      })
                  .wallClock(
                      () -> {
                        inWall.run();
                        return Instant.now();
                      })
                  .random(
                      () -> {
                        inRandom.run();
                        return random.nextLong();
                      })
                  .tokens(
                      () -> {
                        inTokens.run();
                        return part + "-" + token.incrementAndGet() + "-" + left;
                      })
                  .scheduler(
                      (task, delay) -> {
                        inScheduler.run();
                        return scheduler.schedule(task, delay);
                      }));
      left.set(call);

      String id = part + "-" + call;
      for (int i = 0; i < 3; i++) {
        try {
          Lease lease = get(locks.acquireAsync(id, SHORT.withWaitTimeout(Duration.ofSeconds(5))));
          assertThat(get(lease.releaseAsync())).isNotNull();
        } catch (ExecutionException | OutOfMemoryError e) {
          assertThat(e).hasStackTraceContaining("that the test chose");
        }
      }
      left.set(Integer.MAX_VALUE);
      Lease again = locks.acquire(id, SHORT.withWaitTimeout(Duration.ofSeconds(LIVENESS_SECONDS)));
      assertThat(again.release()).isIn(ReleaseResult.RELEASED, ReleaseResult.UNCONFIRMED);
      locks.close();
      threads.shutdownNow();
    }
  }

  // --- Interrupts

  @Test
  void bodies_oneInAnother_thatAllLoseTheirLeases_areAllInterrupted() {
    LockManager locks = managed(LockManager.builder(memory));
    AtomicInteger interrupts = new AtomicInteger();
    Runnable take =
        () -> {
          if (Thread.interrupted()) {
            interrupts.incrementAndGet();
          }
        };

    assertThatThrownBy(
            () ->
                locks.withLock(
                    "outer",
                    () -> {
                      assertThatThrownBy(
                              () ->
                                  locks.withLock(
                                      "inner",
                                      () -> {
                                        assertThat(locks.forceRelease("outer")).isTrue();
                                        assertThat(locks.forceRelease("inner")).isTrue();
                                        take.run();
                                      }))
                          .isInstanceOf(LeaseLostException.class);
                      take.run();
                    }))
        .isInstanceOf(LeaseLostException.class);

    assertThat(interrupts).as("each body takes its own").hasValue(2);
    assertThat(Thread.interrupted()).as("an interrupt was left behind").isFalse();
  }

  @Test
  void body_thatLosesItsLease_whileAnInnerOneTakesItsInterrupt_isInterruptedAgain()
      throws Exception {
    LockManager locks = managed(LockManager.builder(memory));
    AtomicBoolean interrupted = new AtomicBoolean();

    assertThatThrownBy(
            () ->
                locks.withLock(
                    "outer",
                    () -> {
                      locks.withLock(
                          "inner",
                          () -> {
                            assertThat(locks.forceRelease("outer")).isTrue();
                            assertThat(Thread.interrupted()).isTrue();
                          });
                      interrupted.set(Thread.interrupted());
                    }))
        .isInstanceOf(LeaseLostException.class);

    assertThat(interrupted).isTrue();
    assertThat(Thread.interrupted()).as("an interrupt was left behind").isFalse();
  }

  /** Such as one that cleans up, under another lock, after it was interrupted. */
  @Test
  void body_thatHasTakenItsInterrupt_isNotInterruptedAgain_byTheEndOfALaterInnerOne() {
    LockManager locks = managed(LockManager.builder(memory));
    AtomicBoolean again = new AtomicBoolean();

    assertThatThrownBy(
            () ->
                locks.withLock(
                    "outer",
                    () -> {
                      assertThat(locks.forceRelease("outer")).isTrue();
                      assertThat(Thread.interrupted()).isTrue();
                      locks.withLock("inner", () -> {});
                      again.set(Thread.interrupted());
                    }))
        .isInstanceOf(LeaseLostException.class);

    assertThat(again).isFalse();
    assertThat(Thread.interrupted()).as("an interrupt was left behind").isFalse();
  }

  @Test
  void interrupt_fromElsewhere_thatCameBeforeTheLoss_survivesIt() {
    LockManager locks = managed(LockManager.builder(memory));

    assertThatThrownBy(
            () ->
                locks.withLock(
                    "x",
                    () -> {
                      Thread.currentThread().interrupt();
                      assertThat(locks.forceRelease("x")).isTrue();
                      assertThat(Thread.interrupted()).isTrue();
                    }))
        .isInstanceOf(LeaseLostException.class);

    assertThat(Thread.interrupted()).isTrue();
  }

  @Test
  void interrupt_fromElsewhere_afterTheBodyHasTakenOurs_survivesTheLoss() {
    LockManager locks = managed(LockManager.builder(memory));

    assertThatThrownBy(
            () ->
                locks.withLock(
                    "x",
                    () -> {
                      assertThat(locks.forceRelease("x")).isTrue();
                      assertThat(Thread.interrupted()).isTrue();
                      Thread.currentThread().interrupt();
                      throw new InterruptedException("ours");
                    }))
        .isInstanceOf(LeaseLostException.class);

    assertThat(Thread.interrupted()).isTrue();
  }

  // --- Losses that only the release shows

  @Test
  void lock_thatAnotherTookMeanwhile_endsTheCallInALoss() throws Exception {
    LockManager locks = managed(LockManager.builder(memory));
    LockManager others = managed(LockManager.builder(memory));
    List<Lease> theirs = new ArrayList<>();

    assertThatThrownBy(
            () ->
                locks.withLock(
                    "x",
                    () -> {
                      assertThat(others.forceRelease("x")).isTrue();
                      theirs.add(others.acquire("x"));
                      awaitAnotherMillisecond();
                    }))
        .isInstanceOfSatisfying(
            LeaseLostException.class,
            loss -> assertThat(loss.reason()).isEqualTo(LeaseLostException.Reason.TAKEN_OVER));

    assertThat(theirs.get(0).release()).isEqualTo(ReleaseResult.RELEASED);
    Lease lease = locks.acquire("x");
    assertThat(others.forceRelease("x")).isTrue();
    try (Lease their = others.acquire("x")) {
      awaitAnotherMillisecond();
      assertThatThrownBy(lease::close).isInstanceOf(LeaseLostException.class);
      assertThat(their.isHeld()).isTrue();
    }
  }

  /** Records say in milliseconds when they were made. */
  private static void awaitAnotherMillisecond() {
    long now = System.currentTimeMillis();
    while (System.currentTimeMillis() <= now) {
      Thread.onSpinWait();
    }
  }

  @Test
  void index_thatWasReplacedMeanwhile_endsTheCallInALoss() {
    LockManager locks = managed(LockManager.builder(memory));

    assertThatThrownBy(() -> locks.withLock("x", () -> memory.recreate(1)))
        .isInstanceOfSatisfying(
            LeaseLostException.class,
            loss -> assertThat(loss.reason()).isEqualTo(LeaseLostException.Reason.INDEX_REPLACED));
  }

  /** Such as one that looks by itself whether its index was replaced. */
  @Test
  void incarnation_thatTheStoreFindsGone_endsItsLeasesAtOnce_whateverTheirTtl() throws Exception {
    List<Consumer<IncarnationGoneException>> listeners = new ArrayList<>();
    LockStore telling =
        new ForwardingStore(memory) {
          @Override
          public Runnable onIncarnationGone(Consumer<IncarnationGoneException> listener) {
            listeners.add(listener);
            return () -> listeners.remove(listener);
          }
        };
    LockManager locks = managed(LockManager.builder(telling));
    Lease lease = locks.acquire("x", LockOptions.defaults().withTtl(Duration.ofHours(24)));
    CompletableFuture<LeaseLostException> lost = new CompletableFuture<>();
    lease.onLost(lost::complete);
    Incarnation incarnation = ((ReadResult.Found) get(memory.read("x"))).version().incarnation();

    listeners.forEach(
        listener -> listener.accept(IncarnationGoneException.replaced(incarnation, "swapped")));

    assertThat(lease.isHeld()).isFalse();
    assertThat(get(lost).reason()).isEqualTo(LeaseLostException.Reason.INDEX_REPLACED);
    assertThat(get(lost)).hasMessageContaining("swapped");
    locks.close();
    assertThat(listeners).isEmpty();
  }

  // --- Threads

  @Test
  void threads_ofAManager_haveNothingOfTheThreadThatMadeThem() throws Exception {
    InheritableThreadLocal<String> inherited = new InheritableThreadLocal<>();
    ClassLoader before = Thread.currentThread().getContextClassLoader();
    ClassLoader application = new ClassLoader(before) {};
    inherited.set("of an application");
    Thread.currentThread().setContextClassLoader(application);
    try {
      LockManager locks = managed(LockManager.builder(memory));
      List<String> values = new ArrayList<>();
      CompletableFuture<LeaseLostException> lost = new CompletableFuture<>();
      Lease lease = get(locks.acquireAsync("x"));
      lease.onLost(
          loss -> {
            values.add(Thread.currentThread().getName() + ": " + inherited.get());
            lost.complete(loss);
          });
      assertThat(locks.forceRelease("x")).isTrue();
      assertThat(get(lost)).isNotNull();
      assertThat(Thread.getAllStackTraces().keySet())
          .filteredOn(thread -> thread.getName().startsWith("holdfast-"))
          .isNotEmpty()
          .noneMatch(thread -> thread.getContextClassLoader() == application);
      assertThat(values).containsExactly("holdfast-callback: null");
    } finally {
      Thread.currentThread().setContextClassLoader(before);
      inherited.remove();
    }
  }

  @Test
  void renewal_thatIsNotAnswered_endsWithinTheRequestTimeout() throws Exception {
    SilentStore store = new SilentStore(memory);
    LockManager locks = managed(LockManager.builder(store).requestTimeout(Duration.ofMillis(300)));
    Lease lease = locks.acquire("x");
    store.silent.set(true);
    long since = System.nanoTime();

    assertThat(lease.renew()).isFalse();

    assertThat(Duration.ofNanos(System.nanoTime() - since)).isLessThan(Duration.ofSeconds(20));
    store.silent.set(false);
    assertThat(lease.release()).isIn(ReleaseResult.RELEASED, ReleaseResult.UNCONFIRMED);
  }
}
