package dev.holdfast.lock.elasticsearch;

import co.elastic.clients.elasticsearch._types.ErrorResponse;
import co.elastic.clients.elasticsearch.indices.GetIndexRequest;
import co.elastic.clients.elasticsearch.indices.IndexState;
import co.elastic.clients.json.JsonpDeserializer;
import co.elastic.clients.transport.Endpoint;
import co.elastic.clients.transport.JsonEndpoint;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * "Get index", with indices by name as its response. The Java client's own response class has them
 * in a method that was renamed between 8 and 9. Thread-safe.
 */
final class IndicesEndpoint
    implements JsonEndpoint<GetIndexRequest, Map<String, IndexState>, ErrorResponse> {
  static final IndicesEndpoint GET = new IndicesEndpoint();

  private static final Endpoint<GetIndexRequest, ?, ErrorResponse> CLIENT_ENDPOINT =
      GetIndexRequest._ENDPOINT;

  private IndicesEndpoint() {}

  @Override
  public String id() {
    return CLIENT_ENDPOINT.id();
  }

  @Override
  public String method(GetIndexRequest request) {
    return CLIENT_ENDPOINT.method(request);
  }

  @Override
  public String requestUrl(GetIndexRequest request) {
    return CLIENT_ENDPOINT.requestUrl(request);
  }

  @Override
  public Map<String, String> pathParameters(GetIndexRequest request) {
    return CLIENT_ENDPOINT.pathParameters(request);
  }

  @Override
  public Map<String, String> queryParameters(GetIndexRequest request) {
    return CLIENT_ENDPOINT.queryParameters(request);
  }

  @Override
  public Map<String, String> headers(GetIndexRequest request) {
    return CLIENT_ENDPOINT.headers(request);
  }

  @Override
  public @Nullable Object body(GetIndexRequest request) {
    return CLIENT_ENDPOINT.body(request);
  }

  @Override
  public boolean isError(int statusCode) {
    return CLIENT_ENDPOINT.isError(statusCode);
  }

  @Override
  public JsonpDeserializer<ErrorResponse> errorDeserializer(int statusCode) {
    return CLIENT_ENDPOINT.errorDeserializer(statusCode);
  }

  @Override
  public JsonpDeserializer<Map<String, IndexState>> responseDeserializer() {
    return JsonpDeserializer.stringMapDeserializer(IndexState._DESERIALIZER);
  }
}
