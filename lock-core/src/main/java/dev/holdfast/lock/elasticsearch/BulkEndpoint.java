package dev.holdfast.lock.elasticsearch;

import co.elastic.clients.elasticsearch._types.ErrorResponse;
import co.elastic.clients.elasticsearch.core.BulkRequest;
import co.elastic.clients.elasticsearch.core.BulkResponse;
import co.elastic.clients.json.JsonpMapper;
import co.elastic.clients.json.NdJsonpSerializable;
import co.elastic.clients.transport.JsonEndpoint;
import co.elastic.clients.transport.endpoints.DelegatingJsonEndpoint;
import co.elastic.clients.util.BinaryData;
import co.elastic.clients.util.ContentType;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Iterator;

/**
 * A {@code _bulk} request whose body the HTTP client gets in one piece, and sends in chunks as
 * large as its buffer. By itself elasticsearch-java 9.5.2 sends each line, and each line's end, as
 * a chunk of its own, in several writes to the socket; and Elasticsearch takes them one by one.
 * Thread-safe.
 */
final class BulkEndpoint extends DelegatingJsonEndpoint<BulkRequest, BulkResponse, ErrorResponse> {
  private static final int BYTES_PER_OPERATION = 512;

  private final JsonpMapper mapper;

  @SuppressWarnings("unchecked") // As in ElasticsearchAsyncClient.bulk.
  BulkEndpoint(JsonpMapper mapper) {
    super((JsonEndpoint<BulkRequest, BulkResponse, ErrorResponse>) BulkRequest._ENDPOINT);
    this.mapper = mapper;
  }

  /** How many bytes the body of a request has. */
  long sizeOf(BulkRequest request) {
    return inOnePiece(request).size();
  }

  @Override
  public Object body(BulkRequest request) {
    return inOnePiece(request);
  }

  private BinaryData inOnePiece(BulkRequest request) {
    ByteArrayOutputStream body =
        new ByteArrayOutputStream(BYTES_PER_OPERATION * request.operations().size());
    try {
      write(request, body);
    } catch (IOException e) {
      throw new UncheckedIOException("a bulk request cannot be written to memory", e);
    }
    return BinaryData.of(body.toByteArray(), ContentType.APPLICATION_JSON);
  }

  private void write(NdJsonpSerializable lines, ByteArrayOutputStream body) throws IOException {
    for (Iterator<?> items = lines._serializables(); items.hasNext(); ) {
      Object item = items.next();
      if (item instanceof NdJsonpSerializable nested && nested != lines) {
        write(nested, body);
      } else if (item != null) {
        BinaryData.of(item, mapper).writeTo(body);
        body.write('\n');
      }
    }
  }
}
