package dev.holdfast.bench.peers;

import co.elastic.clients.elasticsearch.ElasticsearchAsyncClient;
import co.elastic.clients.elasticsearch.ElasticsearchClient;
import co.elastic.clients.elasticsearch._types.ErrorResponse;
import co.elastic.clients.elasticsearch.core.BulkRequest;
import co.elastic.clients.elasticsearch.core.BulkResponse;
import co.elastic.clients.elasticsearch.core.CreateRequest;
import co.elastic.clients.elasticsearch.core.CreateResponse;
import co.elastic.clients.elasticsearch.core.DeleteRequest;
import co.elastic.clients.elasticsearch.core.DeleteResponse;
import co.elastic.clients.elasticsearch.core.bulk.BulkOperation;
import co.elastic.clients.json.JsonpMapper;
import co.elastic.clients.transport.ElasticsearchTransport;
import co.elastic.clients.transport.JsonEndpoint;
import co.elastic.clients.transport.endpoints.DelegatingJsonEndpoint;
import co.elastic.clients.util.BinaryData;
import co.elastic.clients.util.ContentType;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Instant;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;

/**
 * The lower bound for a lock: a conditional create and a conditional delete of a like document in
 * the same index, alone or in bulk.
 */
public final class RawRequests {
  private RawRequests() {}

  /** Returns what a lock's record looks like, with values of its own, as each lock's has. */
  public static Map<String, Object> document() {
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

  public static DeleteResponse createAndDelete(ElasticsearchClient client, String id)
      throws IOException {
    return client.delete(delete(id, client.create(create(id))));
  }

  public static CompletableFuture<DeleteResponse> createAndDelete(
      ElasticsearchAsyncClient client, String id) {
    return client.create(create(id)).thenCompose(created -> client.delete(delete(id, created)));
  }

  /** With a body of one buffer; by itself the client sends each line, and each newline, apart. */
  public static BulkResponse bulkInOnePiece(ElasticsearchTransport transport, BulkRequest request)
      throws IOException {
    return transport.performRequest(request, new OnePiece(transport.jsonpMapper()), null);
  }

  private static final class OnePiece
      extends DelegatingJsonEndpoint<BulkRequest, BulkResponse, ErrorResponse> {
    private final JsonpMapper mapper;

    @SuppressWarnings("unchecked") // As in ElasticsearchClient.bulk.
    OnePiece(JsonpMapper mapper) {
      super((JsonEndpoint<BulkRequest, BulkResponse, ErrorResponse>) BulkRequest._ENDPOINT);
      this.mapper = mapper;
    }

    @Override
    public Object body(BulkRequest request) {
      ByteArrayOutputStream body = new ByteArrayOutputStream();
      try {
        for (BulkOperation operation : request.operations()) {
          BinaryData.of(operation, mapper).writeTo(body);
          body.write('\n');
          if (operation.isCreate()) {
            BinaryData.of(operation.create().document(), mapper).writeTo(body);
            body.write('\n');
          }
        }
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
      return BinaryData.of(body.toByteArray(), ContentType.APPLICATION_JSON);
    }
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
