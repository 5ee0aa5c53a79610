package dev.holdfast.lock.elasticsearch;

import static org.assertj.core.api.Assertions.assertThat;

import co.elastic.clients.elasticsearch.ElasticsearchClient;
import co.elastic.clients.elasticsearch.core.BulkRequest;
import co.elastic.clients.elasticsearch.core.BulkResponse;
import co.elastic.clients.elasticsearch.core.bulk.BulkOperation;
import co.elastic.clients.json.jackson.JacksonJsonpMapper;
import co.elastic.clients.transport.ElasticsearchTransport;
import co.elastic.clients.transport.rest5_client.Rest5ClientTransport;
import co.elastic.clients.transport.rest5_client.low_level.Rest5Client;
import co.elastic.clients.util.BinaryData;
import co.elastic.clients.util.ContentType;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class BulkEndpointTest {
  /** With an id and a document of which a careless writer of lines would make more of them. */
  private static final BulkRequest REQUEST =
      BulkRequest.of(
          bulk ->
              bulk.requireAlias(true)
                  .operations(
                      BulkOperation.of(
                          op ->
                              op.create(
                                  create ->
                                      create
                                          .index("i")
                                          .id("a\"\\\n\u00e9\u4e2d\ud83d\ude00")
                                          .document(document("{\"a\":\"\\n\u00e9\"}")))),
                      BulkOperation.of(
                          op ->
                              op.index(
                                  write ->
                                      write
                                          .index("i")
                                          .id("b")
                                          .ifSeqNo(3L)
                                          .ifPrimaryTerm(2L)
                                          .document(document("{}")))),
                      BulkOperation.of(
                          op ->
                              op.delete(
                                  delete ->
                                      delete.index("i").id("c").ifSeqNo(4L).ifPrimaryTerm(2L)))));

  private static BinaryData document(String json) {
    return BinaryData.of(json.getBytes(StandardCharsets.UTF_8), ContentType.APPLICATION_JSON);
  }

  @Test
  void request_isWhatTheClientItselfSends_butInOnePiece() throws IOException {
    try (HttpFront server = HttpFront.alone(Answers::to)) {
      // A transport without options: what it sends is what the endpoint says, headers and all.
      try (ElasticsearchTransport transport =
          new Rest5ClientTransport(
              Rest5Client.builder(URI.create(server.url())).build(), new JacksonJsonpMapper())) {
        BulkResponse byItself = new ElasticsearchClient(transport).bulk(REQUEST);
        BulkResponse inOnePiece =
            transport.performRequest(REQUEST, new BulkEndpoint(transport.jsonpMapper()), null);

        HttpFront.Request expected = server.requests().get(0);
        HttpFront.Request request = server.requests().get(1);
        assertThat(request.body()).isEqualTo(expected.body()).endsWith("}\n");
        assertThat(request.method()).isEqualTo(expected.method());
        assertThat(request.target()).isEqualTo(expected.target());
        assertThat(request.headers()).isEqualTo(expected.headers());
        assertThat(inOnePiece).hasToString(byItself.toString());
        assertThat(request.chunks()).isLessThanOrEqualTo(1);
        assertThat(expected.chunks())
            .as("if it is 1 or less, the client has fixed it, and BulkEndpoint is not needed")
            .isGreaterThan(1);
      }
    }
  }
}
