package dev.holdfast.lock.elasticsearch;

import static dev.holdfast.lock.elasticsearch.Answers.INCARNATION;
import static dev.holdfast.lock.elasticsearch.Answers.INDEX;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.lock.elasticsearch.HttpFront.Reply;
import dev.holdfast.lock.elasticsearch.HttpFront.Request;
import dev.holdfast.lock.store.Incarnation;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** When the index is verified again, and what its answers lead to; on a clock of the test's own. */
@Timeout(120)
class LockIndexTest {
  private static final Incarnation KNOWN = new Incarnation(INCARNATION, 0);
  private static final Reply.Answer REPLACED =
      HttpFront.json(
          200,
          INDEX
              .body()
              .replace(INCARNATION, "holdfast-locks.11")
              .replace("holdfast-locks-1", "holdfast-locks-2"));

  private final AtomicLong clock = new AtomicLong();
  private final HttpFront server = HttpFront.alone(request -> INDEX);
  private final ManagedTransport transport =
      ManagedTransport.open(new ManagedTransport.Settings(Address.parse(List.of(server.url()))));
  private final LockIndex index =
      new LockIndex(transport.transport(), transport.nodes(), IndexNames.DEFAULT, 0, clock::get);

  @AfterEach
  void close() throws Exception {
    transport.close();
    server.close();
  }

  private Incarnation acquire() throws Exception {
    return Answers.get(index.findOrCreate());
  }

  private void pass(Duration time) {
    clock.addAndGet(time.toNanos());
  }

  private void passInterval() {
    pass(LockIndex.VERIFICATION_INTERVAL.plusMillis(1));
  }

  private int lookUps() {
    return server.requests(Request::isIndex).size();
  }

  private static void settle(@Nullable CompletableFuture<Boolean> verification) {
    if (verification != null) { // It may have been answered at once.
      assertThat(verification).succeedsWithin(Duration.ofSeconds(60));
    }
  }

  // --- When

  @Test
  void manyLeases_cost_oneLookUpPerInterval() throws Exception {
    assertThat(acquire()).isEqualTo(KNOWN);
    assertThat(lookUps()).isEqualTo(1);

    for (int interval = 2; interval < 6; interval++) {
      passInterval();
      CompletableFuture<Boolean> verification = index.inUse();
      for (int lease = 0; lease < 10_000; lease++) {
        var unused = index.inUse();
      }
      settle(verification);
      for (int lease = 0; lease < 10_000; lease++) {
        assertThat(index.inUse()).isNull();
      }
      assertThat(lookUps()).isEqualTo(interval);
    }
  }

  @Test
  void index_thatNobodyUses_isNotAskedFor() throws Exception {
    assertThat(acquire()).isEqualTo(KNOWN);
    pass(Duration.ofDays(1));

    assertThat(lookUps()).isEqualTo(1);
  }

  @Test
  void index_usedWithinTheInterval_isNotAskedForAgain() throws Exception {
    assertThat(acquire()).isEqualTo(KNOWN);
    pass(LockIndex.VERIFICATION_INTERVAL.minusMillis(1));

    assertThat(acquire()).isEqualTo(KNOWN);
    assertThat(Answers.get(index.find())).isEqualTo(KNOWN);
    assertThat(lookUps()).isEqualTo(1);
  }

  @Test
  void looking_doesNotWaitForTheVerificationThatItBegins() throws Exception {
    assertThat(acquire()).isEqualTo(KNOWN);
    passInterval();
    CountDownLatch answer = new CountDownLatch(1);
    server.script(
        request -> {
          await(answer);
          return INDEX;
        });

    assertThat(index.find()).isCompletedWithValue(KNOWN);
    CompletableFuture<Incarnation> acquisition = index.findOrCreate();
    assertThat(acquisition).as("an acquisition does").isNotDone();
    answer.countDown();

    assertThat(Answers.get(acquisition)).isEqualTo(KNOWN);
    assertThat(lookUps()).isEqualTo(2);
  }

  private static void await(CountDownLatch latch) {
    try {
      assertThat(latch.await(60, TimeUnit.SECONDS)).isTrue();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  // --- What of it

  @Test
  void acquisition_afterASwap_isInTheNewIndex_andTheOldOneIsLeft() throws Exception {
    assertThat(acquire()).isEqualTo(KNOWN);
    passInterval();
    server.script(request -> REPLACED);

    try (LogCapture log = LogCapture.ofHoldfast()) {
      assertThat(acquire().id()).isEqualTo("holdfast-locks.11");
      assertThat(log.lines())
          .filteredOn(line -> line.startsWith("ERROR"))
          .singleElement()
          .asString()
          .contains("\"holdfast-locks-1\"", "\"holdfast-locks-2\"");
    }
    assertThat(index.whyLeft(KNOWN))
        .hasMessageContaining("\"holdfast-locks-1\"")
        .hasMessageContaining("\"holdfast-locks-2\"");
  }

  @Test
  void incarnation_thatTheAliasLeadsToAgain_isNotLeftAnyMore() throws Exception {
    assertThat(acquire()).isEqualTo(KNOWN);
    passInterval();
    server.script(request -> REPLACED);
    Incarnation second = acquire();
    passInterval();
    server.script(request -> INDEX);

    assertThat(acquire()).isEqualTo(KNOWN);

    assertThat(index.whyLeft(KNOWN)).isNull();
    assertThat(index.whyLeft(second)).isNotNull();
  }

  @Test
  void index_thatBecameUnsafe_isLeft_andRefusedUntilItIsRepaired() throws Exception {
    assertThat(acquire()).isEqualTo(KNOWN);
    passInterval();
    server.script(
        request -> {
          if (request.isIndex()) {
            return with("\"index\":{\"translog\":{\"durability\":\"async\"}}");
          }
          return HttpFront.error(403, "security_exception", "no");
        });

    assertThatThrownBy(this::acquire)
        .isInstanceOf(ExecutionException.class)
        .hasCauseInstanceOf(LockIndexException.class)
        .hasMessageContaining("durability");
    assertThat(index.whyLeft(KNOWN)).hasMessageContaining("durability");

    server.script(request -> INDEX);
    assertThat(acquire()).isEqualTo(KNOWN);
    assertThat(index.whyLeft(KNOWN)).isNull();
  }

  @Test
  void copy_thatCarriesTheSameAlias_isAnotherIncarnation() throws Exception {
    server.script(request -> with("\"index\":{\"uuid\":\"first\"}"));
    Incarnation first = acquire();
    passInterval();
    server.script(request -> with("\"index\":{\"uuid\":\"copy\"}"));

    Incarnation copy = acquire();

    assertThat(copy).isNotEqualTo(first);
    assertThat(LockIndex.target(copy)).isEqualTo(LockIndex.target(first)).isEqualTo(INCARNATION);
    assertThat(index.whyLeft(first)).isNotNull();
    assertThat(index.whyLeft(copy)).isNull();
  }

  private static Reply.Answer with(String settings) {
    return HttpFront.json(
        200, INDEX.body().replace("\"settings\":{}", "\"settings\":{" + settings + "}"));
  }

  static Stream<Reply> failures() {
    return Stream.of(
        HttpFront.error(403, "security_exception", "no view_index_metadata"),
        HttpFront.error(503, "master_not_discovered_exception", "no master"),
        HttpFront.html(502),
        HttpFront.json(200, "[]"),
        HttpFront.json(200, "{}"),
        HttpFront.json(200, "{\"docs\":[],\"items\":[]}"),
        HttpFront.json(200, "{\"error\":{\"type\":\"x\"}}"),
        HttpFront.html(404),
        HttpFront.error(404, "resource_not_found_exception", "a proxy speaks"),
        new Reply.Truncated(INDEX),
        new Reply.Reset());
  }

  @ParameterizedTest
  @MethodSource("failures")
  void verification_thatFails_changesNothing_andIsNotWaitedForAgain(Reply failure)
      throws Exception {
    assertThat(acquire()).isEqualTo(KNOWN);
    passInterval();
    server.script(request -> failure);

    assertThat(acquire()).isEqualTo(KNOWN);
    assertThat(index.whyLeft(KNOWN)).isNull();

    passInterval();
    server.script(request -> new Reply.Silence());
    assertThat(index.findOrCreate()).isCompletedWithValue(KNOWN);
  }

  @Test
  void verification_thatIsNeverAnswered_isGivenUp_andBegunAgain() throws Exception {
    assertThat(acquire()).isEqualTo(KNOWN);
    passInterval();
    server.script(request -> new Reply.Silence());
    CompletableFuture<Incarnation> waiting = index.findOrCreate();
    assertThat(waiting).isNotDone();
    assertThat(waiting.cancel(false)).isTrue();
    assertThat(index.findOrCreate()).as("nobody else waits").isCompletedWithValue(KNOWN);

    pass(LockIndex.VERIFICATION_INTERVAL.multipliedBy(4));
    server.script(request -> INDEX);
    int before = lookUps();
    var unused = index.inUse();
    Poll.until("a look-up", () -> lookUps() > before);
  }

  /**
   * A lease of 24 h writes every 8 h: it must not be held until then, nor until the write after.
   */
  @Test
  void swap_thatAnyCallFinds_isReportedToListeners() throws Exception {
    List<Incarnation> told = new CopyOnWriteArrayList<>();
    Runnable deaf = index.onLeft(gone -> told.add(gone.incarnation()));
    Runnable broken =
        index.onLeft(
            gone -> {
              throw new IllegalStateException("a listener that fails");
            });
    assertThat(acquire()).isEqualTo(KNOWN);
    passInterval();
    server.script(request -> REPLACED);
    settle(index.inUse());

    assertThat(told).containsExactly(KNOWN);

    broken.run();
    deaf.run();
    assertThat(acquire().id()).isEqualTo("holdfast-locks.11");
    passInterval();
    server.script(request -> INDEX);
    assertThat(acquire()).isEqualTo(KNOWN);
    assertThat(told).as("nobody listens any more").hasSize(1);
  }

  /** State first: a swap that is found must end leases whatever becomes of the log line. */
  @Test
  void swap_whileTheLoggerThrows_isReportedAllTheSame() throws Exception {
    List<Incarnation> told = new CopyOnWriteArrayList<>();
    Runnable unused = index.onLeft(gone -> told.add(gone.incarnation()));
    try (LogCapture broken = LogCapture.thatThrows("dev.holdfast.lock.elasticsearch")) {
      assertThat(acquire()).isEqualTo(KNOWN);
      passInterval();
      server.script(request -> REPLACED);
      settle(index.inUse());

      assertThat(broken.thrown()).isPositive();
      assertThat(told).containsExactly(KNOWN);
      assertThat(index.whyLeft(KNOWN)).isNotNull();
      assertThat(acquire().id()).isEqualTo("holdfast-locks.11");
    }
  }

  /** A node that was cut off must not end all leases. */
  @Test
  void swap_thatOneNodeOfThreeTellsOf_isNotBelieved_butThatOfTwoIs() throws Exception {
    try (HttpFront second = HttpFront.alone(request -> INDEX);
        HttpFront third = HttpFront.alone(request -> INDEX)) {
      ManagedTransport three =
          ManagedTransport.open(
              new ManagedTransport.Settings(
                  Address.parse(Stream.of(server, second, third).map(HttpFront::url).toList())));
      try {
        LockIndex shared =
            new LockIndex(three.transport(), three.nodes(), IndexNames.DEFAULT, 0, clock::get);
        assertThat(Answers.get(shared.findOrCreate())).isEqualTo(KNOWN);
        for (HttpFront stale : List.of(server, second, third)) {
          for (HttpFront each : List.of(server, second, third)) {
            each.script(request -> each == stale ? REPLACED : INDEX);
          }
          for (int i = 0; i < 3; i++) {
            passInterval();
            assertThat(Answers.get(shared.findOrCreate())).isEqualTo(KNOWN);
          }
        }
        assertThat(shared.whyLeft(KNOWN)).isNull();

        for (HttpFront each : List.of(server, second)) {
          each.script(request -> REPLACED);
        }
        third.script(request -> new Reply.Reset());
        passInterval();
        assertThat(Answers.get(shared.findOrCreate())).isNotEqualTo(KNOWN);
        assertThat(shared.whyLeft(KNOWN)).isNotNull();
      } finally {
        three.close();
      }
    }
  }
}
