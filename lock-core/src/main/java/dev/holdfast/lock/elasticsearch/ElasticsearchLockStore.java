package dev.holdfast.lock.elasticsearch;

import co.elastic.clients.elasticsearch.ElasticsearchAsyncClient;
import co.elastic.clients.elasticsearch.ElasticsearchClient;
import co.elastic.clients.elasticsearch._types.ErrorCause;
import co.elastic.clients.elasticsearch._types.Time;
import co.elastic.clients.elasticsearch.core.BulkRequest;
import co.elastic.clients.elasticsearch.core.BulkResponse;
import co.elastic.clients.elasticsearch.core.MgetRequest;
import co.elastic.clients.elasticsearch.core.bulk.BulkOperation;
import co.elastic.clients.elasticsearch.core.bulk.BulkResponseItem;
import co.elastic.clients.elasticsearch.core.bulk.OperationType;
import co.elastic.clients.elasticsearch.core.get.GetResult;
import co.elastic.clients.elasticsearch.core.mget.MultiGetOperation;
import co.elastic.clients.elasticsearch.core.mget.MultiGetResponseItem;
import co.elastic.clients.transport.ElasticsearchTransport;
import co.elastic.clients.util.BinaryData;
import co.elastic.clients.util.ContentType;
import dev.holdfast.lock.elasticsearch.RecordCodec.Source;
import dev.holdfast.lock.internal.Batcher;
import dev.holdfast.lock.internal.CancellableFuture;
import dev.holdfast.lock.internal.GoneQuorum;
import dev.holdfast.lock.internal.SizeLimit;
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
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Stream;
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
 * and {@code view_index_metadata}; to make the index also {@code manage}, which Elasticsearch asks
 * to create an index with aliases. {@code docs/operations.md} has them as roles.
 */
public final class ElasticsearchLockStore implements LockStore, AutoCloseable {
  /** How long Elasticsearch waits for a primary shard before it says that there is none. */
  private static final String SHARD_TIMEOUT = "3s";

  /** Bypasses a default pipeline of the index, which might change or drop records. */
  private static final String NO_PIPELINE = "_none";

  /**
   * How many requests may be out before operations wait for the next to return: enough to keep the
   * server busy, and few enough for batches to fill.
   */
  private static final int MAX_WRITE_REQUESTS = 2;

  private static final int MAX_READ_REQUESTS = 2;

  private static final int MAX_WRITES_PER_REQUEST = 500;
  private static final int MAX_READS_PER_REQUEST = 200;

  /** Passes through nginx as it is by default, which takes 1 MiB. */
  private static final long MAX_BYTES_PER_REQUEST = 768 * 1024;

  /** About what an operation takes besides its document, its id and the name of its index. */
  private static final long OVERHEAD_BYTES = 160;

  private final ElasticsearchAsyncClient client;
  private final LockIndex index;
  private final RecordListing listing;
  private final String indexName;

  /** What one learns, all heed: the same proxies are on the way of all requests. */
  private final SizeLimit sizeLimit =
      new SizeLimit(MAX_BYTES_PER_REQUEST, Failures::mayPassInParts);

  private final Batcher<Sending, BulkResponseItem> writes;
  private final Batcher<MultiGetOperation, MultiGetResponseItem<Source>> reads =
      new Batcher<>(
          MAX_READ_REQUESTS, MAX_READS_PER_REQUEST, sizeLimit, Failures::isStale, this::ask);

  /** Writes whose index is said to be gone. Apart, so that they hold up no others. */
  private final Batcher<Sending, BulkResponseItem> doubted;

  private final String description;
  private final @Nullable ManagedTransport owned;

  /** Requests on the store's own connections. */
  private final Map<Object, CompletableFuture<?>> underWay = new ConcurrentHashMap<>();

  private ElasticsearchLockStore(
      ElasticsearchTransport given,
      IndexNames names,
      int fencingEra,
      String description,
      @Nullable ManagedTransport owned) {
    ElasticsearchTransport transport = new UninterruptedTransport(given);
    ElasticsearchTransport repeating = owned == null ? new GivenTransport(transport) : transport;
    this.client = new ElasticsearchAsyncClient(repeating);
    this.indexName = names.index();
    // Through the user's own client it cannot be said which node is asked.
    List<? extends ElasticsearchTransport> nodes =
        owned == null
            ? List.of(transport)
            : owned.nodes().stream().map(UninterruptedTransport::new).toList();
    this.index =
        new LockIndex(repeating, owned == null ? List.of(repeating) : nodes, names, fencingEra);
    this.listing = new RecordListing(client, index, names.index());
    GoneQuorum<Sending, BulkResponseItem> indexGone =
        new GoneQuorum<>(
            nodes.stream().map(node -> sender(node, owned == null)).toList(),
            item -> Failures.isIndexNotFound(item.error()),
            ElasticsearchLockStore::unconfirmed);
    this.writes = writeBatcher(sender(transport, owned == null));
    this.doubted = writeBatcher(indexGone::ask);
    this.description = description;
    this.owned = owned;
  }

  /**
   * For a store that makes connections of its own.
   *
   * @param urls one or more, such as {@code https://localhost:9200}, all with the same path; a user
   *     and password in one of them are used for all. Slashes at the end make no difference, and
   *     host names may have underscores or letters beyond ASCII
   * @throws IllegalArgumentException if one is not an http or https URL, or they contradict one
   *     another in path, user or password; the message says what is wrong and repeats none of them
   */
  public static Builder builder(String... urls) {
    return new Builder(null, Address.parse(Arrays.asList(urls)));
  }

  /**
   * For a store on the user's own client, with its connections, credentials and options. Locks are
   * safe whatever that client resends, but a loss of connection may be noticed late unless it has a
   * response timeout. Such a client resolves host names on the thread that sends, which may be the
   * one that runs the timers of a manager, and should have a resolver that answers promptly. It
   * stays the caller's to close.
   */
  public static Builder builder(ElasticsearchClient client) {
    return builder(client._transport());
  }

  /**
   * For a store on the connection and with the credentials that the environment names, so that no
   * secret stands in code or on a command line:
   *
   * <ul>
   *   <li>{@code HOLDFAST_URL}: one or more URLs, separated by commas; needed
   *   <li>{@code HOLDFAST_API_KEY}, or {@code HOLDFAST_USERNAME} and {@code HOLDFAST_PASSWORD}
   *   <li>{@code HOLDFAST_CA} (a file of certificates), {@code HOLDFAST_CA_FINGERPRINT}, or {@code
   *       HOLDFAST_TRUST_STORE} (a file) and {@code HOLDFAST_TRUST_STORE_PASSWORD}
   * </ul>
   *
   * <p>Instead of each secret, the same name with {@code _FILE} behind it may name a file that
   * holds it. A blank variable is one that is not set. System properties are not looked at.
   *
   * @throws IllegalArgumentException if something is missing, given twice or by halves, or cannot
   *     be used; the message names the variables, and repeats no secret
   */
  public static Builder fromEnvironment() {
    return fromEnvironment(System.getenv());
  }

  /**
   * Like {@link #fromEnvironment()}, with these variables instead of the process's own: for tools
   * whose options replace some of them.
   *
   * @throws IllegalArgumentException as {@link #fromEnvironment()} does
   */
  public static Builder fromEnvironment(Map<String, String> environment) {
    return new EnvironmentSettings(Map.copyOf(environment)).builder();
  }

  /** Like {@link #builder(ElasticsearchClient)}, for a transport. */
  public static Builder builder(ElasticsearchTransport transport) {
    return new Builder(Objects.requireNonNull(transport, "transport"), List.of());
  }

  @Override
  public Runnable onIncarnationGone(Consumer<IncarnationGoneException> listener) {
    return index.onLeft(listener);
  }

  // --- Writes

  @Override
  public CompletableFuture<WriteResult> create(LockRecord record) {
    BinaryData document = document(record);
    return write(
        index.findOrCreate(),
        new Write(
            record.lockId(),
            OperationType.Create,
            null,
            document.size(),
            incarnation ->
                BulkOperation.of(
                    op ->
                        op.create(
                            create ->
                                create
                                    .index(LockIndex.target(incarnation))
                                    .id(record.lockId())
                                    .document(document)))));
  }

  @Override
  public CompletableFuture<WriteResult> replace(LockRecord record, Version expected) {
    BinaryData document = document(record);
    return write(
        CompletableFuture.completedFuture(expected.incarnation()),
        new Write(
            record.lockId(),
            OperationType.Index,
            expected,
            document.size(),
            incarnation ->
                BulkOperation.of(
                    op ->
                        op.index(
                            write ->
                                write
                                    .index(LockIndex.target(incarnation))
                                    .id(record.lockId())
                                    .ifSeqNo(expected.seqNo())
                                    .ifPrimaryTerm(expected.primaryTerm())
                                    .document(document)))));
  }

  @Override
  public CompletableFuture<WriteResult> delete(String lockId, Version expected) {
    return write(
        CompletableFuture.completedFuture(expected.incarnation()),
        new Write(
            lockId,
            OperationType.Delete,
            expected,
            0,
            incarnation ->
                BulkOperation.of(
                    op ->
                        op.delete(
                            delete ->
                                delete
                                    .index(LockIndex.target(incarnation))
                                    .id(lockId)
                                    .ifSeqNo(expected.seqNo())
                                    .ifPrimaryTerm(expected.primaryTerm())))));
  }

  /** A write, and what its answer must be about. */
  private record Write(
      String lockId,
      OperationType type,
      @Nullable Version expected,
      long bytes,
      Function<Incarnation, BulkOperation> operation) {

    boolean isMeantBy(BulkResponseItem item) {
      return item.operationType() == type && lockId.equals(item.id());
    }

    /** A version that was there before the write was sent cannot be that of the write. */
    boolean mayHaveGiven(Version version) {
      return expected == null || expected.isOlderThan(version);
    }
  }

  private static BinaryData document(LockRecord record) {
    return BinaryData.of(RecordCodec.encode(record), ContentType.APPLICATION_JSON);
  }

  private CompletableFuture<WriteResult> write(CompletableFuture<Incarnation> target, Write write) {
    return tracked(
        CancellableFuture.of(target, incarnation -> write(incarnation, write))
            .orElse(this::notWritten));
  }

  private CompletableFuture<WriteResult> write(Incarnation incarnation, Write write) {
    IncarnationGoneException left = index.whyLeft(incarnation);
    if (left != null) {
      return CompletableFuture.completedFuture(new WriteResult.Rejected(left));
    }
    if (write.expected() != null) {
      var unused = index.inUse();
    }
    Sending sending = new Sending(write.operation().apply(incarnation));
    long bytes = write.bytes() + overheadOf(write.lockId(), incarnation);
    return CancellableFuture.of(
        writes.submit(sending, bytes),
        item ->
            write.isMeantBy(item) && Failures.isIndexNotFound(item.error())
                ? CancellableFuture.of(
                    doubted.submit(sending, bytes),
                    confirmed -> ended(sending, written(incarnation, write, confirmed)),
                    failure -> ended(sending, notWritten(failure)))
                : ended(sending, written(incarnation, write, item)),
        failure -> ended(sending, notWritten(failure)));
  }

  private static CompletableFuture<WriteResult> ended(Sending sending, WriteResult last) {
    return CompletableFuture.completedFuture(sending.afterAll(last));
  }

  private static long overheadOf(String lockId, Incarnation incarnation) {
    return OVERHEAD_BYTES
        + lockId.getBytes(StandardCharsets.UTF_8).length
        + incarnation.id().length();
  }

  /** A write on its way, possibly more than once. */
  private static final class Sending {
    final BulkOperation operation;

    /** Whether it was sent without an answer, so that a later refusal does not say enough. */
    volatile boolean unanswered;

    Sending(BulkOperation operation) {
      this.operation = operation;
    }

    WriteResult afterAll(WriteResult last) {
      return unanswered
              && last instanceof WriteResult.Rejected rejected
              && !(rejected.cause() instanceof IncarnationGoneException)
          ? new WriteResult.Unknown(
              new IOException(
                  "it was sent before, without an answer; the last answer: "
                      + rejected.cause().getMessage(),
                  rejected.cause()))
          : last;
    }
  }

  private Batcher<Sending, BulkResponseItem> writeBatcher(
      Function<List<Sending>, CompletableFuture<List<BulkResponseItem>>> sender) {
    return new Batcher<>(
        MAX_WRITE_REQUESTS, MAX_WRITES_PER_REQUEST, sizeLimit, Failures::isStale, sender);
  }

  /**
   * Sends writes.
   *
   * @param given whether through the user's own client, see {@link Failures#untilAnswered}
   */
  private static Function<List<Sending>, CompletableFuture<List<BulkResponseItem>>> sender(
      ElasticsearchTransport transport, boolean given) {
    BulkEndpoint endpoint = new BulkEndpoint(transport.jsonpMapper());
    return sendings -> {
      BulkRequest request =
          BulkRequest.of(
              bulk ->
                  bulk.requireAlias(true)
                      .pipeline(NO_PIPELINE)
                      .timeout(time(SHARD_TIMEOUT))
                      .operations(sendings.stream().map(sending -> sending.operation).toList()));
      Supplier<CompletableFuture<BulkResponse>> sent =
          () -> transport.performRequestAsync(request, endpoint, null);
      Runnable unanswered = () -> sendings.forEach(sending -> sending.unanswered = true);
      return CancellableFuture.of(
          given ? Failures.untilAnswered(sent, unanswered) : sent.get(),
          response -> CompletableFuture.completedFuture(response.items()),
          failure -> {
            if (!Failures.isRefusal(failure)) {
              unanswered.run();
            }
            return CompletableFuture.failedFuture(
                Failures.isTooLarge(failure)
                    ? new Failures.TooLargeException(endpoint.sizeOf(request), failure)
                    : failure);
          });
    };
  }

  /** Not kept in constants: the class must load where the client's do not, to say so in words. */
  static Time time(String text) {
    return Time.of(time -> time.time(text));
  }

  /** Whether the index will be found again is not known. */
  private static BulkResponseItem unconfirmed(BulkResponseItem gone, String why) {
    return BulkResponseItem.of(
        item ->
            item.operationType(gone.operationType())
                .index(gone.index())
                .id(gone.id())
                .status(Failures.UNAVAILABLE)
                .error(error -> error.type("index_not_found_on_some_nodes").reason(why)));
  }

  private WriteResult written(Incarnation incarnation, Write write, BulkResponseItem item) {
    if (!write.isMeantBy(item)) {
      return new WriteResult.Unknown(
          new IllegalStateException(
              "the answer is about "
                  + item.operationType().jsonValue()
                  + " of another document, not about this "
                  + write.type().jsonValue()));
    }
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
      Version version = new Version(incarnation, primaryTerm, seqNo);
      return write.mayHaveGiven(version)
          ? new WriteResult.Applied(version)
          : new WriteResult.Unknown(
              new IllegalStateException("the answer gives the write an old version, " + version));
    } else if (Failures.isIndexNotFound(item.error())) {
      index.forget(incarnation);
      return new WriteResult.Rejected(new IncarnationGoneException(incarnation));
    }
    Throwable cause = Failures.describe(indexName, item.status(), item.error());
    return Failures.isRefusal(item.status())
        ? new WriteResult.Rejected(cause)
        : new WriteResult.Unknown(cause);
  }

  private WriteResult notWritten(Throwable failure) {
    Throwable cause = Failures.describe(indexName, failure);
    return Failures.isRefusal(failure)
        ? new WriteResult.Rejected(cause)
        : new WriteResult.Unknown(cause);
  }

  // --- Reads

  @Override
  public CompletableFuture<ReadResult> read(String lockId) {
    return tracked(read(lockId, true));
  }

  private CompletableFuture<ReadResult> read(String lockId, boolean again) {
    return CancellableFuture.of(
            index.find(),
            incarnation -> {
              if (incarnation == null) {
                return CompletableFuture.<ReadResult>completedFuture(new ReadResult.Absent(null));
              }
              return CancellableFuture.of(
                  reads.submit(
                      MultiGetOperation.of(
                          get -> get.index(LockIndex.target(incarnation)).id(lockId)),
                      overheadOf(lockId, incarnation)),
                  item -> seen(lockId, incarnation, item, again));
            })
        .orElse(this::notRead);
  }

  private CompletableFuture<List<MultiGetResponseItem<Source>>> ask(
      List<MultiGetOperation> operations) {
    return ask(operations, Detail.ALL);
  }

  /** What is too large together is asked for in halves, what is too large alone in less detail. */
  private CompletableFuture<List<MultiGetResponseItem<Source>>> ask(
      List<MultiGetOperation> operations, Detail detail) {
    return CancellableFuture.of(
        client.mget(detail.of(new MgetRequest.Builder().docs(operations)).build(), Source.class),
        response -> CompletableFuture.completedFuture(response.docs()),
        failure -> {
          if (Failures.isTooLarge(failure)) {
            return CompletableFuture.failedFuture(
                new Failures.TooLargeException(sizeOf(operations), failure));
          }
          if (!Failures.isTooLong(failure) || detail == Detail.VERSION) {
            return CompletableFuture.failedFuture(failure);
          }
          int half = operations.size() / 2;
          return half == 0
              ? ask(operations, detail.less())
              : CancellableFuture.of(
                  ask(operations.subList(0, half), detail),
                  first ->
                      CancellableFuture.of(
                          ask(operations.subList(half, operations.size()), detail),
                          second ->
                              CompletableFuture.completedFuture(
                                  Stream.concat(first.stream(), second.stream()).toList())));
        });
  }

  /** About. */
  private static long sizeOf(List<MultiGetOperation> operations) {
    return operations.stream()
        .mapToLong(get -> OVERHEAD_BYTES + get.id().getBytes(StandardCharsets.UTF_8).length)
        .sum();
  }

  private CompletableFuture<ReadResult> seen(
      String lockId, Incarnation incarnation, MultiGetResponseItem<Source> item, boolean again) {
    if (item.isFailure()) {
      if (Failures.isIndexNotFound(item.failure().error())) {
        index.forget(incarnation);
        return again
            ? read(lockId, false)
            : CompletableFuture.completedFuture(new ReadResult.Absent(null));
      }
      ErrorCause error = item.failure().error();
      int status = Failures.status(error);
      Throwable cause = Failures.describe(indexName, status, error);
      return CompletableFuture.completedFuture(
          Failures.isRefusal(status)
              ? new ReadResult.Rejected(cause)
              : new ReadResult.Unavailable(cause));
    }
    GetResult<Source> document = item.result();
    if (!lockId.equals(document.id())) {
      return CompletableFuture.completedFuture(
          new ReadResult.Unavailable(
              new IllegalStateException("the answer is about another document")));
    }
    return CompletableFuture.completedFuture(
        document.found()
            ? found(
                lockId, incarnation, document.primaryTerm(), document.seqNo(), document.source())
            : new ReadResult.Absent(incarnation));
  }

  static ReadResult found(
      String lockId,
      Incarnation incarnation,
      @Nullable Long primaryTerm,
      @Nullable Long seqNo,
      @Nullable Source source) {
    if (primaryTerm == null || seqNo == null || primaryTerm < 0 || seqNo < 0) {
      return new ReadResult.Unavailable(
          new IllegalStateException("Elasticsearch gave a document without its version"));
    }
    return new ReadResult.Found(
        RecordCodec.decode(lockId, source), new Version(incarnation, primaryTerm, seqNo));
  }

  private ReadResult notRead(Throwable failure) {
    Throwable cause = Failures.describe(indexName, failure);
    return Failures.isRefusal(failure)
        ? new ReadResult.Rejected(cause)
        : new ReadResult.Unavailable(cause);
  }

  /**
   * Reads page by page from one point in time. What was done in the last second may not show; or
   * longer ago, if the index's {@code refresh_interval} was changed and the caller may not refresh
   * it.
   */
  @Override
  public CompletableFuture<ListResult> list(int limit) {
    return tracked(listing.list(limit));
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

    private final @Nullable ElasticsearchTransport transport;
    private final ManagedTransport.Settings own;
    private IndexNames names = IndexNames.DEFAULT;
    private int fencingEra;

    private Builder(@Nullable ElasticsearchTransport transport, List<Address> addresses) {
      this.transport = transport;
      this.own = new ManagedTransport.Settings(addresses);
    }

    /**
     * A user's name and password.
     *
     * @throws IllegalArgumentException if the name is blank or has a colon, or one of them has
     *     control characters
     * @throws IllegalStateException if the client is the user's own
     */
    public Builder basicAuth(String user, String password) {
      ownTransport().basicAuth(user, password);
      return this;
    }

    /**
     * An API key, in the encoded form that Elasticsearch gives.
     *
     * @throws IllegalArgumentException if it has another form
     * @throws IllegalStateException if the client is the user's own
     */
    public Builder apiKey(String apiKey) {
      ownTransport().apiKey(apiKey);
      return this;
    }

    /**
     * Trusts servers whose certificate was signed by one of the file's, and no others.
     *
     * @param file certificates, PEM (one or more) or DER: such as the {@code http_ca.crt} that
     *     Elasticsearch makes at its first start
     * @throws IllegalArgumentException if the file cannot be used
     * @throws IllegalStateException if the client is the user's own
     */
    public Builder trustCertificates(Path file) {
      ownTransport().sslContext(SslContexts.ofCertificates(file));
      return this;
    }

    /**
     * Trusts servers that show a CA certificate with this fingerprint, and were certified by it. A
     * server that does not send its CA's certificate along cannot be recognised by this.
     *
     * @param sha256 64 hexadecimal digits, with or without colons, as Elasticsearch prints them at
     *     its first start
     * @throws IllegalArgumentException if it is no such fingerprint
     * @throws IllegalStateException if the client is the user's own
     */
    public Builder trustFingerprint(String sha256) {
      ownTransport().sslContext(SslContexts.ofFingerprint(sha256));
      return this;
    }

    /**
     * Trusts servers whose certificate was signed by one in this trust store.
     *
     * @param file PKCS#12 or JKS
     * @throws IllegalArgumentException if the store cannot be opened or has no certificate
     * @throws IllegalStateException if the client is the user's own
     */
    public Builder trustStore(Path file, String password) {
      ownTransport().sslContext(SslContexts.ofStore(file, password));
      return this;
    }

    /**
     * Sets which certificates are trusted, and which is presented; the last call of this and of the
     * {@code trust} methods counts. Without any, the JVM's own trust store does.
     *
     * @throws IllegalStateException if the client is the user's own
     */
    public Builder sslContext(SSLContext sslContext) {
      ownTransport().sslContext(sslContext);
      return this;
    }

    /**
     * Sets how long a connection may take to open, 2 s by default.
     *
     * @param connectTimeout 1 ms to 1 h
     * @throws IllegalStateException if the client is the user's own
     */
    public Builder connectTimeout(Duration connectTimeout) {
      ownTransport().connectTimeout(connectTimeout);
      return this;
    }

    /**
     * Sets how long an answer may take before the connection is closed and the next node is asked,
     * 4 s by default. The node is not asked again for a while. Requests for locks whose TTL is
     * short, or of managers whose request timeout is, are given up sooner.
     *
     * @param responseTimeout 1 ms to 1 h
     * @throws IllegalStateException if the client is the user's own
     */
    public Builder responseTimeout(Duration responseTimeout) {
      ownTransport().responseTimeout(responseTimeout);
      return this;
    }

    private ManagedTransport.Settings ownTransport() {
      if (transport != null) {
        throw new IllegalStateException(
            "connections and credentials are those of the client that was given");
      }
      return own;
    }

    /**
     * Sets the names of the index and of the alias by which it is found: {@code holdfast-locks-1}
     * and {@code holdfast-locks} by default. All processes that share locks must use the same.
     *
     * @throws IllegalArgumentException if one is no valid name
     */
    public Builder indexNames(String index, String alias) {
      this.names = new IndexNames(index, alias);
      return this;
    }

    /**
     * Sets the first part of fencing tokens, for an index that this store creates: 0 by default. An
     * operator who deletes the index, or restores it from a snapshot, has to raise it, so that
     * tokens go on rising. An existing index keeps its own.
     *
     * @param fencingEra 0 or more; more than 15 does not fit into {@link
     *     dev.holdfast.lock.FencingToken#toLong}
     * @throws IllegalArgumentException if it is negative
     */
    public Builder fencingEra(int fencingEra) {
      if (fencingEra < 0) {
        throw new IllegalArgumentException("fencingEra must not be negative, but is " + fencingEra);
      }
      this.fencingEra = fencingEra;
      return this;
    }

    /**
     * The store. Does no I/O yet.
     *
     * @throws IllegalStateException if it was said which servers to trust, but no URL is https; or
     *     if the client libraries that are found are too old or do not fit together: the message
     *     names their versions, and those that are needed
     */
    public ElasticsearchLockStore build() {
      return transport != null
          ? ClientLibraries.forGivenClient(transport, () -> onGivenClient(transport))
          : ClientLibraries.forOwnConnections(this::withOwnConnections);
    }

    private ElasticsearchLockStore onGivenClient(ElasticsearchTransport given) {
      return new ElasticsearchLockStore(
          given, names, fencingEra, "Elasticsearch through the given client", null);
    }

    private ElasticsearchLockStore withOwnConnections() {
      return on(ManagedTransport.open(own));
    }

    /** The store, on connections that it owns, and closes. */
    ElasticsearchLockStore on(ManagedTransport opened) {
      try {
        return new ElasticsearchLockStore(
            opened.transport(), names, fencingEra, own.description(), opened);
      } catch (RuntimeException | Error e) {
        opened.closeAfter(e);
        throw e;
      }
    }
  }
}
