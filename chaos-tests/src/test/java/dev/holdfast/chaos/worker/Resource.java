package dev.holdfast.chaos.worker;

import co.elastic.clients.elasticsearch.ElasticsearchClient;
import co.elastic.clients.elasticsearch.core.GetResponse;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.holdfast.lock.FencingToken;
import dev.holdfast.lock.elasticsearch.FencedElasticsearchWriter;
import java.io.IOException;
import java.util.Map;

/**
 * The resources that the locks protect: for each a fenced document, and a counter without fencing.
 */
final class Resource {

  private static final String COUNT = "count";

  private final ElasticsearchClient client;
  private final FencedElasticsearchWriter writer;
  private final WorkerSpec.Names names;
  private final boolean fenced;

  Resource(ElasticsearchClient client, WorkerSpec.Names names, boolean fenced) {
    this.client = client;
    this.writer = new FencedElasticsearchWriter(client);
    this.names = names;
    this.fenced = fenced;
  }

  /** Writes a lock's document. Throws what {@link FencedElasticsearchWriter#write} throws. */
  void write(String lock, Map<String, ?> document, FencingToken token) throws IOException {
    if (fenced) {
      writer.write(names.resourceIndex(), lock, document, token);
    } else {
      client.index(index -> index.index(names.resourceIndex()).id(lock).document(document));
    }
  }

  /** Reads a lock's counter; 0 if there is none yet. */
  long read(String lock) throws IOException {
    GetResponse<ObjectNode> read =
        client.get(get -> get.index(names.counterIndex()).id(lock), ObjectNode.class);
    ObjectNode counter = read.source();
    return counter == null ? 0 : counter.path(COUNT).asLong();
  }

  /** Writes a lock's counter, without asking who else did since it was read. */
  void write(String lock, long count) throws IOException {
    client.index(
        index -> index.index(names.counterIndex()).id(lock).document(Map.of(COUNT, count)));
  }
}
