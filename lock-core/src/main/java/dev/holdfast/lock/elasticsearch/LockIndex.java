package dev.holdfast.lock.elasticsearch;

import co.elastic.clients.elasticsearch._types.ElasticsearchException;
import co.elastic.clients.elasticsearch._types.ErrorCause;
import co.elastic.clients.elasticsearch._types.ErrorResponse;
import co.elastic.clients.json.JsonpDeserializer;
import co.elastic.clients.json.JsonpUtils;
import co.elastic.clients.transport.ElasticsearchTransport;
import co.elastic.clients.transport.JsonEndpoint;
import co.elastic.clients.transport.endpoints.SimpleEndpoint;
import co.elastic.clients.util.BinaryData;
import co.elastic.clients.util.ContentType;
import dev.holdfast.lock.internal.CancellableFuture;
import dev.holdfast.lock.internal.GoneQuorum;
import dev.holdfast.lock.internal.Logs;
import dev.holdfast.lock.internal.Texts;
import dev.holdfast.lock.store.Incarnation;
import dev.holdfast.lock.store.IncarnationGoneException;
import jakarta.json.stream.JsonParser.Event;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.EnumSet;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Finds the lock index, creates it when it is absent, and checks that it is as it must be. Never
 * changes or deletes one that exists. What was found is remembered until it turns out to be gone; a
 * failure is not remembered. Thread-safe.
 *
 * <p>What is remembered is verified again every {@link #VERIFICATION_INTERVAL} while the store is
 * in use: an operator may create another index, move the alias to it and keep the old one, or make
 * it unsafe. One look-up serves all locks of the store. Renewals never wait for it; an acquisition
 * that finds it overdue does, so that a process does not go on granting locks in an index that
 * others have left. A look-up that fails changes nothing. One that contradicts is confirmed by a
 * majority of the nodes, as for an index that is gone ({@link GoneQuorum}): a node that was cut off
 * must not end all leases. After that, whatever is meant for the old incarnation is rejected
 * without being sent, and those who listen are told: with a long TTL their next write may be hours
 * away.
 */
final class LockIndex {
  static final Duration VERIFICATION_INTERVAL = Duration.ofSeconds(5);

  private static final Logger LOG = LoggerFactory.getLogger(LockIndex.class);

  private static final int RANDOM_BYTES = 8;

  /**
   * How long the creation of the index waits for its primary shard; after that, the first write
   * does.
   */
  private static final String SHARD_TIMEOUT = "3s";

  /** How often the index may be found, created or vanish in turn before that is an error. */
  private static final int MAX_ROUNDS = 5;

  /** How many incarnations are remembered as replaced: each is an operator's act. */
  private static final int MAX_REMEMBERED = 64;

  /** A look-up that takes longer than this many intervals is given up. */
  private static final int MAX_INTERVALS = 3;

  private static final String BAD_REQUEST_REMEDY =
      " If an index template causes this, exclude the index from it.";

  private static final SecureRandom RANDOM = new SecureRandom();

  private static final JsonEndpoint<String, List<IndexDescription>, ErrorResponse> GET =
      new SimpleEndpoint<>(
          "es/indices.get",
          name -> "GET",
          name -> "/" + name,
          name -> Map.of(),
          name -> Map.of(),
          name -> Map.of(),
          false,
          IndexDescription.READER);

  private record Creation(String index, BinaryData body) {}

  private static final JsonEndpoint<Creation, Boolean, ErrorResponse> CREATE =
      new SimpleEndpoint<>(
          "es/indices.create",
          creation -> "PUT",
          creation -> "/" + creation.index(),
          creation -> Map.of(),
          creation -> Map.of("timeout", SHARD_TIMEOUT),
          creation -> Map.of(),
          Creation::body,
          JsonpDeserializer.of(
              EnumSet.allOf(Event.class),
              (parser, mapper, event) -> {
                JsonpUtils.skipValue(parser, event);
                return true;
              }));

  /**
   * What the alias leads to.
   *
   * @param index the index's name
   * @param incarnation its incarnation
   * @param refreshedLate whether a listing should refresh it before
   */
  private record Known(String index, Incarnation incarnation, boolean refreshedLate) {}

  /** The first index that was seen to carry an incarnation's alias. */
  private record First(String uuid, Incarnation incarnation) {}

  /** What one node says of an incarnation: null if it is as it was, else what is different. */
  private record Sight(@Nullable String difference) {}

  private final ElasticsearchTransport transport;
  private final IndexNames names;
  private final int era;
  private final IndexRules rules;
  private final GoneQuorum<Known, Sight> quorum;
  private final LongSupplier nanos;

  private volatile @Nullable Known current;

  /** Incarnations that were left, and what to say of each. Replaced as a whole. */
  private volatile Map<Incarnation, IncarnationGoneException> left = Map.of();

  private final List<Consumer<IncarnationGoneException>> listeners = new CopyOnWriteArrayList<>();

  /** Of what was left, the listeners have not been told yet. */
  private final Queue<IncarnationGoneException> untold = new ConcurrentLinkedQueue<>();

  /** When the next verification is due; only meaningful while an index is known. */
  private volatile long dueAtNanos;

  /** The last verification; written only under this object's lock. */
  private volatile CompletableFuture<Boolean> verification =
      CompletableFuture.completedFuture(true);

  // Guarded by this.
  private @Nullable SharedFuture<Incarnation> settingUp;
  private @Nullable SharedFuture<Boolean> verifying;
  private long verifyingSinceNanos;
  private boolean verificationFailed;
  private long leftCount;
  private List<String> warned = List.of();
  private final Map<String, First> firsts = remembering();

  /**
   * A lock index.
   *
   * @param transport for all but the confirmation of what contradicts
   * @param nodes to one node each
   * @param nanos a monotonic clock
   */
  LockIndex(
      ElasticsearchTransport transport,
      List<? extends ElasticsearchTransport> nodes,
      IndexNames names,
      int era,
      LongSupplier nanos) {
    this.transport = transport;
    this.names = names;
    this.era = era;
    this.rules = new IndexRules(names, era);
    this.nanos = nanos;
    this.quorum =
        new GoneQuorum<>(
            nodes.stream().map(this::asking).toList(),
            sight -> sight.difference() != null,
            (sight, why) -> new Sight(null));
  }

  LockIndex(
      ElasticsearchTransport transport,
      List<? extends ElasticsearchTransport> nodes,
      IndexNames names,
      int era) {
    this(transport, nodes, names, era, System::nanoTime);
  }

  private static <V> Map<String, V> remembering() {
    return new LinkedHashMap<>() {
      private static final long serialVersionUID = 1L;

      @Override
      protected boolean removeEldestEntry(Map.Entry<String, V> eldest) {
        return size() > MAX_REMEMBERED;
      }
    };
  }

  /** The incarnation that there is, or null. Creates none. */
  CompletableFuture<@Nullable Incarnation> find() {
    Known known = current;
    if (known == null) {
      return lookUp();
    }
    var unused = inUse();
    return CompletableFuture.completedFuture(known.incarnation());
  }

  /**
   * The incarnation that there is, or a new one. Callers at the same time share one set-up. Waits
   * for a verification that is overdue.
   */
  CompletableFuture<Incarnation> findOrCreate() {
    if (current == null) {
      return settingUp();
    }
    CompletableFuture<Boolean> verified = inUse();
    // Looked at again in either case: a verification may be answered at once.
    return verified == null
        ? known()
        : CancellableFuture.of(verified, same -> known(), failure -> known());
  }

  private CompletableFuture<Incarnation> known() {
    Known known = current;
    return known == null ? settingUp() : CompletableFuture.completedFuture(known.incarnation());
  }

  private synchronized CompletableFuture<Incarnation> settingUp() {
    CompletableFuture<Incarnation> joined = settingUp == null ? null : settingUp.join();
    if (joined != null) {
      return joined;
    }
    SharedFuture<Incarnation> begun = new SharedFuture<>(setUp(1));
    settingUp = begun;
    return begun.await();
  }

  /** That incarnation is gone: look again. */
  synchronized void forget(Incarnation gone) {
    Known known = current;
    if (known != null && known.incarnation().equals(gone)) {
      current = null;
    }
  }

  /** Why nothing may be written to that incarnation any more; null if it may. */
  @Nullable IncarnationGoneException whyLeft(Incarnation incarnation) {
    return left.get(incarnation);
  }

  /**
   * Subscribes a listener to incarnations that are left.
   *
   * @return ends the subscription
   */
  Runnable onLeft(Consumer<IncarnationGoneException> listener) {
    listeners.add(listener);
    return () -> listeners.remove(listener);
  }

  /** Not under this object's lock: leases end there, and others acquire. */
  private void tellLeft() {
    IncarnationGoneException gone = untold.poll();
    while (gone != null) {
      for (Consumer<IncarnationGoneException> listener : listeners) {
        try {
          listener.accept(gone);
        } catch (RuntimeException | Error e) {
          Logs.quietly(() -> LOG.error("A lock manager failed to end leases in an index", e));
        }
      }
      gone = untold.poll();
    }
  }

  /** Whether a listing of that incarnation should refresh it before. */
  boolean isRefreshedLate(Incarnation incarnation) {
    Known known = current;
    return known != null && known.refreshedLate() && known.incarnation().equals(incarnation);
  }

  /** The name by which requests reach that incarnation. */
  static String target(Incarnation incarnation) {
    int end = incarnation.id().indexOf('/');
    return end < 0 ? incarnation.id() : incarnation.id().substring(0, end);
  }

  // --- Verification

  /**
   * Begins a verification if one is due. Costs one look at the clock else.
   *
   * @return what an acquisition should wait for: a verification that is overdue, unless the last
   *     one failed; null if nothing
   */
  @Nullable CompletableFuture<Boolean> inUse() {
    long now = nanos.getAsLong();
    if (now - dueAtNanos < 0 && verification.isDone()) {
      return null;
    }
    return verify(now);
  }

  private @Nullable CompletableFuture<Boolean> verify(long now) {
    CompletableFuture<Boolean> tooLate = null;
    CompletableFuture<Boolean> begun = null;
    CompletableFuture<Boolean> joined = null;
    synchronized (this) {
      Known known = current;
      if (known != null && now - dueAtNanos >= 0) {
        if (verification.isDone()) {
          dueAtNanos = now + VERIFICATION_INTERVAL.toNanos();
          verifyingSinceNanos = now;
          begun = recorded(verification(known));
          verification = begun;
          verifying = new SharedFuture<>(begun);
        } else if (now - verifyingSinceNanos > MAX_INTERVALS * VERIFICATION_INTERVAL.toNanos()) {
          tooLate = verification;
        }
      }
      if (verifying != null && !verificationFailed) {
        joined = verifying.join();
      }
    }
    if (tooLate != null) {
      // The next use begins another.
      tooLate.cancel(false);
    }
    if (begun != null) {
      var unused = begun.whenComplete((same, failure) -> verified(failure));
    }
    return joined;
  }

  /** How it ended is known before anybody who waits for it goes on. */
  private CompletableFuture<Boolean> recorded(CompletableFuture<Boolean> verification) {
    return CancellableFuture.of(
        verification,
        same -> {
          verified(null);
          return CompletableFuture.completedFuture(same);
        },
        failure -> {
          verified(failure);
          return CompletableFuture.failedFuture(failure);
        });
  }

  private synchronized void verified(@Nullable Throwable failure) {
    boolean isNews = failure != null && !verificationFailed;
    verificationFailed = failure != null;
    if (failure != null && isNews) {
      Logs.quietly(
          () ->
              LOG.warn(
                  "Not verified that alias \"{}\" still leads to the same index; what is known of"
                      + " it stays: {}",
                  names.alias(),
                  Texts.shortened(Failures.unwrapped(failure).toString())));
    }
  }

  private CompletableFuture<Boolean> verification(Known known) {
    return CancellableFuture.of(
        sight(transport, known),
        sight ->
            sight.difference() == null
                ? CompletableFuture.completedFuture(true)
                : CancellableFuture.of(
                    quorum.ask(List.of(known)),
                    confirmed -> {
                      String difference = confirmed.get(0).difference();
                      if (difference != null) {
                        leave(known, difference);
                        tellLeft();
                      }
                      return CompletableFuture.completedFuture(difference == null);
                    }));
  }

  private Function<List<Known>, CompletableFuture<List<Sight>>> asking(
      ElasticsearchTransport node) {
    return known ->
        CancellableFuture.of(
            sight(node, known.get(0)), sight -> CompletableFuture.completedFuture(List.of(sight)));
  }

  private CompletableFuture<List<IndexDescription>> indices(ElasticsearchTransport node) {
    return Failures.untilFresh(() -> node.performRequestAsync(names.alias(), GET, null));
  }

  private CompletableFuture<Sight> sight(ElasticsearchTransport node, Known known) {
    return CancellableFuture.of(
        indices(node),
        indices -> CompletableFuture.completedFuture(new Sight(difference(known, indices))),
        failure ->
            isNotFound(failure)
                ? CompletableFuture.completedFuture(
                    new Sight(
                        "alias \""
                            + names.alias()
                            + "\" no longer leads to index \""
                            + known.index()
                            + "\", nor to any other"))
                : CompletableFuture.failedFuture(Failures.unwrapped(failure)));
  }

  private @Nullable String difference(Known known, List<IndexDescription> indices) {
    try {
      Incarnation checked = rules.check(indices);
      IndexDescription index = indices.get(0);
      Incarnation found = identified(checked, index);
      if (!found.equals(known.incarnation())) {
        return "alias \""
            + names.alias()
            + "\" now leads to index \""
            + index.name()
            + "\" (incarnation "
            + found.id()
            + "), no longer to index \""
            + known.index()
            + "\" (incarnation "
            + known.incarnation().id()
            + ")";
      }
      warn(index);
      return null;
    } catch (LockIndexException e) {
      return String.valueOf(e.getMessage());
    }
  }

  /** From now on nothing is written to that incarnation. */
  private void leave(Known known, String difference) {
    leave(known.incarnation(), difference);
    Logs.quietly(
        () ->
            LOG.error(
                "The lock index \"{}\" was replaced or made unusable, and all leases in it are"
                    + " lost: {}",
                known.index(),
                difference));
  }

  private synchronized void leave(Incarnation incarnation, String difference) {
    IncarnationGoneException gone =
        IncarnationGoneException.replaced(
            incarnation,
            "the lock index was replaced or made unusable, and no lock in it is held any more: "
                + difference);
    Map<Incarnation, IncarnationGoneException> all = new LinkedHashMap<>(left);
    all.put(incarnation, gone);
    if (all.size() > MAX_REMEMBERED) {
      all.remove(all.keySet().iterator().next());
    }
    left = Map.copyOf(all);
    leftCount++;
    untold.add(gone);
    forget(incarnation);
  }

  // --- Look-up and creation

  private CompletableFuture<Incarnation> setUp(int round) {
    return CancellableFuture.of(
        lookUp(),
        found -> {
          if (found != null) {
            return CompletableFuture.completedFuture(found);
          }
          if (round > MAX_ROUNDS) {
            return CompletableFuture.failedFuture(
                new LockIndexException(
                    "Index \""
                        + names.index()
                        + "\" exists, but no alias \""
                        + names.alias()
                        + "\" leads to it, so it was not made by Holdfast. Rename or delete it,"
                        + " or configure another index name; if it was restored from a"
                        + " snapshot, delete it and raise the fencing era."));
          }
          return CancellableFuture.of(create(IndexRules.settings()), created -> setUp(round + 1));
        });
  }

  private CompletableFuture<@Nullable Incarnation> lookUp() {
    long begunAt = nanos.getAsLong();
    long leftBefore;
    synchronized (this) {
      leftBefore = leftCount;
    }
    return CancellableFuture.of(
        indices(transport),
        indices -> {
          try {
            Incarnation found = found(indices, begunAt, leftBefore);
            tellLeft();
            return CompletableFuture.completedFuture(found);
          } catch (LockIndexException e) {
            return explained(e, indices);
          }
        },
        failure ->
            isNotFound(failure)
                ? CompletableFuture.completedFuture(null)
                : CompletableFuture.failedFuture(Failures.unwrapped(failure)));
  }

  private static boolean isNotFound(Throwable failure) {
    ElasticsearchException rejected = Failures.ofElasticsearch(failure);
    return rejected != null
        && rejected.status() == Failures.NOT_FOUND
        && Failures.isIndexNotFound(rejected.error());
  }

  private <T> CompletableFuture<T> explained(
      LockIndexException wrong, List<IndexDescription> indices) {
    if (indices.size() != 1 || !String.valueOf(wrong.getMessage()).contains("template")) {
      return CompletableFuture.failedFuture(wrong);
    }
    return explained(String.valueOf(wrong.getMessage()), indices.get(0).name());
  }

  private <T> CompletableFuture<T> explained(String wrong, String index) {
    return CancellableFuture.of(
        MatchingTemplates.of(transport, index),
        templates -> CompletableFuture.failedFuture(new LockIndexException(wrong + templates)));
  }

  private synchronized Incarnation found(
      List<IndexDescription> indices, long begunAt, long leftBefore) {
    Incarnation checked = rules.check(indices);
    IndexDescription index = indices.get(0);
    Incarnation found = identified(checked, index);
    if (leftBefore != leftCount) {
      // Something was left while this look-up was under way, so it proves nothing: the next does.
      return found;
    }
    if (left.containsKey(found)) {
      Map<Incarnation, IncarnationGoneException> others = new LinkedHashMap<>(left);
      others.remove(found);
      left = Map.copyOf(others);
    }
    First first = firsts.get(checked.id());
    if (first != null && !found.equals(checked) && !left.containsKey(first.incarnation())) {
      leave(
          first.incarnation(),
          "index \""
              + index.name()
              + "\" is a copy that carries the same alias \""
              + checked.id()
              + "\"");
    }
    Known before = current;
    current = new Known(index.name(), found, IndexRules.isRefreshedLate(index));
    dueAtNanos = begunAt + VERIFICATION_INTERVAL.toNanos();
    if (before == null || !found.equals(before.incarnation())) {
      Logs.quietly(() -> tell(index, found));
    }
    warn(index);
    return found;
  }

  private void tell(IndexDescription index, Incarnation found) {
    LOG.info(
        "Locks are kept in index \"{}\", incarnation {}, era {}",
        index.name(),
        found.id(),
        found.era());
    if (found.era() != era) {
      LOG.warn(
          "Index \"{}\" was made with fencing era {}, not the configured {}: its own counts. A"
              + " raised era takes effect when the index is deleted and re-created",
          index.name(),
          found.era(),
          era);
    }
  }

  /**
   * An index that was restored or reindexed carries the incarnation's alias of the one before, but
   * versions begin again in it: once this process has seen the first, it takes the next for another
   * incarnation.
   */
  private synchronized Incarnation identified(Incarnation incarnation, IndexDescription index) {
    String uuid = index.setting("uuid");
    if (uuid == null) {
      return incarnation;
    }
    First first = firsts.computeIfAbsent(incarnation.id(), alias -> new First(uuid, incarnation));
    return first.uuid().equals(uuid)
        ? incarnation
        : new Incarnation(incarnation.id() + "/" + uuid, incarnation.era());
  }

  private synchronized void warn(IndexDescription index) {
    List<String> warnings = IndexRules.warnings(index);
    if (!warnings.equals(warned)) {
      warned = warnings;
      Logs.quietly(
          () -> warnings.forEach(each -> LOG.warn("Index \"{}\": {}", index.name(), each)));
    }
  }

  /** Creates the index; that another process created it at the same time is success. */
  private CompletableFuture<Boolean> create(Map<String, @Nullable Object> settings) {
    String incarnation = names.incarnationPrefix() + randomName();
    return CancellableFuture.of(
        Failures.untilFresh(
            () ->
                transport.performRequestAsync(
                    new Creation(
                        names.index(),
                        BinaryData.of(
                            rules.creation(incarnation, settings), ContentType.APPLICATION_JSON)),
                    CREATE,
                    null)),
        response -> {
          Logs.quietly(() -> LOG.info("Made index \"{}\" for locks", names.index()));
          return CompletableFuture.completedFuture(true);
        },
        failure -> notCreated(failure, settings));
  }

  private static String randomName() {
    byte[] bytes = new byte[RANDOM_BYTES];
    RANDOM.nextBytes(bytes);
    return HexFormat.of().formatHex(bytes);
  }

  private CompletableFuture<Boolean> notCreated(
      Throwable failure, Map<String, @Nullable Object> settings) {
    ElasticsearchException rejected = Failures.ofElasticsearch(failure);
    if (rejected == null) {
      return CompletableFuture.failedFuture(Failures.unwrapped(failure));
    }
    ErrorCause error = rejected.error();
    if ("resource_already_exists_exception".equals(error.type())) {
      return CompletableFuture.completedFuture(false);
    }
    if (rejected.status() != Failures.BAD_REQUEST) {
      return CompletableFuture.failedFuture(Failures.unwrapped(failure));
    }
    String reason = String.valueOf(error.reason());
    Map<String, @Nullable Object> known = known(settings, reason);
    if (known.size() < settings.size()) {
      // What that leaves of the index is checked by the look-up that follows.
      Logs.quietly(
          () ->
              LOG.info(
                  "Elasticsearch does not know some index settings, which are left out: {}",
                  Texts.shortened(reason)));
      return create(known);
    }
    return explained(
        "Index \""
            + names.index()
            + "\" cannot be created: "
            + Failures.describe(names.index(), Failures.BAD_REQUEST, error).getMessage()
            + "."
            + BAD_REQUEST_REMEDY,
        names.index());
  }

  /** The settings without those that this version or kind of Elasticsearch does not have. */
  private static Map<String, @Nullable Object> known(
      Map<String, @Nullable Object> settings, String reason) {
    String lower = reason.toLowerCase(Locale.ROOT);
    boolean serverless = lower.contains("serverless") || lower.contains("not available");
    if (!serverless && !lower.contains("unknown setting")) {
      return settings;
    }
    Map<String, @Nullable Object> known = new LinkedHashMap<>(settings);
    // One unknown setting is named at a time; those of its group are unknown with it.
    known.keySet().removeIf(name -> lower.contains("[" + groupOf(name)) || lower.contains(name));
    return serverless && known.size() == settings.size() ? Map.of() : known;
  }

  private static String groupOf(String setting) {
    return setting.startsWith("index.lifecycle.") ? "index.lifecycle." : setting + "]";
  }
}
