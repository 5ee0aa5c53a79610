package dev.holdfast.lock.elasticsearch;

import dev.holdfast.lock.elasticsearch.HttpFront.Reply;
import dev.holdfast.lock.elasticsearch.HttpFront.Request;
import dev.holdfast.lock.store.Incarnation;
import dev.holdfast.lock.store.LockRecord;
import dev.holdfast.lock.store.Version;
import dev.holdfast.lock.store.WriteResult;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** What a healthy node answers about lock "x", which is held; and what is asked of it. */
final class Answers {
  static final String INCARNATION = "holdfast-locks.00";
  static final Version VERSION = new Version(new Incarnation(INCARNATION, 0), 1, 5);
  static final LockRecord RECORD =
      new LockRecord("x", "t", "o", Instant.EPOCH, Instant.EPOCH, 30_000, null, Map.of());

  /** The index as a real one answers. */
  static final Reply.Answer INDEX =
      HttpFront.json(
          200,
          "{\"holdfast-locks-1\":{\"aliases\":{\"holdfast-locks\":{},\""
              + INCARNATION
              + "\":{}},\"mappings\":{\"dynamic\":\"false\",\"_meta\":{\"holdfast\":{\"era\":0}},"
              + "\"properties\":{\"token\":{\"type\":\"keyword\"},\"owner\":{\"type\":\"keyword\"},"
              + "\"createdAt\":{\"type\":\"date\"},\"expiresAt\":{\"type\":\"date\"},"
              + "\"ttlMillis\":{\"type\":\"long\"},\"maxClockSkewMillis\":{\"type\":\"long\"},"
              + "\"metadata\":{\"type\":\"object\",\"enabled\":false}}},\"settings\":{}}}");

  private static final String SOURCE =
      "\"_source\":{\"token\":\"t\",\"owner\":\"o\",\"ttlMillis\":30000,\"metadata\":{\"a\":[1]}}";

  private Answers() {}

  static Reply.Answer to(Request request) {
    if (request.isBulk()) {
      return HttpFront.json(
          200,
          "{\"took\":1,\"errors\":false,\"items\":[{\""
              + request.body().split("\"", 3)[1]
              + "\":{\"_index\":\"holdfast-locks-1\",\"_id\":\"x\",\"_version\":7,\"result\":\"updated\","
              + "\"_shards\":{\"total\":2,\"successful\":2,\"failed\":0},\"_seq_no\":7,"
              + "\"_primary_term\":3,\"status\":200}}]}");
    } else if (request.isMget()) {
      return HttpFront.json(
          200,
          "{\"docs\":[{\"_index\":\"holdfast-locks-1\",\"_id\":\"x\",\"_version\":7,\"_seq_no\":7,"
              + "\"_primary_term\":3,\"found\":true,"
              + SOURCE
              + "}]}");
    } else if (request.path().endsWith("/_search")) {
      return HttpFront.json(
          200,
          "{\"took\":1,\"timed_out\":false,\"pit_id\":\"pit\",\"_shards\":{\"total\":1,"
              + "\"successful\":1,\"skipped\":0,\"failed\":0},\"hits\":{\"max_score\":null,\"hits\":"
              + "[{\"_index\":\"holdfast-locks-1\",\"_id\":\"x\",\"_score\":null,\"_seq_no\":7,"
              + "\"_primary_term\":3,"
              + SOURCE
              + ",\"sort\":[0]}]}}");
    } else if (request.path().endsWith("/_pit")) {
      if (request.method().equals("DELETE")) {
        return HttpFront.json(200, "{\"succeeded\":true,\"num_freed\":1}");
      }
      // As Elasticsearch 8.0 does: it takes no body, and tells nothing of shards.
      return request.body().isEmpty()
          ? HttpFront.json(200, "{\"id\":\"pit\"}")
          : HttpFront.json(
              400,
              "{\"error\":{\"type\":\"illegal_argument_exception\",\"reason\":\"request does not"
                  + " support having a body\"},\"status\":400}");
    }
    return INDEX;
  }

  /** The whole of it, as it is sent. */
  static byte[] bytes(Reply.Answer answer) {
    StringBuilder text = new StringBuilder("HTTP/1.1 " + answer.status() + " OK\r\n");
    answer.headers().forEach((k, v) -> text.append(k).append(": ").append(v).append("\r\n"));
    text.append("Content-Length: ").append(answer.body().length()).append("\r\n\r\n");
    return text.append(answer.body()).toString().getBytes(StandardCharsets.ISO_8859_1);
  }

  static <T> T get(CompletableFuture<T> future) throws Exception {
    return future.get(60, TimeUnit.SECONDS);
  }

  /** One of each kind, of lock "x". */
  static List<WriteResult> writes(ElasticsearchLockStore store) throws Exception {
    return List.of(
        get(store.create(RECORD)),
        get(store.replace(RECORD, VERSION)),
        get(store.delete("x", VERSION)));
  }
}
