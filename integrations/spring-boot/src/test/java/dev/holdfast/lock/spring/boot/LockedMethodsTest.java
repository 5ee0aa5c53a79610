package dev.holdfast.lock.spring.boot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.holdfast.lock.Lease;
import dev.holdfast.lock.LeaseLostException;
import dev.holdfast.lock.LockAcquisitionException;
import dev.holdfast.lock.LockInfo;
import dev.holdfast.lock.LockManager;
import dev.holdfast.lock.LockOptions;
import dev.holdfast.lock.LockStoreUnavailableException;
import dev.holdfast.lock.memory.InMemoryLockStore;
import dev.holdfast.lock.spring.boot.Locked.OnContention;
import dev.holdfast.lock.store.LockStore;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.math.BigDecimal;
import java.nio.CharBuffer;
import java.time.Duration;
import java.time.LocalDate;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.autoconfigure.aop.AopAutoConfiguration;
import org.springframework.boot.autoconfigure.context.PropertyPlaceholderAutoConfiguration;
import org.springframework.boot.autoconfigure.task.TaskExecutionAutoConfiguration;
import org.springframework.boot.autoconfigure.task.TaskSchedulingAutoConfiguration;
import org.springframework.boot.jdbc.autoconfigure.DataSourceAutoConfiguration;
import org.springframework.boot.jdbc.autoconfigure.DataSourceTransactionManagerAutoConfiguration;
import org.springframework.boot.task.ThreadPoolTaskSchedulerCustomizer;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.boot.transaction.autoconfigure.TransactionAutoConfiguration;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.annotation.AliasFor;
import org.springframework.scheduling.annotation.Async;
import org.springframework.scheduling.annotation.EnableAsync;
import org.springframework.scheduling.annotation.EnableScheduling;
import org.springframework.scheduling.annotation.Scheduled;
import org.springframework.test.util.AopTestUtils;
import org.springframework.transaction.annotation.EnableTransactionManagement;
import org.springframework.transaction.annotation.Transactional;
import org.springframework.transaction.support.TransactionSynchronization;
import org.springframework.transaction.support.TransactionSynchronizationManager;
import org.springframework.transaction.support.TransactionTemplate;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** {@link Locked} methods in real contexts, on a store in memory. */
@Timeout(120)
class LockedMethodsTest {
  private final InMemoryLockStore store = new InMemoryLockStore();

  private final ApplicationContextRunner runner =
      new ApplicationContextRunner()
          .withConfiguration(
              AutoConfigurations.of(
                  PropertyPlaceholderAutoConfiguration.class,
                  AopAutoConfiguration.class,
                  HoldfastAutoConfiguration.class))
          .withBean(LockStore.class, () -> store);

  /** Another process, on the same store. */
  private LockManager other() {
    return LockManager.create(store);
  }

  private interface Task<T> {
    void run(T bean, LockManager locks) throws Exception;
  }

  private <T> void with(Class<T> type, Task<T> task) {
    runner
        .withBean(type)
        .run(context -> task.run(context.getBean(type), context.getBean(LockManager.class)));
  }

  // --- The lock id

  static class Ids {
    final LockManager locks;
    public final String suffix = "s";
    BooleanSupplier nested = () -> false;

    Ids(LockManager locks) {
      this.locks = locks;
    }

    public String suffix() {
      return suffix;
    }

    @Locked("plain")
    public String plain() {
      return held(locks);
    }

    @Locked("import-#{#account}-#{#a1 + 1}")
    public String parameters(String account, int number) {
      return held(locks);
    }

    @Locked("#{suffix}-#{@ids.suffix()}-${holdfast.defaults.ttl:none}-${no.such:fallback}")
    public String root() {
      return held(locks);
    }

    @Locked("#{#account}")
    public String ofNull(@Nullable String account) {
      return "ran";
    }

    @Locked("v-#{#value}")
    public String ofType(Object value) {
      return held(locks);
    }

    @Locked("#{#id}")
    public boolean nestedIn(String id) {
      return nested.getAsBoolean();
    }
  }

  private static String held(LockManager locks) {
    return String.join(",", locks.list().stream().map(LockInfo::lockId).toList());
  }

  @Test
  void id_withExpressionsAndPlaceholders_isThatOfTheCall() {
    runner
        .withBean("ids", Ids.class)
        .withPropertyValues("holdfast.defaults.ttl=9s")
        .run(
            context -> {
              Ids bean = context.getBean(Ids.class);
              assertThat(bean.plain()).isEqualTo("plain");
              assertThat(bean.parameters("acme", 6)).isEqualTo("import-acme-7");
              assertThat(bean.root()).isEqualTo("s-s-9s-fallback");
              assertThat(context.getBean(LockManager.class).list()).isEmpty();
            });
  }

  @Test
  void id_whoseExpressionIsNull_isAnError() {
    with(
        Ids.class,
        (bean, locks) ->
            assertThatIllegalArgumentException()
                .isThrownBy(() -> bean.ofNull(null))
                .withMessageContaining("#{#account}")
                .withMessageContaining("ofNull(String)"));
  }

  record Account(String name) {}

  static Stream<Arguments> values() {
    UUID uuid = UUID.randomUUID();
    return Stream.of(
        Arguments.of("text", "text"),
        Arguments.of(CharBuffer.wrap("wrapped"), "wrapped"),
        Arguments.of(7L, "7"),
        Arguments.of(new BigDecimal("1.50"), "1.50"),
        Arguments.of(true, "true"),
        Arguments.of('c', "c"),
        Arguments.of(OnContention.SKIP, "SKIP"),
        Arguments.of(uuid, uuid.toString()),
        Arguments.of(LocalDate.of(2026, 2, 3), "2026-02-03"),
        Arguments.of(Duration.ofSeconds(3), "PT3S"));
  }

  @ParameterizedTest
  @MethodSource("values")
  void id_ofAValue_isItsText(Object value, String text) {
    with(Ids.class, (bean, locks) -> assertThat(bean.ofType(value)).isEqualTo("v-" + text));
  }

  static Stream<Object> unstable() {
    return Stream.of(
        new Object(), Set.of("a", "b"), List.of("a"), new Account("a"), new int[] {1}, Map.of());
  }

  /** Of most of them, the text has a hash code or no certain order. */
  @ParameterizedTest
  @MethodSource("unstable")
  void id_ofAnObject_isAnError(Object value) {
    with(
        Ids.class,
        (bean, locks) ->
            assertThatIllegalArgumentException()
                .isThrownBy(() -> bean.ofType(value))
                .withMessageContaining("#{#value}")
                .withMessageContaining("ofType(Object)")
                .withMessageContaining(value.getClass().getName()));
  }

  @Test
  void lock_thatTheThreadHolds_isContended() {
    runner
        .withBean("ids", Ids.class)
        .run(
            context -> {
              Ids bean = context.getBean(Ids.class);
              Ids target = AopTestUtils.getTargetObject(bean);
              target.nested = () -> bean.nestedIn("again");
              assertThatExceptionOfType(LockAcquisitionException.class)
                  .isThrownBy(() -> bean.nestedIn("again"));
            });
  }

  // --- Options

  @Locked("")
  @Retention(RetentionPolicy.RUNTIME)
  @interface Daily {
    @AliasFor(annotation = Locked.class, attribute = "value")
    String id();

    @AliasFor(annotation = Locked.class, attribute = "ttl")
    String ttl() default "5m";
  }

  interface Job {
    @Locked(value = "of-interface", ttl = "${job.ttl}")
    @Nullable LockInfo run();
  }

  static class Options implements Job {
    final LockManager locks;

    Options(LockManager locks) {
      this.locks = locks;
    }

    @Locked(value = "kept", ttl = "3s", holdAtLeast = "1h", maxHold = "PT2H")
    public Duration kept() {
      return locks.find("kept").orElseThrow().ttl();
    }

    @Locked(value = "short", maxHold = "50ms")
    public void tooLong() throws InterruptedException {
      Thread.sleep(TimeUnit.MINUTES.toMillis(2));
    }

    @Daily(id = "composed")
    public Duration composed() {
      return locks.find("composed").orElseThrow().ttl();
    }

    @Override
    public LockInfo run() {
      return locks.find("of-interface").orElseThrow();
    }
  }

  @Test
  void options_ofAnnotationsAndDefaults_apply() {
    runner
        .withBean(Options.class)
        .withPropertyValues("job.ttl=11s")
        .run(
            context -> {
              Options bean = context.getBean(Options.class);
              assertThat(bean.kept()).isEqualTo(Duration.ofSeconds(3));
              // holdAtLeast: it ran, and nobody can run it again soon.
              assertThatExceptionOfType(LockAcquisitionException.class).isThrownBy(bean::kept);
              assertThatExceptionOfType(LeaseLostException.class)
                  .isThrownBy(bean::tooLong)
                  .withMessageContaining("short");
              assertThat(bean.composed()).isEqualTo(Duration.ofMinutes(5));
              assertThat(bean.run().ttl()).isEqualTo(Duration.ofSeconds(11));
            });
  }

  // --- Contention

  static class Contended {
    int runs;

    @Locked("busy")
    public void throwing() {
      runs++;
    }

    @Locked(value = "busy", onContention = OnContention.SKIP)
    public void skipping() {
      runs++;
    }

    @Locked(value = "busy", onContention = OnContention.SKIP)
    public @Nullable Integer number() {
      return ++runs;
    }

    @Locked(value = "busy", onContention = OnContention.SKIP)
    public Optional<Integer> optional() {
      return Optional.of(++runs);
    }

    @Locked(value = "busy", onContention = OnContention.SKIP)
    public CompletableFuture<Integer> stage() {
      return CompletableFuture.completedFuture(++runs);
    }

    @Locked("busy")
    public CompletionStage<Integer> throwingStage() {
      return CompletableFuture.completedFuture(++runs);
    }

    @Locked(value = "busy", waitFor = "1m")
    public void waiting() {
      runs++;
    }

    @Locked(value = "free", onContention = OnContention.SKIP)
    public void nested(Supplier<LockAcquisitionException> failure) {
      throw failure.get();
    }

    @Locked(value = "free", onContention = OnContention.SKIP)
    public CompletableFuture<String> nestedStage(LockAcquisitionException failure) {
      return CompletableFuture.failedFuture(failure);
    }
  }

  @Test
  void contention_isAnExceptionOrSkipsTheMethod() {
    with(
        Contended.class,
        (bean, locks) -> {
          try (LockManager other = other();
              Lease busy = other.acquire("busy")) {
            assertThatExceptionOfType(LockAcquisitionException.class).isThrownBy(bean::throwing);
            bean.skipping();
            assertThat(bean.number()).isNull();
            assertThat(bean.optional()).isEmpty();
            assertThat(bean.stage().get()).isNull();
            assertThatExceptionOfType(ExecutionException.class)
                .isThrownBy(() -> bean.throwingStage().toCompletableFuture().get())
                .withCauseInstanceOf(LockAcquisitionException.class);
            assertThat(busy.isHeld()).isTrue();
          }
          assertThat(contended(bean)).isZero();
          bean.skipping();
          assertThat(bean.number()).isEqualTo(2);
          assertThat(bean.optional()).contains(3);
          assertThat(bean.stage().get()).isEqualTo(4);
        });
  }

  /** The fields of a proxy are not those of the bean. */
  private static int contended(Contended proxy) {
    return AopTestUtils.<Contended>getTargetObject(proxy).runs;
  }

  @Test
  void contention_ofAnotherLockWithinTheMethod_isNotSkipped() {
    with(
        Contended.class,
        (bean, locks) -> {
          LockAcquisitionException failure;
          try (LockManager other = other();
              Lease busy = other.acquire("busy")) {
            failure =
                catchThrowableOfType(
                    LockAcquisitionException.class, () -> locks.acquire(busy.lockId()));
          }
          assertThatExceptionOfType(LockAcquisitionException.class)
              .isThrownBy(() -> bean.nested(() -> failure));
          assertThatExceptionOfType(ExecutionException.class)
              .isThrownBy(() -> bean.nestedStage(failure).get())
              .withCause(failure);
        });
  }

  @Test
  void waitFor_aLockThatIsReleased_runs() {
    with(
        Contended.class,
        (bean, locks) -> {
          try (LockManager other = other()) {
            Lease busy = other.acquire("busy");
            Thread waiter = new Thread(bean::waiting);
            waiter.start();
            while (locks.stats().waiting() == 0) {
              Thread.sleep(1);
            }
            busy.close();
            waiter.join();
            assertThat(contended(bean)).isEqualTo(1);
          }
        });
  }

  @Test
  void interrupt_whileItWaits_isKept() {
    with(
        Contended.class,
        (bean, locks) -> {
          try (LockManager other = other();
              Lease busy = other.acquire("busy")) {
            FutureTask<Boolean> call =
                new FutureTask<>(
                    () -> {
                      assertThatIllegalStateException()
                          .isThrownBy(bean::waiting)
                          .withCauseInstanceOf(InterruptedException.class)
                          .withMessageContaining("waiting()");
                      return Thread.interrupted();
                    });
            Thread waiter = new Thread(call);
            waiter.start();
            while (locks.stats().waiting() == 0) {
              Thread.sleep(1);
            }
            waiter.interrupt();
            assertThat(call.get()).as("stays interrupted").isTrue();
            assertThat(busy.isHeld()).isTrue();
          }
        });
  }

  // --- Stages

  static class Stages {
    final CompletableFuture<String> work = new CompletableFuture<>();
    final CountDownLatch begun = new CountDownLatch(1);

    @Locked("stage")
    public CompletableFuture<String> run() {
      LockAssert.assertLocked("stage");
      begun.countDown();
      return work;
    }
  }

  @Test
  void stage_isAwaitedBeforeTheRelease() {
    Stages target = new Stages();
    runner
        .withBean(Stages.class, () -> target)
        .run(
            context -> {
              LockManager locks = context.getBean(LockManager.class);
              CompletableFuture<String> result = context.getBean(Stages.class).run();
              target.begun.await();
              assertThat(result).isNotDone();
              assertThat(locks.find("stage")).isPresent();
              target.work.complete("done");
              assertThat(result.get()).isEqualTo("done");
              assertThat(locks.find("stage")).isEmpty();
            });
  }

  static class Timed {
    final CompletableFuture<String> work = new CompletableFuture<>();
    final CountDownLatch begun = new CountDownLatch(1);

    @Locked(value = "timed", waitFor = "1h", onContention = OnContention.SKIP)
    public CompletableFuture<String> run() {
      begun.countDown();
      return work;
    }
  }

  @Test
  void stage_whoseResultTimesOut_isAwaitedBeforeTheRelease() {
    Timed target = new Timed();
    runner
        .withBean(Timed.class, () -> target)
        .run(
            context -> {
              LockManager locks = context.getBean(LockManager.class);
              CompletableFuture<String> result = context.getBean(Timed.class).run();
              target.begun.await();
              assertThat(result.completeExceptionally(new TimeoutException())).isTrue();
              assertThat(target.work).isNotDone();
              assertThat(locks.find("timed")).isPresent();
              target.work.complete("done");
              try (Lease next = waitFor(locks, "timed")) {
                assertThat(next.isHeld()).isTrue();
              }
            });
  }

  @Test
  void stage_whoseResultTimesOutWhileItWaits_waitsNoMore() {
    Timed target = new Timed();
    runner
        .withBean(Timed.class, () -> target)
        .run(
            context -> {
              LockManager locks = context.getBean(LockManager.class);
              try (LockManager other = other();
                  Lease busy = other.acquire("timed")) {
                CompletableFuture<String> result = context.getBean(Timed.class).run();
                while (locks.stats().waiting() == 0) {
                  Thread.sleep(1);
                }
                assertThat(result.completeExceptionally(new TimeoutException())).isTrue();
                while (locks.stats().waiting() != 0) {
                  Thread.sleep(1);
                }
                assertThat(busy.isHeld()).isTrue();
              }
              assertThat(target.begun.getCount()).isEqualTo(1);
            });
  }

  // --- What cannot run under a lock

  static class OfPrivate {
    @Locked("a")
    @SuppressWarnings("UnusedMethod") // As a scheduled method, which is called reflectively.
    private void hidden() {}
  }

  static class OfPackage {
    @Locked("a")
    void notPublic() {}
  }

  static class OfFinal {
    @Locked("a")
    public final void last() {}
  }

  static class OfStatic {
    @Locked("a")
    public static void ofClass() {}
  }

  static class OfPrimitive {
    @Locked(value = "a", onContention = OnContention.SKIP)
    public int count() {
      return 1;
    }
  }

  static class OfMono {
    @Locked("a")
    public Mono<String> mono() {
      return Mono.empty();
    }
  }

  static class OfFlux {
    @Locked("a")
    public Flux<String> flux() {
      return Flux.empty();
    }
  }

  static class OfFuture {
    @Locked("a")
    public Future<String> future() {
      return CompletableFuture.completedFuture("");
    }
  }

  static class OfBlank {
    @Locked(" ")
    public void blank() {}
  }

  static class OfSyntax {
    @Locked("#{#id")
    public void syntax(String id) {}
  }

  static class OfVariable {
    @Locked("#{#name.toString()}")
    public void variable(String id) {}
  }

  static class OfPlaceholder {
    @Locked("${no.such}")
    public void placeholder() {}
  }

  static class OfDuration {
    @Locked(value = "a", ttl = "soon")
    public void duration() {}
  }

  static class OfRange {
    @Locked(value = "a", ttl = "1ms")
    public void range() {}
  }

  static class OfContradiction {
    @Locked(value = "a", holdAtLeast = "2m", maxHold = "1m")
    public void contradiction() {}
  }

  static final class OfFinalClass {
    @Locked("a")
    public void run() {}
  }

  static Stream<Arguments> impossible() {
    return Stream.of(
        Arguments.of(OfPrivate.class, "OfPrivate.hidden()", "is not public"),
        Arguments.of(OfPackage.class, "OfPackage.notPublic()", "is not public"),
        Arguments.of(OfFinal.class, "OfFinal.last()", "is final"),
        Arguments.of(OfStatic.class, "OfStatic.ofClass()", "is static"),
        Arguments.of(OfPrimitive.class, "OfPrimitive.count()", "primitive type int"),
        Arguments.of(OfMono.class, "OfMono.mono()", "reactive type"),
        Arguments.of(OfFlux.class, "OfFlux.flux()", "reactive type"),
        Arguments.of(OfFuture.class, "OfFuture.future()", "return a CompletableFuture"),
        Arguments.of(OfBlank.class, "OfBlank.blank()", "blank lock id"),
        Arguments.of(OfSyntax.class, "OfSyntax.syntax(String)", "no expression"),
        Arguments.of(OfVariable.class, "OfVariable.variable(String)", "#name"),
        Arguments.of(OfPlaceholder.class, "OfPlaceholder.placeholder()", "no.such"),
        Arguments.of(OfDuration.class, "OfDuration.duration()", "ttl \"soon\" is no duration"),
        Arguments.of(OfRange.class, "OfRange.range()", "from 100 ms to 24 h"),
        Arguments.of(
            OfContradiction.class, "OfContradiction.contradiction()", "must be at most maxHold"),
        Arguments.of(OfFinalClass.class, "OfFinalClass", "final"));
  }

  @ParameterizedTest
  @MethodSource("impossible")
  void start_withAMethodThatCannotRunUnderALock_namesItAndWhy(
      Class<?> type, String method, String reason) {
    runner
        .withBean(type)
        .run(
            context ->
                assertThat(context.getStartupFailure())
                    .hasStackTraceContaining(method)
                    .hasStackTraceContaining(reason));
  }

  static class Undeclared {
    @Locked("a")
    public Object mono() {
      return Mono.just("later");
    }

    @Locked("a")
    @SuppressWarnings("FutureReturnValueIgnored") // That is the mistake.
    public Object stage() {
      return CompletableFuture.completedFuture("later");
    }
  }

  @Test
  void result_whoseWorkMayGoOn_isAnErrorIfItIsNotDeclared() {
    with(
        Undeclared.class,
        (bean, locks) -> {
          assertThatIllegalStateException()
              .isThrownBy(bean::mono)
              .withMessageContaining("Undeclared.mono()");
          assertThatIllegalStateException()
              .isThrownBy(bean::stage)
              .withMessageContaining("Undeclared.stage()");
        });
  }

  // --- LockAssert

  static class SelfInvoking {
    @Locked("self")
    public Lease inner() {
      return LockAssert.assertLocked("self");
    }

    public Lease outer() {
      return inner();
    }

    @Locked("other")
    public Lease other() {
      return LockAssert.assertLocked("self");
    }
  }

  @Test
  void assertLocked_findsCallsThatBypassTheProxy() {
    with(
        SelfInvoking.class,
        (bean, locks) -> {
          assertThat(bean.inner().lockId()).isEqualTo("self");
          assertThatIllegalStateException()
              .isThrownBy(bean::outer)
              .withMessageContaining("\"self\" is not held by this thread");
          assertThatIllegalStateException().isThrownBy(bean::other);
          assertThatIllegalStateException().isThrownBy(() -> LockAssert.assertLocked("self"));
        });
  }

  static class Losing {
    final LockManager locks;

    Losing(LockManager locks) {
      this.locks = locks;
    }

    @Locked("lost")
    public void lose() {
      boolean unused = locks.forceRelease("lost");
      LockAssert.assertLocked("lost");
    }
  }

  @Test
  void assertLocked_afterALoss_fails() {
    with(
        Losing.class,
        (bean, locks) ->
            assertThatExceptionOfType(LeaseLostException.class)
                .isThrownBy(bean::lose)
                .withCauseInstanceOf(IllegalStateException.class));
  }

  // --- Transactions

  static class TransactionalWork {
    final LockManager locks;
    final BlockingQueue<String> events = new LinkedBlockingQueue<>();

    TransactionalWork(LockManager locks) {
      this.locks = locks;
    }

    @Transactional
    @Locked("tx")
    public boolean run() {
      LockAssert.assertLocked("tx");
      TransactionSynchronizationManager.registerSynchronization(
          new TransactionSynchronization() {
            @Override
            public void afterCompletion(int status) {
              events.add(
                  (status == STATUS_COMMITTED ? "committed, " : "rolled back, ")
                      + (locks.find("tx").isPresent() ? "locked" : "not locked"));
            }
          });
      return TransactionSynchronizationManager.isActualTransactionActive();
    }

    BlockingQueue<String> events() {
      return events;
    }
  }

  private ApplicationContextRunner transactions() {
    return runner
        .withConfiguration(
            AutoConfigurations.of(
                DataSourceAutoConfiguration.class,
                DataSourceTransactionManagerAutoConfiguration.class,
                TransactionAutoConfiguration.class))
        .withBean(TransactionalWork.class);
  }

  @Test
  void lock_ofATransactionalMethod_isHeldUntilAfterTheCommit() {
    transactions()
        .run(
            context -> {
              TransactionalWork bean = context.getBean(TransactionalWork.class);
              assertThat(bean.run()).isTrue();
              assertThat(bean.events()).containsExactly("committed, locked");
            });
  }

  @Configuration(proxyBeanMethods = false)
  @EnableTransactionManagement(order = 0)
  static class OuterTransactions {}

  @Test
  void order_ofTheLock_decidesWhetherItIsOutsideOfTheTransaction() {
    ApplicationContextRunner outerTransactions =
        transactions().withUserConfiguration(OuterTransactions.class);
    outerTransactions.run(
        context -> {
          TransactionalWork bean = context.getBean(TransactionalWork.class);
          assertThat(bean.run()).isTrue();
          assertThat(bean.events()).containsExactly("committed, not locked");
        });
    outerTransactions
        .withPropertyValues("holdfast.locked.order=-1")
        .run(
            context -> {
              TransactionalWork bean = context.getBean(TransactionalWork.class);
              assertThat(bean.run()).isTrue();
              assertThat(bean.events()).containsExactly("committed, locked");
            });
  }

  @Test
  @ExtendWith(OutputCaptureExtension.class)
  void call_withinATransaction_isWarnedOfOnce(CapturedOutput output) {
    transactions()
        .run(
            context -> {
              TransactionalWork bean = context.getBean(TransactionalWork.class);
              TransactionTemplate transaction = context.getBean(TransactionTemplate.class);
              transaction.executeWithoutResult(status -> bean.run());
              transaction.executeWithoutResult(status -> bean.run());
              assertThat(output.getAll())
                  .containsOnlyOnce("is called within a transaction")
                  .contains("TransactionalWork.run()");
              assertThat(bean.events())
                  .containsExactly("committed, not locked", "committed, not locked");
            });
  }

  // --- @Async, @Scheduled

  @Configuration(proxyBeanMethods = false)
  @EnableAsync
  static class AsyncConfiguration {
    @Bean
    Asynchronous asynchronous() {
      return new Asynchronous();
    }
  }

  static class Asynchronous {
    @Async
    @Locked("async")
    public CompletableFuture<Thread> run() {
      LockAssert.assertLocked("async");
      return CompletableFuture.completedFuture(Thread.currentThread());
    }

    @Async
    @Locked("async")
    public void runWithoutResult(CompletableFuture<Thread> ran) {
      LockAssert.assertLocked("async");
      ran.complete(Thread.currentThread());
    }
  }

  @Test
  void async_isOutsideOfTheLock() {
    runner
        .withConfiguration(AutoConfigurations.of(TaskExecutionAutoConfiguration.class))
        .withUserConfiguration(AsyncConfiguration.class)
        .run(
            context -> {
              Asynchronous bean = context.getBean(Asynchronous.class);
              assertThat(bean.run().get()).isNotSameAs(Thread.currentThread());
              CompletableFuture<Thread> ran = new CompletableFuture<>();
              bean.runWithoutResult(ran);
              assertThat(ran.get().getName()).startsWith("task-");
              try (LockManager other = other();
                  Lease held = waitFor(other, "async")) {
                assertThatExceptionOfType(ExecutionException.class)
                    .isThrownBy(() -> bean.run().get())
                    .withCauseInstanceOf(LockAcquisitionException.class);
                assertThat(held.isHeld()).isTrue();
              }
            });
  }

  private static Lease waitFor(LockManager locks, String lockId) throws InterruptedException {
    return locks.acquire(lockId, LockOptions.defaults().withWaitTimeout(Duration.ofSeconds(60)));
  }

  @Configuration(proxyBeanMethods = false)
  @EnableScheduling
  static class ScheduledConfiguration {
    final BlockingQueue<Throwable> failures = new LinkedBlockingQueue<>();

    @Bean
    ScheduledJob scheduledJob(ObjectProvider<LockManager> locks) {
      return new ScheduledJob();
    }

    @Bean
    ThreadPoolTaskSchedulerCustomizer collectingFailures() {
      return scheduler -> scheduler.setErrorHandler(failures::add);
    }
  }

  static class ScheduledJob {
    @Scheduled(fixedDelay = 50)
    @Locked(value = "job", onContention = OnContention.SKIP)
    public void run() {}
  }

  @Test
  void outage_duringAScheduledJob_isAnExceptionThatTheSchedulerSees() {
    new ApplicationContextRunner()
        .withConfiguration(
            AutoConfigurations.of(
                AopAutoConfiguration.class,
                TaskSchedulingAutoConfiguration.class,
                HoldfastAutoConfiguration.class))
        .withPropertyValues("holdfast.uris=http://127.0.0.1:1")
        .withUserConfiguration(ScheduledConfiguration.class)
        .run(
            context -> {
              BlockingQueue<Throwable> failures =
                  context.getBean(ScheduledConfiguration.class).failures;
              assertThat(failures.poll(60, TimeUnit.SECONDS))
                  .isInstanceOf(LockStoreUnavailableException.class);
              // The scheduler goes on.
              assertThat(failures.poll(60, TimeUnit.SECONDS)).isNotNull();
            });
  }

  // --- The end

  static class LongJob {
    final CountDownLatch begun = new CountDownLatch(1);
    final BlockingQueue<String> events = new LinkedBlockingQueue<>();
    final LockManager locks;

    LongJob(LockManager locks) {
      this.locks = locks;
    }

    @Scheduled(fixedDelay = 1_000_000)
    @Locked("long")
    public void run() {
      begun.countDown();
      try {
        Thread.sleep(300);
        events.add("ended, " + (locks.find("long").isPresent() ? "locked" : "not locked"));
      } catch (InterruptedException e) {
        events.add("interrupted");
      }
    }
  }

  @Configuration(proxyBeanMethods = false)
  @EnableScheduling
  static class LongJobConfiguration {
    @Bean
    LongJob longJob(LockManager locks) {
      return new LongJob(locks);
    }
  }

  @Test
  void close_whileAScheduledJobRuns_waitsForItBeforeTheLockManagerIsClosed() throws Exception {
    BlockingQueue<BlockingQueue<String>> seen = new LinkedBlockingQueue<>();
    runner
        .withConfiguration(AutoConfigurations.of(TaskSchedulingAutoConfiguration.class))
        .withUserConfiguration(LongJobConfiguration.class)
        .run(
            context -> {
              LongJob job = AopTestUtils.getTargetObject(context.getBean(LongJob.class));
              job.begun.await();
              seen.add(job.events);
            });
    assertThat(seen.take()).containsExactly("ended, locked");
    try (LockManager other = other()) {
      assertThat(other.list()).isEmpty();
    }
  }

  @Test
  void stopAndStart_ofAContext_keepTheLockManager() {
    runner.run(
        context -> {
          context.getSourceApplicationContext().stop();
          context.getSourceApplicationContext().start();
          assertThat(context.getBean(LockManager.class).withLock("a", () -> 1)).isEqualTo(1);
        });
  }
}
