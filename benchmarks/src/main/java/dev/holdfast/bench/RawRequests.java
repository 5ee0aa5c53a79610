package dev.holdfast.bench;

import co.elastic.clients.elasticsearch.ElasticsearchAsyncClient;
import co.elastic.clients.elasticsearch.ElasticsearchClient;
import co.elastic.clients.elasticsearch.core.CreateRequest;
import co.elastic.clients.elasticsearch.core.CreateResponse;
import co.elastic.clients.elasticsearch.core.DeleteRequest;
import co.elastic.clients.elasticsearch.core.DeleteResponse;
import java.io.IOException;
import java.time.Instant;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;

/**
 * What a lock cannot be cheaper than: a conditional create and a conditional delete of a like
 * document in the same index.
 */
final class RawRequests {
  private RawRequests() {}

  /** What a lock's record looks like, with values of its own, as each lock's has. */
  static Map<String, Object> document() {
    Instant now = Instant.now();
    return Map.of(
        "token", UUID.randomUUID().toString(),
        "owner", "raw-host/12345/0123abcd",
        "createdAt", now.toString(),
        "expiresAt", now.plusSeconds(30).toString(),
        "ttlMillis", 30_000L,
        "maxClockSkewMillis", 2_000L,
        "metadata", Map.of());
  }

  static DeleteResponse createAndDelete(ElasticsearchClient client, String id) throws IOException {
    return client.delete(delete(id, client.create(create(id))));
  }

  static CompletableFuture<DeleteResponse> createAndDelete(
      ElasticsearchAsyncClient client, String id) {
    return client.create(create(id)).thenCompose(created -> client.delete(delete(id, created)));
  }

  private static CreateRequest<Map<String, Object>> create(String id) {
    return CreateRequest.of(create -> create.index(Server.ALIAS).id(id).document(document()));
  }

  private static DeleteRequest delete(String id, CreateResponse created) {
    return DeleteRequest.of(
        delete ->
            delete
                .index(Server.ALIAS)
                .id(id)
                .ifSeqNo(created.seqNo())
                .ifPrimaryTerm(created.primaryTerm()));
  }
}
