package dev.holdfast.lock.elasticsearch;

import co.elastic.clients.elasticsearch.ElasticsearchClient;
import co.elastic.clients.elasticsearch._types.ElasticsearchException;
import co.elastic.clients.elasticsearch._types.VersionType;
import dev.holdfast.lock.FencingToken;
import java.io.IOException;
import java.util.Map;
import java.util.Objects;

/**
 * Writes a user's own documents so that Elasticsearch itself turns away a holder whose lease has
 * ended: the fencing token is the document's external version ({@code version_type=external_gte}),
 * and a write with a lower one than the document has is rejected. Thread-safe.
 *
 * <p>Its limits:
 *
 * <ul>
 *   <li>It fences each document by itself: a stale holder is turned away from a document only after
 *       a newer one has written that document. A new holder that wants the old one out of all of
 *       them writes all of them.
 *   <li>A holder's own writes to a document have the same version and are all accepted, so a
 *       delayed duplicate of an earlier one may overwrite a later one <em>of the same holder</em>.
 *   <li>All writes to these documents must go through this class; one without a version defeats it.
 *   <li>Elasticsearch forgets the version of a deleted document after {@code index.gc_deletes} (60
 *       s by default), so {@link #delete} writes a tombstone instead: a document with the field
 *       {@link #TOMBSTONE_FIELD}, which searches are to exclude.
 *   <li>Tokens must fit into a long, see {@link FencingToken#toLong}. When the lock index was
 *       deleted and made anew without a raised era, tokens begin low again and every new holder is
 *       turned away: closed, not open.
 * </ul>
 */
public final class FencedElasticsearchWriter {
  /** Present, and true, in what {@link #delete} leaves behind. */
  public static final String TOMBSTONE_FIELD = "holdfast_deleted";

  private final ElasticsearchClient client;

  /** Writes through this client, which stays the caller's to close. */
  public FencedElasticsearchWriter(ElasticsearchClient client) {
    this.client = Objects.requireNonNull(client, "client");
  }

  /**
   * Writes a document.
   *
   * @param document anything that the client can write as JSON
   * @throws StaleFencingTokenException if the document was written under a higher token; nothing
   *     was changed
   * @throws IOException if there was no answer; the document may or may not have been written
   * @throws ElasticsearchException if Elasticsearch rejected for another reason
   * @throws ArithmeticException if the token does not fit into a long
   */
  public void write(String index, String id, Object document, FencingToken token)
      throws IOException {
    Objects.requireNonNull(index, "index");
    Objects.requireNonNull(id, "id");
    Objects.requireNonNull(document, "document");
    long version = token.toLong();
    try {
      client.index(
          request ->
              request
                  .index(index)
                  .id(id)
                  .versionType(VersionType.ExternalGte)
                  .version(version)
                  .document(document));
    } catch (ElasticsearchException e) {
      if (e.status() == Failures.CONFLICT) {
        throw new StaleFencingTokenException(index, id, token, e);
      }
      throw e;
    }
  }

  /**
   * Replaces a document by a tombstone. Throws what {@link #write} throws.
   *
   * @throws IOException if there was no answer
   */
  public void delete(String index, String id, FencingToken token) throws IOException {
    write(index, id, Map.of(TOMBSTONE_FIELD, true), token);
  }
}
