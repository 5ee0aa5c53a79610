package dev.holdfast.lock.elasticsearch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.holdfast.lock.LockManager;
import dev.holdfast.lock.LockOptions;
import dev.holdfast.lock.LockStoreUnavailableException;
import dev.holdfast.lock.elasticsearch.HttpFront.Reply;
import dev.holdfast.lock.elasticsearch.HttpFront.Request;
import dev.holdfast.lock.store.ListResult;
import dev.holdfast.lock.store.ReadResult;
import dev.holdfast.lock.store.WriteResult;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The one rule for failures, call by call: what is refused for good and what may pass, and whether
 * the message says who answered what.
 */
@Timeout(120)
class FailureTableTest {
  private static final String INDEX = "holdfast-locks-1";

  private final HttpFront server = HttpFront.alone(Answers::to);
  private final ElasticsearchLockStore store = ElasticsearchLockStore.builder(server.url()).build();
  private final LockManager locks = LockManager.create(store);
  private final LogCapture logs = LogCapture.ofHoldfast();

  @BeforeEach
  void findTheIndex() throws Exception {
    assertThat(Answers.get(store.read("x"))).isInstanceOf(ReadResult.Found.class);
  }

  @AfterEach
  void close() {
    logs.close();
    server.script(Answers::to);
    locks.close();
    store.close();
    server.close();
  }

  // --- Answers for a whole request

  /**
   * A row of the table.
   *
   * @param said what the message must contain besides the status
   */
  record Row(Reply.Answer answer, boolean retryable, List<String> said) {
    @Override
    public String toString() {
      return answer.status() + " " + String.join(" ", said);
    }
  }

  private static Row elasticsearch(int status, String type, String reason, boolean retryable) {
    return new Row(
        HttpFront.error(status, type, reason),
        retryable,
        List.of(type, reason, "index \"" + INDEX + "\""));
  }

  private static Row proxy(int status, boolean retryable) {
    return new Row(HttpFront.html(status), retryable, List.of("proxy"));
  }

  /** Of a proxy that answers in JSON of its own, or says that it does. */
  private static Row json(int status, String body, boolean retryable) {
    return new Row(
        new Reply.Answer(status, Map.of("Content-Type", "application/json"), body),
        retryable,
        List.of("proxy"));
  }

  static Stream<Row> answers() {
    return Stream.of(
        elasticsearch(400, "illegal_argument_exception", "no", false),
        elasticsearch(401, "security_exception", "missing credentials", false),
        elasticsearch(403, "security_exception", "unauthorized", false),
        elasticsearch(
            403, "cluster_block_exception", "blocked by: [FORBIDDEN/8/index write (api)];", false),
        elasticsearch(408, "timeout_exception", "late", true),
        elasticsearch(429, "es_rejected_execution_exception", "queue is full", true),
        elasticsearch(
            429, "cluster_block_exception", "[TOO_MANY_REQUESTS/12/disk usage exceeded]", true),
        elasticsearch(429, "circuit_breaking_exception", "too much data", true),
        elasticsearch(500, "some_exception", "bug", true),
        elasticsearch(503, "master_not_discovered_exception", "no master", true),
        json(400, "", false),
        json(403, "{\"message\":\"Forbidden\"}", false),
        json(403, "[]", false),
        json(404, "{\"message\":\"no Route matched\"}", true),
        json(429, "{\"message\":\"slow down\"}", true),
        json(429, "", true),
        json(503, "{\"message\":\"no healthy upstream\"}", true),
        proxy(400, false),
        proxy(401, false),
        proxy(403, false),
        // While what is behind it starts, a proxy may not know the path.
        proxy(404, true),
        proxy(408, true),
        proxy(429, true),
        proxy(499, true),
        proxy(500, true),
        proxy(502, true),
        proxy(503, true),
        proxy(504, true));
  }

  @ParameterizedTest
  @MethodSource("answers")
  void answer_toAWholeRequest_meansTheSameForEachCall(Row row) throws Exception {
    server.script(request -> row.answer());

    List<Throwable> causes = new ArrayList<>();
    for (WriteResult write : Answers.writes(store)) {
      assertThat(write)
          .isInstanceOf(row.retryable ? WriteResult.Unknown.class : WriteResult.Rejected.class);
      causes.add(
          write instanceof WriteResult.Unknown unknown
              ? unknown.cause()
              : ((WriteResult.Rejected) write).cause());
    }
    ReadResult read = Answers.get(store.read("x"));
    assertThat(read)
        .isInstanceOf(row.retryable ? ReadResult.Unavailable.class : ReadResult.Rejected.class);
    ListResult list = Answers.get(store.list(10));
    assertThat(list)
        .isInstanceOf(row.retryable ? ListResult.Unavailable.class : ListResult.Rejected.class);
    for (Throwable cause : causes) {
      assertThat(cause).hasMessageContaining(String.valueOf(row.answer.status()));
      assertThat(cause.getMessage()).contains(row.said);
    }
    assertCallsFail(row.retryable, String.valueOf(row.answer.status()), row.said);
  }

  private void assertCallsFail(boolean retryable, String status, List<String> said) {
    LockOptions brief = LockOptions.defaults().withTtl(Duration.ofSeconds(3));
    for (ThrowingCallable call :
        List.<ThrowingCallable>of(
            () -> locks.acquire("y", brief),
            () -> locks.tryAcquire("y", brief),
            () -> locks.find("y"),
            locks::list,
            () -> locks.forceRelease("y"))) {
      LockStoreUnavailableException failure =
          catchThrowableOfType(LockStoreUnavailableException.class, call);
      assertThat(failure.isRetryable()).as(failure.getMessage()).isEqualTo(retryable);
      assertThat(failure.getMessage()).contains(status).contains(said);
    }
    assertThat(logs.lines())
        .noneMatch(line -> line.contains("did not answer") && line.contains("answered"));
  }

  /** The client takes any JSON for the answer to this one. */
  @ParameterizedTest
  @MethodSource("answers")
  void answer_toTheCreationOfTheIndex_isNotTakenForSuccess(Row row) {
    HttpFront empty =
        HttpFront.alone(
            request ->
                request.method().equals("PUT")
                    ? row.answer()
                    : HttpFront.error(404, "index_not_found_exception", "no such index"));
    try (empty;
        ElasticsearchLockStore other = ElasticsearchLockStore.builder(empty.url()).build();
        LockManager others = LockManager.create(other)) {
      LockStoreUnavailableException failure =
          catchThrowableOfType(LockStoreUnavailableException.class, () -> others.acquire("y"));

      assertThat(failure.isRetryable()).as(failure.getMessage()).isEqualTo(row.retryable);
      assertThat(failure).hasMessageContaining(String.valueOf(row.answer.status()));
    }
  }

  // --- Answers for one operation of a request

  /** A row about one operation; reads have no status. */
  record Item(int status, String type, String reason, boolean retryable) {
    Reply.Answer to(Request request) {
      String error = "\"error\":{\"type\":\"" + type + "\",\"reason\":\"" + reason + "\"}";
      String document = "\"_index\":\"" + INDEX + "\",\"_id\":\"" + idIn(request) + "\"";
      return request.isBulk()
          ? HttpFront.json(
              200,
              "{\"took\":1,\"errors\":true,\"items\":[{\""
                  + request.body().split("\"", 3)[1]
                  + "\":{"
                  + document
                  + ",\"status\":"
                  + status
                  + ","
                  + error
                  + "}}]}")
          : request.isMget()
              ? HttpFront.json(200, "{\"docs\":[{" + document + "," + error + "}]}")
              : HttpFront.error(status, type, reason);
    }

    private static String idIn(Request request) {
      return request.body().contains("\"y\"") ? "y" : "x";
    }
  }

  static Stream<Item> items() {
    return Stream.of(
        new Item(400, "index_closed_exception", "closed", false),
        new Item(400, "illegal_argument_exception", "no", false),
        new Item(
            403, "cluster_block_exception", "blocked by: [FORBIDDEN/5/index read (api)];", false),
        new Item(403, "security_exception", "unauthorized", false),
        new Item(429, "es_rejected_execution_exception", "queue is full", true),
        new Item(
            503,
            "cluster_block_exception",
            "blocked by: [SERVICE_UNAVAILABLE/1/state not recovered];",
            true),
        new Item(503, "unavailable_shards_exception", "no primary", true),
        new Item(503, "no_shard_available_action_exception", "no copy", true));
  }

  @ParameterizedTest
  @MethodSource("items")
  void answer_toOneOperation_meansTheSameForEachCall(Item item) throws Exception {
    server.script(item::to);

    for (WriteResult write : Answers.writes(store)) {
      assertThat(write)
          .isInstanceOf(item.retryable ? WriteResult.Unknown.class : WriteResult.Rejected.class);
    }
    assertThat(Answers.get(store.read("x")))
        .isInstanceOf(item.retryable ? ReadResult.Unavailable.class : ReadResult.Rejected.class);
    assertCallsFail(
        item.retryable,
        String.valueOf(item.status),
        List.of(item.type, item.reason, "index \"" + INDEX + "\""));
  }
}
