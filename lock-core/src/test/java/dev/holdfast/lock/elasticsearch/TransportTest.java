package dev.holdfast.lock.elasticsearch;

import static dev.holdfast.lock.elasticsearch.Answers.INCARNATION;
import static dev.holdfast.lock.elasticsearch.Answers.INDEX;
import static dev.holdfast.lock.elasticsearch.Answers.RECORD;
import static dev.holdfast.lock.elasticsearch.Answers.VERSION;
import static dev.holdfast.lock.elasticsearch.Answers.get;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.holdfast.lock.LockManager;
import dev.holdfast.lock.LockOptions;
import dev.holdfast.lock.LockStoreUnavailableException;
import dev.holdfast.lock.elasticsearch.HttpFront.Reply;
import dev.holdfast.lock.store.Incarnation;
import dev.holdfast.lock.store.IncarnationGoneException;
import dev.holdfast.lock.store.ListResult;
import dev.holdfast.lock.store.ReadResult;
import dev.holdfast.lock.store.Version;
import dev.holdfast.lock.store.WriteResult;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.SocketException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What the store makes of answers, of those that are none, and of silence, from a server that says
 * what a test wants. The rule: what was certainly not carried out is Rejected or Conflict, whatever
 * may have been, or may be later, is Unknown; and nothing but a conflict is ever one.
 */
@Timeout(120)
class TransportTest {
  private final HttpFront server = HttpFront.alone(request -> INDEX);
  private ElasticsearchLockStore store = ElasticsearchLockStore.builder(server.url()).build();

  @AfterEach
  void close() {
    store.close();
    server.close();
  }

  /** What all requests but those about the index are answered with. */
  private void answers(Reply reply) {
    server.script(request -> request.isIndex() ? INDEX : about(request, reply));
  }

  private List<WriteResult> writes() throws Exception {
    return Answers.writes(store);
  }

  /** A reply of {@link #bulk} names the operation that was asked for. */
  private static Reply about(HttpFront.Request request, Reply reply) {
    if (reply instanceof Reply.Answer answer && request.isBulk()) {
      String operation = request.body().split("\"", 3)[1];
      return new Reply.Answer(
          answer.status(), answer.headers(), answer.body().replace("OPERATION", operation));
    }
    return reply;
  }

  private static Reply bulk(int status, String rest) {
    return HttpFront.json(
        200,
        "{\"took\":1,\"errors\":true,\"items\":[{\"OPERATION\":{\"_index\":\"i\",\"_id\":\"x\",\"status\":"
            + status
            + rest
            + "}}]}");
  }

  private static String error(String type, String reason) {
    return ",\"error\":{\"type\":\"" + type + "\",\"reason\":\"" + reason + "\"}";
  }

  // --- Whole requests

  /** An answer to a whole request, and whether it certainly was not carried out. */
  record Case(String name, Reply reply, boolean refused, String says) {
    @Override
    public String toString() {
      return name;
    }
  }

  static Stream<Case> answers() {
    return Stream.of(
        new Case("400", HttpFront.error(400, "illegal_argument", "no"), true, "400"),
        new Case("401", HttpFront.error(401, "security_exception", "who"), true, "401"),
        new Case(
            "403", HttpFront.error(403, "security_exception", "needs [index]"), true, "[index]"),
        new Case("413", HttpFront.error(413, "too_large", "too large"), true, "413"),
        new Case("408", HttpFront.error(408, "timeout", "slow"), false, "408"),
        new Case("409", HttpFront.error(409, "conflict", "as a whole"), false, "409"),
        new Case("429", HttpFront.error(429, "rejected_execution", "busy"), false, "429"),
        new Case("500", HttpFront.error(500, "exception", "broken"), false, "500"),
        new Case("502 of a proxy", HttpFront.html(502), false, "502"),
        new Case("503", HttpFront.error(503, "unavailable_shards", "no shard"), false, "503"),
        new Case("504 of a proxy", HttpFront.html(504), false, "504"),
        new Case("a page with status 200", HttpFront.html(200), false, ""),
        new Case("garbage", HttpFront.json(200, "\u0000\u0001{{{"), false, ""),
        new Case("nothing", HttpFront.json(200, ""), false, ""),
        new Case("half of an answer", new Reply.Truncated((Reply.Answer) bulk(201, "")), false, ""),
        new Case("a reset", new Reply.Reset(), false, ""),
        new Case(
            "fewer items than asked",
            HttpFront.json(200, "{\"took\":1,\"errors\":false,\"items\":[],\"docs\":[]}"),
            false,
            "0 items for 1"));
  }

  @ParameterizedTest
  @MethodSource("answers")
  void write_whoseAnswerIsNone_isUnknown_unlessItWasCertainlyRefused(Case answer) throws Exception {
    answers(answer.reply());

    for (WriteResult result : writes()) {
      if (answer.refused()) {
        assertThat(result)
            .isInstanceOfSatisfying(
                WriteResult.Rejected.class,
                r -> assertThat(r.cause()).hasMessageContaining(answer.says()));
      } else {
        assertThat(result)
            .isInstanceOfSatisfying(
                WriteResult.Unknown.class,
                u -> assertThat(u.cause().toString()).contains(answer.says()));
      }
    }
  }

  @ParameterizedTest
  @MethodSource("answers")
  void read_whoseAnswerIsNone_isNeverAbsence(Case answer) throws Exception {
    answers(answer.reply());

    assertThat(get(store.read("x")))
        .isInstanceOf(answer.refused() ? ReadResult.Rejected.class : ReadResult.Unavailable.class);
  }

  @ParameterizedTest
  @MethodSource("answers")
  void list_whoseAnswerIsNone_isNeverEmpty(Case answer) throws Exception {
    answers(answer.reply());

    assertThat(get(store.list(10)))
        .isInstanceOf(answer.refused() ? ListResult.Rejected.class : ListResult.Unavailable.class);
  }

  @ParameterizedTest
  @MethodSource("answers")
  void acquire_whileTheServerAnswersSo_isAnOutage_neverContention(Case answer) {
    answers(answer.reply());
    try (LockManager locks = LockManager.create(store)) {
      LockStoreUnavailableException outage =
          catchThrowableOfType(LockStoreUnavailableException.class, () -> locks.tryAcquire("x"));
      assertThat(outage).hasMessageContaining(server.host());
      assertThat(outage.isRetryable()).isEqualTo(!answer.refused());
    }
  }

  // --- Items of a _bulk

  @Test
  void item_thatWasApplied_givesItsVersion() throws Exception {
    answers(bulk(201, ",\"_seq_no\":7,\"_primary_term\":3,\"result\":\"created\""));

    assertThat(get(store.create(RECORD)))
        .isEqualTo(new WriteResult.Applied(new Version(new Incarnation(INCARNATION, 0), 3, 7)));
  }

  @Test
  void item_thatWasAppliedWithoutAVersion_isUnknown() throws Exception {
    for (String version :
        List.of(
            "", ",\"_seq_no\":7", ",\"_primary_term\":3", ",\"_seq_no\":-2,\"_primary_term\":0")) {
      answers(bulk(201, version));
      assertThat(writes()).allMatch(WriteResult.Unknown.class::isInstance);
    }
  }

  @Test
  void item_thatIsAboutAnotherDocumentOrOperation_isUnknown() throws Exception {
    String applied = ",\"status\":200,\"_seq_no\":7,\"_primary_term\":3}}]}";
    String head = "{\"took\":1,\"errors\":false,\"items\":[{";
    for (String item :
        List.of(
            "\"OPERATION\":{\"_index\":\"i\",\"_id\":\"y\"",
            "\"update\":{\"_index\":\"i\",\"_id\":\"x\"")) {
      answers(HttpFront.json(200, head + item + applied));
      assertThat(writes())
          .allSatisfy(
              result ->
                  assertThat(result)
                      .isInstanceOfSatisfying(
                          WriteResult.Unknown.class,
                          u -> assertThat(u.cause()).hasMessageContaining("another document")));
    }
  }

  @Test
  void item_whoseVersionIsNoNewerThanWhatItReplaced_isUnknown() throws Exception {
    answers(bulk(200, ",\"_seq_no\":5,\"_primary_term\":1"));

    assertThat(writes().subList(1, 3)).allMatch(WriteResult.Unknown.class::isInstance);
  }

  @Test
  void item_thatConflicts_isAConflict() throws Exception {
    answers(bulk(409, error("version_conflict_engine_exception", "version conflict")));

    assertThat(writes()).allMatch(WriteResult.Conflict.class::isInstance);
  }

  @Test
  void item_whoseIncarnationIsGone_isRejected_andSaysWhich() throws Exception {
    answers(bulk(404, error("index_not_found_exception", "no such index")));

    for (WriteResult result : writes()) {
      assertThat(result)
          .isInstanceOfSatisfying(
              WriteResult.Rejected.class,
              r ->
                  assertThat(r.cause())
                      .isInstanceOfSatisfying(
                          IncarnationGoneException.class,
                          gone -> assertThat(gone.incarnation()).isEqualTo(VERSION.incarnation())));
    }
  }

  @Test
  void item_whoseIncarnationOneNodeDoesNotKnow_isWrittenThroughTheNext() throws Exception {
    AtomicInteger writes = new AtomicInteger();
    server.script(
        request ->
            request.isIndex()
                ? INDEX
                : about(
                    request,
                    writes.incrementAndGet() % 2 == 1
                        ? bulk(404, error("index_not_found_exception", "no such index"))
                        : bulk(201, ",\"_seq_no\":7,\"_primary_term\":3")));

    assertThat(writes()).allMatch(WriteResult.Applied.class::isInstance);
    assertThat(writes).as("each twice").hasValue(6);
  }

  /** Which node is asked first is the client's choice: all of them are tried. */
  @Test
  void item_whoseIncarnationOneNodeOfThreeNeverKnows_isWrittenThroughAnother() throws Exception {
    try (HttpFront second = HttpFront.alone(request -> INDEX);
        HttpFront third = HttpFront.alone(request -> INDEX);
        ElasticsearchLockStore three =
            ElasticsearchLockStore.builder(server.url(), second.url(), third.url()).build()) {
      Reply gone = bulk(404, error("index_not_found_exception", "no such index"));
      Reply applied = bulk(201, ",\"_seq_no\":7,\"_primary_term\":3");
      for (HttpFront stale : List.of(server, second, third)) {
        for (HttpFront each : List.of(server, second, third)) {
          each.script(
              request ->
                  request.isIndex() ? INDEX : about(request, each == stale ? gone : applied));
        }
        for (int i = 0; i < 3; i++) {
          assertThat(Answers.writes(three)).allMatch(WriteResult.Applied.class::isInstance);
        }
      }
    }
  }

  @Test
  void item_whoseIncarnationTwoNodesOfThreeDoNotKnow_isRejected_thoughTheThirdIsDown()
      throws Exception {
    HttpFront second = HttpFront.alone(request -> INDEX);
    HttpFront third = HttpFront.alone(request -> INDEX);
    try (second;
        third;
        ElasticsearchLockStore three =
            ElasticsearchLockStore.builder(third.url(), server.url(), second.url()).build()) {
      Reply gone = bulk(404, error("index_not_found_exception", "no such index"));
      for (HttpFront each : List.of(server, second)) {
        each.script(request -> request.isIndex() ? INDEX : about(request, gone));
      }
      third.script(request -> request.isIndex() ? INDEX : new Reply.Reset());
      assertThat(Answers.writes(three))
          .allSatisfy(
              result ->
                  assertThat(result)
                      .isInstanceOfSatisfying(
                          WriteResult.Rejected.class,
                          r -> assertThat(r.cause()).isInstanceOf(IncarnationGoneException.class)));

      second.script(request -> request.isIndex() ? INDEX : new Reply.Reset());
      for (int i = 0; i < 3; i++) {
        assertThat(Answers.writes(three))
            .as("one of three says so, and nobody else answers")
            .allMatch(WriteResult.Unknown.class::isInstance);
      }
    }
  }

  @Test
  void item_whoseIncarnationANodeDoesNotKnow_thatIsGivenTwice_isUnknown_whileTheOtherIsDown()
      throws Exception {
    HttpFront second = HttpFront.alone(request -> INDEX);
    try (second;
        ElasticsearchLockStore two =
            ElasticsearchLockStore.builder(server.url(), server.url(), second.url()).build()) {
      answers(bulk(404, error("index_not_found_exception", "no such index")));
      second.script(request -> request.isIndex() ? INDEX : new Reply.Reset());

      assertThat(Answers.writes(two))
          .as("one of two nodes, not two of three")
          .allMatch(WriteResult.Unknown.class::isInstance);
    }
  }

  @Test
  void item_thatIsOverloadedOrHasNoShard_isUnknown() throws Exception {
    for (int status : List.of(408, 429, 500, 502, 503, 504)) {
      answers(bulk(status, error("some_exception", "for some reason")));
      for (WriteResult result : writes()) {
        assertThat(result)
            .isInstanceOfSatisfying(
                WriteResult.Unknown.class,
                u -> assertThat(u.cause()).hasMessageContaining("for some reason"));
      }
    }
  }

  @Test
  void item_thatIsRefused_isRejected() throws Exception {
    for (int status : List.of(400, 403)) {
      answers(bulk(status, error("some_exception", "needs [delete]")));
      for (WriteResult result : writes()) {
        assertThat(result)
            .isInstanceOfSatisfying(
                WriteResult.Rejected.class,
                r -> assertThat(r.cause()).hasMessageContaining("needs [delete]"));
      }
    }
  }

  // --- Items of an _mget

  private static Reply mget(String item) {
    return HttpFront.json(200, "{\"docs\":[" + item + "]}");
  }

  @Test
  void document_thatIsNotThere_isAbsent() throws Exception {
    answers(mget("{\"_index\":\"i\",\"_id\":\"x\",\"found\":false}"));

    assertThat(get(store.read("x"))).isInstanceOf(ReadResult.Absent.class);
  }

  @Test
  void document_ofAnotherName_isUnavailable() throws Exception {
    for (String rest :
        List.of("\"found\":false", "\"found\":true,\"_seq_no\":1,\"_primary_term\":1")) {
      answers(mget("{\"_index\":\"i\",\"_id\":\"y\"," + rest + "}"));
      assertThat(get(store.read("x"))).isInstanceOf(ReadResult.Unavailable.class);
    }
  }

  @Test
  void document_withoutAVersion_isUnavailable() throws Exception {
    answers(mget("{\"_index\":\"i\",\"_id\":\"x\",\"found\":true,\"_source\":{}}"));

    assertThat(get(store.read("x"))).isInstanceOf(ReadResult.Unavailable.class);
  }

  @Test
  void document_thatCannotBeRead_isUnavailable() throws Exception {
    answers(
        mget(
            "{\"_index\":\"i\",\"_id\":\"x\",\"error\":{\"type\":\"no_shard_available\",\"reason\":\"red\"}}"));

    assertThat(get(store.read("x")))
        .isInstanceOfSatisfying(
            ReadResult.Unavailable.class, u -> assertThat(u.cause()).hasMessageContaining("red"));
  }

  // --- Silence

  @Test
  void acquire_ofAServerThatNeverAnswers_endsWithTheRequestTimeout_andNamesTheHost() {
    server.script(request -> new Reply.Silence());
    store.close();
    store =
        ElasticsearchLockStore.builder(server.url()).responseTimeout(Duration.ofHours(1)).build();
    Duration timeout = Duration.ofMillis(500);
    try (LockManager locks = LockManager.builder(store).requestTimeout(timeout).build()) {
      long start = System.nanoTime();

      LockStoreUnavailableException outage =
          catchThrowableOfType(LockStoreUnavailableException.class, () -> locks.tryAcquire("x"));

      assertThat(outage.isRetryable()).isTrue();
      assertThat(outage).hasMessageContaining(server.host());
      Duration took = Duration.ofNanos(System.nanoTime() - start);
      // Not before; and long before the transport's own, however slow the machine.
      assertThat(took).isBetween(timeout, Duration.ofSeconds(25));
    }
  }

  /** A node that stands still is given up for the next, and left alone. */
  @Test
  void node_thatIsSilent_isNotAskedAgainAndAgain() throws Exception {
    answers(mget("{\"_index\":\"i\",\"_id\":\"x\",\"found\":false}"));
    try (HttpFront silent =
        HttpFront.alone(request -> request.isIndex() ? INDEX : new Reply.Silence())) {
      store.close();
      store =
          ElasticsearchLockStore.builder(server.url(), silent.url())
              .responseTimeout(Duration.ofSeconds(3))
              .build();

      for (int i = 0; i < 20; i++) {
        assertThat(get(store.read("x"))).isInstanceOf(ReadResult.Absent.class);
      }

      // Once; and the answering one may have been slow itself, and be left alone for a while too.
      assertThat(silent.requests(HttpFront.Request::isMget)).hasSizeBetween(1, 9);
    }
  }

  /** Or it would never be the transport that gives a request up, and learns from that. */
  @Test
  void responseTimeout_byDefault_leavesTimeForAnotherNode() {
    Duration response = new ManagedTransport.Settings(List.of()).responseTimeout();
    Duration request = LockOptions.defaults().ttl().dividedBy(3);
    assertThat(response.multipliedBy(2)).isLessThan(request);
  }

  @Test
  void acquire_ofAServerThatDoesNotListen_isAnOutageAtOnce_andNamesTheHost() throws Exception {
    String nobody;
    try (ServerSocket closed = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      nobody = "127.0.0.1:" + closed.getLocalPort();
    }
    store.close();
    store = ElasticsearchLockStore.builder("http://user:secret-word@" + nobody).build();
    try (LockManager locks = LockManager.create(store)) {
      LockStoreUnavailableException outage =
          catchThrowableOfType(
              LockStoreUnavailableException.class,
              () ->
                  locks.tryAcquire(
                      "x", LockOptions.defaults().withWaitTimeout(Duration.ofMillis(100))));

      assertThat(outage.isRetryable()).isTrue();
      assertThat(outage).hasMessageContaining(nobody);
      for (Throwable t = outage; t != null; t = t.getCause()) {
        assertThat(t.toString()).doesNotContain("secret-word");
      }
    }
  }

  @Test
  void store_thatIsClosed_refusesInsteadOfHanging() throws Exception {
    server.script(request -> new Reply.Silence());
    CompletableFuture<ReadResult> underWay = store.read("x");

    store.close();

    assertThatThrownBy(() -> get(underWay)).isNotNull();
    assertThat(get(store.read("y"))).isInstanceOf(ReadResult.Unavailable.class);
  }

  /**
   * The client tries one node after the other; what it was told first may have been carried out.
   */
  @Test
  void failure_beforeAnythingWasSent_isOne_onlyIfItWasSoWithEachNode() {
    IOException untrusted = new ResponseGuard.NotSentException("a", new IOException());
    IOException another = new ResponseGuard.NotSentException("b", new IOException());
    assertThat(Failures.isNotSent(untrusted)).isTrue();
    another.addSuppressed(untrusted);
    assertThat(Failures.isNotSent(another)).isTrue();
    untrusted.addSuppressed(new SocketException("Connection reset"));
    assertThat(Failures.isNotSent(another)).isFalse();
    assertThat(Failures.isNotSent(new SocketException("Connection reset"))).isFalse();
  }

  /** Only on a connection that had served before, which may have been dead. */
  @Test
  void requests_areNotSentAgain_onFreshConnections() throws Exception {
    answers(new Reply.Reset());
    server.forgetRequests();

    for (WriteResult result : writes()) {
      assertThat(result).isInstanceOf(WriteResult.Unknown.class);
    }

    // The first may have had the connection on which the index was found.
    assertThat(server.requests(HttpFront.Request::isBulk)).hasSizeBetween(3, 4);
  }

  @Test
  void redirect_isNotFollowed() throws Exception {
    try (HttpFront elsewhere = HttpFront.alone(request -> INDEX)) {
      answers(HttpFront.json(307, "").with("Location", elsewhere.url() + "/_bulk"));

      assertThat(writes()).noneMatch(WriteResult.Applied.class::isInstance);
      assertThat(elsewhere.requests()).isEmpty();
    }
  }

  @Test
  void builder_ofAnythingButAnHttpUrl_isRefused_withoutRepeatingIt() throws IOException {
    for (String bad :
        List.of(
            "",
            "localhost:9200",
            "ftp://u:secret-word@h",
            "http://",
            "http://h?x=secret-word",
            "https://CORP/svc:secret-word@h:9200",
            "https://user:2024/secret-word@h")) {
      assertThatThrownBy(() -> ElasticsearchLockStore.builder(bad))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("https://localhost:9200")
          .message()
          .doesNotContain("secret-word");
    }
    assertThatThrownBy(ElasticsearchLockStore::builder)
        .isInstanceOf(IllegalArgumentException.class);
  }
}
