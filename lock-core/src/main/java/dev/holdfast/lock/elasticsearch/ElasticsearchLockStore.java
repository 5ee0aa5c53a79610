package dev.holdfast.lock.elasticsearch;

import co.elastic.clients.elasticsearch.ElasticsearchAsyncClient;
import co.elastic.clients.elasticsearch.ElasticsearchClient;
import co.elastic.clients.elasticsearch._types.ElasticsearchException;
import co.elastic.clients.elasticsearch._types.FieldValue;
import co.elastic.clients.elasticsearch._types.Time;
import co.elastic.clients.elasticsearch.core.SearchResponse;
import co.elastic.clients.elasticsearch.core.bulk.BulkOperation;
import co.elastic.clients.elasticsearch.core.bulk.BulkResponseItem;
import co.elastic.clients.elasticsearch.core.get.GetResult;
import co.elastic.clients.elasticsearch.core.mget.MultiGetOperation;
import co.elastic.clients.elasticsearch.core.mget.MultiGetResponseItem;
import co.elastic.clients.elasticsearch.core.search.Hit;
import co.elastic.clients.json.JsonData;
import co.elastic.clients.transport.ElasticsearchTransport;
import co.elastic.clients.util.BinaryData;
import co.elastic.clients.util.ContentType;
import dev.holdfast.lock.store.Batcher;
import dev.holdfast.lock.store.Chain;
import dev.holdfast.lock.store.Incarnation;
import dev.holdfast.lock.store.IncarnationGoneException;
import dev.holdfast.lock.store.ListResult;
import dev.holdfast.lock.store.LockRecord;
import dev.holdfast.lock.store.LockStore;
import dev.holdfast.lock.store.ReadResult;
import dev.holdfast.lock.store.Version;
import dev.holdfast.lock.store.WriteResult;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import javax.net.ssl.SSLContext;
import org.jspecify.annotations.Nullable;

/**
 * Keeps lock records in an Elasticsearch index, one document a lock, written conditionally ({@code
 * op_type=create}, {@code if_seq_no} and {@code if_primary_term}). Works with Elasticsearch 8 and
 * 9. Thread-safe; one serves any number of managers, and is to be closed after them.
 *
 * <p>The index is made when a lock is first acquired: hidden, one shard, with replicas on up to two
 * further nodes. One that exists is checked and never changed; when it is wrong, calls fail with a
 * {@link LockIndexException} that says what to do. It carries an alias with a random name for its
 * <em>incarnation</em>, to which all writes go: when the index is deleted, writes meant for it fail
 * instead of meeting the records of the next one.
 *
 * <p>Privileges needed on the index and its aliases: {@code read}, {@code index}, {@code delete}
 * and {@code view_index_metadata}; to make the index also {@code create_index} and {@code manage},
 * which Elasticsearch asks of whoever makes an index with aliases.
 */
public final class ElasticsearchLockStore implements LockStore, AutoCloseable {
  private static final int PAGE_SIZE = 1_000;

  /** How long Elasticsearch waits for a primary shard before it says that there is none. */
  private static final Time SHARD_TIMEOUT = Time.of(time -> time.time("3s"));

  private static final Time SEARCH_KEEP_ALIVE = Time.of(time -> time.time("1m"));

  /**
   * How many requests may be out before operations wait for the next to return: enough to keep the
   * server busy, and few enough for batches to fill.
   */
  private static final int MAX_WRITE_REQUESTS = 2;

  private static final int MAX_READ_REQUESTS = 2;

  private static final int MAX_WRITES_PER_REQUEST = 500;
  private static final int MAX_READS_PER_REQUEST = 200;
  private static final long MAX_BYTES_PER_REQUEST = 4 * 1024 * 1024;

  private final ElasticsearchAsyncClient client;
  private final LockIndex index;
  private final Batcher<BulkOperation, BulkResponseItem> writes =
      new Batcher<>(MAX_WRITE_REQUESTS, MAX_WRITES_PER_REQUEST, MAX_BYTES_PER_REQUEST, this::send);
  private final Batcher<MultiGetOperation, MultiGetResponseItem<JsonData>> reads =
      new Batcher<>(MAX_READ_REQUESTS, MAX_READS_PER_REQUEST, MAX_BYTES_PER_REQUEST, this::ask);
  private final String description;
  private final @Nullable OwnTransport owned;

  /** Requests on the store's own connections. */
  private final Map<Object, CompletableFuture<?>> underWay = new ConcurrentHashMap<>();

  private ElasticsearchLockStore(
      ElasticsearchTransport transport,
      IndexNames names,
      int fencingEra,
      String description,
      @Nullable OwnTransport owned) {
    this.client = new ElasticsearchAsyncClient(transport);
    this.index = new LockIndex(client, names, fencingEra);
    this.description = description;
    this.owned = owned;
  }

  /**
   * For a store that makes connections of its own.
   *
   * @param urls one or more, such as {@code https://localhost:9200}; a user and password in one of
   *     them are used for all
   * @throws IllegalArgumentException if one is not an http or https URL
   */
  public static Builder builder(String... urls) {
    return new Builder(null, Arrays.stream(urls).map(Builder::parsed).toList());
  }

  /**
   * For a store on the user's own client, with its connections, credentials and options. Locks are
   * safe whatever that client resends, but a loss of connection may be noticed late unless it has a
   * response timeout. It stays the caller's to close.
   */
  public static Builder builder(ElasticsearchClient client) {
    return builder(client._transport());
  }

  /** Like {@link #builder(ElasticsearchClient)}, for a transport. */
  public static Builder builder(ElasticsearchTransport transport) {
    return new Builder(Objects.requireNonNull(transport, "transport"), List.of());
  }

  // --- Writes

  @Override
  public CompletableFuture<WriteResult> create(LockRecord record) {
    BinaryData document = document(record);
    return write(
        index.findOrCreate(),
        incarnation ->
            BulkOperation.of(
                op ->
                    op.create(
                        create ->
                            create.index(incarnation.id()).id(record.lockId()).document(document))),
        document.size());
  }

  @Override
  public CompletableFuture<WriteResult> replace(LockRecord record, Version expected) {
    BinaryData document = document(record);
    return write(
        CompletableFuture.completedFuture(expected.incarnation()),
        incarnation ->
            BulkOperation.of(
                op ->
                    op.index(
                        write ->
                            write
                                .index(incarnation.id())
                                .id(record.lockId())
                                .ifSeqNo(expected.seqNo())
                                .ifPrimaryTerm(expected.primaryTerm())
                                .document(document))),
        document.size());
  }

  @Override
  public CompletableFuture<WriteResult> delete(String lockId, Version expected) {
    return write(
        CompletableFuture.completedFuture(expected.incarnation()),
        incarnation ->
            BulkOperation.of(
                op ->
                    op.delete(
                        delete ->
                            delete
                                .index(incarnation.id())
                                .id(lockId)
                                .ifSeqNo(expected.seqNo())
                                .ifPrimaryTerm(expected.primaryTerm()))),
        0);
  }

  private static BinaryData document(LockRecord record) {
    return BinaryData.of(RecordCodec.encode(record), ContentType.APPLICATION_JSON);
  }

  private CompletableFuture<WriteResult> write(
      CompletableFuture<Incarnation> target,
      Function<Incarnation, BulkOperation> operation,
      long bytes) {
    return tracked(
        Chain.of(
                target,
                incarnation -> write(incarnation, operation.apply(incarnation), bytes, true))
            .orElse(ElasticsearchLockStore::notWritten));
  }

  /**
   * A node that has been cut off, or is slow, does not know an index that was made meanwhile, and
   * says that there is none. So that one such node does not end all leases, the next is asked too:
   * the write was refused and changed nothing.
   */
  private CompletableFuture<WriteResult> write(
      Incarnation incarnation, BulkOperation operation, long bytes, boolean again) {
    return Chain.of(
        writes.submit(operation, bytes),
        item ->
            again && Failures.isIndexNotFound(item.error())
                ? write(incarnation, operation, bytes, false)
                : CompletableFuture.completedFuture(written(incarnation, item)));
  }

  private CompletableFuture<List<BulkResponseItem>> send(List<BulkOperation> operations) {
    return Chain.of(
        client.bulk(bulk -> bulk.requireAlias(true).timeout(SHARD_TIMEOUT).operations(operations)),
        response -> CompletableFuture.completedFuture(response.items()));
  }

  private WriteResult written(Incarnation incarnation, BulkResponseItem item) {
    Long primaryTerm = item.primaryTerm();
    Long seqNo = item.seqNo();
    if (item.status() == Failures.CONFLICT
        || (item.status() == Failures.NOT_FOUND && item.error() == null)) {
      return new WriteResult.Conflict();
    } else if (item.status() < 300
        && item.error() == null
        && primaryTerm != null
        && seqNo != null
        && primaryTerm > 0
        && seqNo >= 0) {
      return new WriteResult.Applied(new Version(incarnation, primaryTerm, seqNo));
    } else if (Failures.isIndexNotFound(item.error())) {
      index.forget(incarnation);
      return new WriteResult.Rejected(new IncarnationGoneException(incarnation));
    }
    Throwable cause = Failures.describe(item.status(), item.error());
    return Failures.isRefusal(item.status())
        ? new WriteResult.Rejected(cause)
        : new WriteResult.Unknown(cause);
  }

  private static WriteResult notWritten(Throwable failure) {
    return isRefusal(failure)
        ? new WriteResult.Rejected(Failures.describe(failure))
        : new WriteResult.Unknown(Failures.describe(failure));
  }

  private static boolean isRefusal(Throwable failure) {
    ElasticsearchException answer = Failures.ofElasticsearch(failure);
    return answer != null
        ? Failures.isRefusal(answer.status())
        : Failures.unwrapped(failure) instanceof LockIndexException;
  }

  // --- Reads

  @Override
  public CompletableFuture<ReadResult> read(String lockId) {
    return tracked(read(lockId, true));
  }

  private CompletableFuture<ReadResult> read(String lockId, boolean again) {
    return Chain.of(
            index.find(),
            incarnation -> {
              if (incarnation == null) {
                return CompletableFuture.<ReadResult>completedFuture(new ReadResult.Absent(null));
              }
              return Chain.of(
                  reads.submit(
                      MultiGetOperation.of(get -> get.index(incarnation.id()).id(lockId)), 0),
                  item -> seen(lockId, incarnation, item, again));
            })
        .orElse(ElasticsearchLockStore::notRead);
  }

  private CompletableFuture<List<MultiGetResponseItem<JsonData>>> ask(
      List<MultiGetOperation> operations) {
    return Chain.of(
        client.mget(request -> request.docs(operations), JsonData.class),
        response -> CompletableFuture.completedFuture(response.docs()));
  }

  private CompletableFuture<ReadResult> seen(
      String lockId, Incarnation incarnation, MultiGetResponseItem<JsonData> item, boolean again) {
    if (item.isFailure()) {
      if (Failures.isIndexNotFound(item.failure().error())) {
        index.forget(incarnation);
        return again
            ? read(lockId, false)
            : CompletableFuture.completedFuture(new ReadResult.Absent(null));
      }
      return CompletableFuture.completedFuture(
          new ReadResult.Unavailable(
              new Failures.ElasticsearchRefusal(
                  "Elasticsearch answered "
                      + item.failure().error().type()
                      + ": "
                      + item.failure().error().reason())));
    }
    GetResult<JsonData> document = item.result();
    return CompletableFuture.completedFuture(
        document.found()
            ? found(
                lockId, incarnation, document.primaryTerm(), document.seqNo(), document.source())
            : new ReadResult.Absent(incarnation));
  }

  private static ReadResult found(
      String lockId,
      Incarnation incarnation,
      @Nullable Long primaryTerm,
      @Nullable Long seqNo,
      @Nullable JsonData source) {
    if (primaryTerm == null || seqNo == null || primaryTerm < 0 || seqNo < 0) {
      return new ReadResult.Unavailable(
          new IllegalStateException("Elasticsearch gave a document without its version"));
    }
    return new ReadResult.Found(
        RecordCodec.decode(lockId, source == null ? null : source.toJson()),
        new Version(incarnation, primaryTerm, seqNo));
  }

  private static ReadResult notRead(Throwable failure) {
    return isRefusal(failure)
        ? new ReadResult.Rejected(Failures.describe(failure))
        : new ReadResult.Unavailable(Failures.describe(failure));
  }

  /** Reads page by page from one point in time. A record of the last second may not show yet. */
  @Override
  public CompletableFuture<ListResult> list(int limit) {
    return tracked(list(limit, true));
  }

  private CompletableFuture<ListResult> list(int limit, boolean again) {
    return Chain.of(
            index.find(),
            incarnation -> {
              if (incarnation == null) {
                return CompletableFuture.<ListResult>completedFuture(
                    new ListResult.Listed(List.of()));
              }
              return Chain.of(
                  pointInTime(incarnation),
                  opened -> {
                    if (opened.isPresent()) {
                      String id = opened.get();
                      return closing(id, page(id, incarnation, null, new ArrayList<>(), limit));
                    }
                    return again
                        ? list(limit, false)
                        : CompletableFuture.completedFuture(new ListResult.Listed(List.of()));
                  });
            })
        .orElse(
            failure ->
                isRefusal(failure)
                    ? new ListResult.Rejected(Failures.describe(failure))
                    : new ListResult.Unavailable(Failures.describe(failure)));
  }

  /** The id of a new point in time; empty if the incarnation is gone. */
  private CompletableFuture<Optional<String>> pointInTime(Incarnation incarnation) {
    return Chain.of(
        client.openPointInTime(open -> open.index(incarnation.id()).keepAlive(SEARCH_KEEP_ALIVE)),
        opened -> CompletableFuture.completedFuture(Optional.of(opened.id())),
        failure -> {
          ElasticsearchException refused = Failures.ofElasticsearch(failure);
          if (refused != null && Failures.isIndexNotFound(refused.error())) {
            index.forget(incarnation);
            return CompletableFuture.completedFuture(Optional.empty());
          }
          return CompletableFuture.failedFuture(failure);
        });
  }

  private CompletableFuture<ListResult> closing(
      String pointInTime, CompletableFuture<ListResult> pages) {
    var unused =
        pages.whenComplete(
            (result, failure) -> {
              // Its result does not matter: what is not closed ends with its keep-alive.
              var unusedToo = client.closePointInTime(close -> close.id(pointInTime));
            });
    return pages;
  }

  private CompletableFuture<ListResult> page(
      String pointInTime,
      Incarnation incarnation,
      @Nullable List<FieldValue> after,
      List<ReadResult.Found> sofar,
      int limit) {
    return Chain.of(
        client.search(
            search -> {
              search
                  .pit(pit -> pit.id(pointInTime).keepAlive(SEARCH_KEEP_ALIVE))
                  .size(PAGE_SIZE)
                  .seqNoPrimaryTerm(true)
                  .allowPartialSearchResults(false)
                  .trackTotalHits(track -> track.enabled(false))
                  .sort(sort -> sort.field(field -> field.field("_shard_doc")));
              return after == null ? search : search.searchAfter(after);
            },
            JsonData.class),
        response -> paged(pointInTime, incarnation, response, sofar, limit));
  }

  private CompletableFuture<ListResult> paged(
      String pointInTime,
      Incarnation incarnation,
      SearchResponse<JsonData> response,
      List<ReadResult.Found> sofar,
      int limit) {
    List<Hit<JsonData>> hits = response.hits().hits();
    for (Hit<JsonData> hit : hits) {
      String id = hit.id();
      if (id != null
          && found(id, incarnation, hit.primaryTerm(), hit.seqNo(), hit.source())
              instanceof ReadResult.Found found) {
        sofar.add(found);
      }
    }
    if (sofar.size() > limit) {
      return CompletableFuture.completedFuture(
          new ListResult.Rejected(
              new IllegalStateException("there are more than " + limit + " lock records")));
    }
    return hits.size() < PAGE_SIZE
        ? CompletableFuture.completedFuture(new ListResult.Listed(sofar))
        : page(pointInTime, incarnation, hits.get(hits.size() - 1).sort(), sofar, limit);
  }

  private <T> CompletableFuture<T> tracked(CompletableFuture<T> request) {
    if (owned != null && !request.isDone()) {
      Object key = new Object();
      underWay.put(key, request);
      var unused = request.whenComplete((result, failure) -> underWay.remove(key));
    }
    return request;
  }

  @Override
  public String description() {
    return description;
  }

  @Override
  public String toString() {
    return "ElasticsearchLockStore[" + description + "]";
  }

  /**
   * Closes the connections, unless they are the user's own. What is still under way is given up
   * then: its future is cancelled.
   */
  @Override
  public void close() {
    if (owned != null) {
      underWay.values().forEach(request -> request.cancel(false));
      try {
        owned.close();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }

  /** Settings of an {@link ElasticsearchLockStore}. Not thread-safe. */
  public static final class Builder {
    private static final int MAX_ERA = Integer.MAX_VALUE;

    private final @Nullable ElasticsearchTransport transport;
    private final OwnTransport.Settings own;
    private IndexNames names = IndexNames.DEFAULT;
    private int fencingEra;

    private Builder(@Nullable ElasticsearchTransport transport, List<URI> urls) {
      if (transport == null && urls.isEmpty()) {
        throw new IllegalArgumentException("at least one URL is needed");
      }
      this.transport = transport;
      this.own = new OwnTransport.Settings(urls);
    }

    private static URI parsed(String url) {
      return OwnTransport.parsed(url);
    }

    /**
     * A user's name and password.
     *
     * @throws IllegalStateException if the client is the user's own
     */
    public Builder basicAuth(String user, String password) {
      ownTransport().basicAuth(user, password);
      return this;
    }

    /**
     * An API key, in the encoded form that Elasticsearch gives.
     *
     * @throws IllegalStateException if the client is the user's own
     */
    public Builder apiKey(String apiKey) {
      ownTransport().apiKey(apiKey);
      return this;
    }

    /**
     * Which certificates are trusted, and which is shown.
     *
     * @throws IllegalStateException if the client is the user's own
     */
    public Builder sslContext(SSLContext sslContext) {
      ownTransport().sslContext(sslContext);
      return this;
    }

    /**
     * How long a connection may take to make, 2 s by default.
     *
     * @param connectTimeout 1 ms to 1 h
     * @throws IllegalStateException if the client is the user's own
     */
    public Builder connectTimeout(Duration connectTimeout) {
      ownTransport().connectTimeout(connectTimeout);
      return this;
    }

    /**
     * How long an answer may take before the connection is given up, 30 s by default. The manager's
     * request timeout is usually shorter.
     *
     * @param responseTimeout 1 ms to 1 h
     * @throws IllegalStateException if the client is the user's own
     */
    public Builder responseTimeout(Duration responseTimeout) {
      ownTransport().responseTimeout(responseTimeout);
      return this;
    }

    private OwnTransport.Settings ownTransport() {
      if (transport != null) {
        throw new IllegalStateException(
            "connections and credentials are those of the client that was given");
      }
      return own;
    }

    /**
     * How the index is called, and the alias by which it is found: {@code holdfast-locks-1} and
     * {@code holdfast-locks} by default. All processes that share locks must use the same.
     *
     * @throws IllegalArgumentException if one is no good name
     */
    public Builder indexNames(String index, String alias) {
      this.names = new IndexNames(index, alias);
      return this;
    }

    /**
     * The first part of fencing tokens, in case that the index is made by this store: 0 by default,
     * and to be raised by an operator who deletes the index, or restores it from a snapshot, so
     * that tokens go on rising. One that exists keeps its own.
     *
     * @param fencingEra 0 or more; more than 15 does not fit into {@link
     *     dev.holdfast.lock.FencingToken#toLong}
     * @throws IllegalArgumentException if it is negative
     */
    public Builder fencingEra(int fencingEra) {
      if (fencingEra < 0) {
        throw new IllegalArgumentException(
            "fencingEra must be from 0 to " + MAX_ERA + ", but is " + fencingEra);
      }
      this.fencingEra = fencingEra;
      return this;
    }

    /** The store. Does no I/O yet. */
    public ElasticsearchLockStore build() {
      if (transport != null) {
        return new ElasticsearchLockStore(
            transport, names, fencingEra, "Elasticsearch through the given client", null);
      }
      OwnTransport opened = OwnTransport.open(own);
      return new ElasticsearchLockStore(
          opened.transport(), names, fencingEra, own.description(), opened);
    }
  }
}
