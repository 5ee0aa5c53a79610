package dev.holdfast.lock.elasticsearch;

import co.elastic.clients.elasticsearch.ElasticsearchAsyncClient;
import co.elastic.clients.elasticsearch._types.ElasticsearchException;
import co.elastic.clients.elasticsearch._types.ErrorCause;
import co.elastic.clients.elasticsearch._types.Time;
import co.elastic.clients.elasticsearch._types.mapping.DynamicMapping;
import co.elastic.clients.elasticsearch._types.mapping.Property;
import co.elastic.clients.elasticsearch._types.mapping.SourceField;
import co.elastic.clients.elasticsearch._types.mapping.SourceFieldMode;
import co.elastic.clients.elasticsearch._types.mapping.TypeMapping;
import co.elastic.clients.elasticsearch.indices.CreateIndexRequest;
import co.elastic.clients.elasticsearch.indices.GetIndexRequest;
import co.elastic.clients.elasticsearch.indices.IndexSettings;
import co.elastic.clients.elasticsearch.indices.IndexState;
import co.elastic.clients.elasticsearch.indices.Translog;
import co.elastic.clients.elasticsearch.indices.TranslogDurability;
import co.elastic.clients.json.JsonData;
import dev.holdfast.lock.store.Chain;
import dev.holdfast.lock.store.Incarnation;
import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Finds the lock index, makes it when it is absent, and checks that it is as it must be. Never
 * changes or deletes one that exists. What was found is remembered until it turns out to be gone; a
 * failure is not remembered. Thread-safe.
 */
final class LockIndex {
  private static final Logger LOG = LoggerFactory.getLogger(LockIndex.class);

  private static final String META = "holdfast";
  private static final String META_ERA = "era";
  private static final int RANDOM_BYTES = 8;

  /**
   * How long the making of the index waits for its primary shard; after that, the first write does.
   */
  private static final Time SHARD_TIMEOUT = Time.of(time -> time.time("3s"));

  /** How often the index may be found, made or vanish in turn before that is an error. */
  private static final int MAX_ROUNDS = 5;

  private static final SecureRandom RANDOM = new SecureRandom();

  private final ElasticsearchAsyncClient client;
  private final IndexNames names;
  private final int era;
  private final AtomicReference<@Nullable Incarnation> current = new AtomicReference<>();
  private @Nullable Shared<Incarnation> settingUp; // guarded by this

  LockIndex(ElasticsearchAsyncClient client, IndexNames names, int era) {
    this.client = client;
    this.names = names;
    this.era = era;
  }

  /** The incarnation that there is, or null. Makes none. */
  CompletableFuture<@Nullable Incarnation> find() {
    Incarnation known = current.get();
    if (known != null) {
      return CompletableFuture.completedFuture(known);
    }
    return lookUp();
  }

  /** The incarnation that there is, or a new one. Callers at the same time share one set-up. */
  synchronized CompletableFuture<Incarnation> findOrCreate() {
    Incarnation known = current.get();
    if (known != null) {
      return CompletableFuture.completedFuture(known);
    }
    CompletableFuture<Incarnation> joined = settingUp == null ? null : settingUp.join();
    if (joined != null) {
      return joined;
    }
    Shared<Incarnation> begun = new Shared<>(setUp(1));
    settingUp = begun;
    return begun.await();
  }

  /** That incarnation is gone: look anew. */
  void forget(Incarnation gone) {
    current.compareAndSet(gone, null);
  }

  private CompletableFuture<Incarnation> setUp(int round) {
    return Chain.of(
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
          return Chain.of(create(true), created -> setUp(round + 1));
        });
  }

  private CompletableFuture<@Nullable Incarnation> lookUp() {
    return Chain.of(
        client
            ._transport()
            .performRequestAsync(
                GetIndexRequest.of(request -> request.index(names.alias())),
                IndicesEndpoint.GET,
                client._transportOptions()),
        indices -> CompletableFuture.completedFuture(verified(indices)),
        failure -> {
          ElasticsearchException refused = Failures.ofElasticsearch(failure);
          return refused != null && refused.status() == Failures.NOT_FOUND
              ? CompletableFuture.completedFuture(null)
              : CompletableFuture.failedFuture(Failures.unwrapped(failure));
        });
  }

  private Incarnation verified(Map<String, IndexState> indices) {
    if (indices.size() != 1) {
      throw new LockIndexException(
          "Alias \""
              + names.alias()
              + "\" leads to "
              + indices.keySet()
              + ", but must lead to exactly one index. Remove it from the others.");
    }
    Map.Entry<String, IndexState> entry = indices.entrySet().iterator().next();
    Incarnation found = verified(entry.getKey(), entry.getValue());
    Incarnation before = current.getAndSet(found);
    if (!found.equals(before)) {
      LOG.info(
          "Locks are kept in index \"{}\", incarnation {}, era {}",
          entry.getKey(),
          found.id(),
          found.era());
      if (found.era() != era) {
        LOG.warn(
            "Index \"{}\" was made with fencing era {}, not the configured {}: its own counts. A"
                + " raised era takes effect when the index is deleted and made anew",
            entry.getKey(),
            found.era(),
            era);
      }
    }
    return found;
  }

  private Incarnation verified(String index, IndexState state) {
    if (index.equals(names.alias())) {
      throw wrong(
          index,
          "it is an index where an alias is expected",
          "Rename or delete it, or configure another alias");
    }
    List<String> incarnations =
        state.aliases().keySet().stream()
            .filter(alias -> alias.startsWith(names.incarnationPrefix()))
            .toList();
    if (incarnations.size() != 1) {
      throw wrong(
          index,
          "it must have exactly one alias that begins with \""
              + names.incarnationPrefix()
              + "\", but has "
              + incarnations,
          "It was not made by Holdfast, or its aliases were changed. When no lock is in use, delete"
              + " it");
    }
    checkDurability(index, state.settings());
    TypeMapping mapping = state.mappings();
    if (mapping == null) {
      throw wrong(index, "it has no mapping", "When no lock is in use, delete it");
    }
    checkMapping(index, mapping);
    checkSource(index, mapping);
    return new Incarnation(incarnations.get(0), era(index, mapping));
  }

  private static void checkDurability(String index, @Nullable IndexSettings settings) {
    // Both forms: as nested objects, and below "index".
    IndexSettings inner =
        settings == null || settings.index() == null ? settings : settings.index();
    Translog translog = inner == null ? null : inner.translog();
    if (translog != null && translog.durability() == TranslogDurability.Async) {
      throw wrong(
          index,
          "index.translog.durability is async, which loses acknowledged writes in a crash, and so"
              + " locks that are held",
          "Set it to request, also in the template that it comes from");
    }
  }

  private void checkMapping(String index, TypeMapping mapping) {
    if (mapping.dynamic() != DynamicMapping.False) {
      throw wrong(
          index,
          "its mapping is not dynamic:false",
          "When no lock is in use, delete it, and exclude it from index templates");
    }
    expectedMapping()
        .properties()
        .forEach(
            (field, expected) -> {
              Property actual = mapping.properties().get(field);
              if (actual == null
                  || actual._kind() != expected._kind()
                  || !enabledAlike(actual, expected)) {
                throw wrong(
                    index,
                    "field \""
                        + field
                        + "\" must be "
                        + describe(expected)
                        + ", but is "
                        + (actual == null ? "missing" : describe(actual)),
                    "When no lock is in use, delete it, and exclude it from index templates");
              }
            });
  }

  /** Records are read back from the source: all of it must be kept. */
  private static void checkSource(String index, TypeMapping mapping) {
    SourceField source = mapping.source();
    if (source != null
        && (Boolean.FALSE.equals(source.enabled())
            || source.mode() == SourceFieldMode.Disabled
            || !source.includes().isEmpty()
            || !source.excludes().isEmpty())) {
      throw wrong(
          index,
          "its mapping's _source does not keep all of each document",
          "When no lock is in use, delete it, and exclude it from index templates");
    }
  }

  private static boolean enabledAlike(Property actual, Property expected) {
    return !expected.isObject()
        || Boolean.FALSE.equals(expected.object().enabled())
            == Boolean.FALSE.equals(actual.object().enabled());
  }

  private static String describe(Property property) {
    return property._kind().jsonValue()
        + (property.isObject() && Boolean.FALSE.equals(property.object().enabled())
            ? " (enabled:false)"
            : "");
  }

  private static int era(String index, TypeMapping mapping) {
    JsonData meta = mapping.meta().get(META);
    try {
      if (meta != null) {
        return new Incarnation("any", meta.toJson().asJsonObject().getInt(META_ERA)).era();
      }
    } catch (RuntimeException e) {
      LOG.debug("_meta of index {} cannot be read", index, e);
    }
    throw wrong(
        index,
        "its mapping's _meta does not say its fencing era",
        "It was not made by Holdfast, or its mapping was changed. When no lock is in use, delete it");
  }

  private static LockIndexException wrong(String index, String what, String remedy) {
    return new LockIndexException(
        "Index \"" + index + "\" cannot be used for locks: " + what + ". " + remedy + ".");
  }

  /** Makes the index; that somebody else made it at the same time is success. */
  private CompletableFuture<@Nullable Void> create(boolean withSettings) {
    String incarnation = names.incarnationPrefix() + randomName();
    CreateIndexRequest request =
        CreateIndexRequest.of(
            create -> {
              create
                  .index(names.index())
                  .timeout(SHARD_TIMEOUT)
                  .aliases(names.alias(), alias -> alias)
                  .aliases(incarnation, alias -> alias)
                  .mappings(expectedMapping());
              return withSettings ? create.settings(expectedSettings()) : create;
            });
    return Chain.of(
        client.indices().create(request),
        response -> {
          LOG.info("Made index \"{}\" for locks", names.index());
          return CompletableFuture.completedFuture(null);
        },
        failure -> notCreated(failure, withSettings));
  }

  private static String randomName() {
    byte[] bytes = new byte[RANDOM_BYTES];
    RANDOM.nextBytes(bytes);
    return HexFormat.of().formatHex(bytes);
  }

  private CompletableFuture<@Nullable Void> notCreated(Throwable failure, boolean withSettings) {
    ElasticsearchException refused = Failures.ofElasticsearch(failure);
    if (refused != null) {
      ErrorCause error = refused.error();
      if ("resource_already_exists_exception".equals(error.type())) {
        return CompletableFuture.completedFuture(null);
      }
      String reason = error.reason();
      if (withSettings
          && refused.status() == 400
          && reason != null
          && reason.toLowerCase(Locale.ROOT).contains("setting")) {
        LOG.info("Index settings are refused; making the index without them: {}", reason);
        return create(false);
      }
    }
    return CompletableFuture.failedFuture(Failures.unwrapped(failure));
  }

  private static IndexSettings expectedSettings() {
    return IndexSettings.of(
        settings ->
            settings
                .hidden(true)
                .numberOfShards("1")
                .autoExpandReplicas("0-2")
                .translog(translog -> translog.durability(TranslogDurability.Request)));
  }

  private TypeMapping expectedMapping() {
    Map<String, Property> fields = new LinkedHashMap<>();
    fields.put(RecordCodec.TOKEN, Property.of(p -> p.keyword(k -> k)));
    fields.put(RecordCodec.OWNER, Property.of(p -> p.keyword(k -> k)));
    fields.put(RecordCodec.CREATED_AT, Property.of(p -> p.date(d -> d)));
    fields.put(RecordCodec.EXPIRES_AT, Property.of(p -> p.date(d -> d)));
    fields.put(RecordCodec.TTL_MILLIS, Property.of(p -> p.long_(l -> l)));
    fields.put(RecordCodec.MAX_CLOCK_SKEW_MILLIS, Property.of(p -> p.long_(l -> l)));
    fields.put(RecordCodec.METADATA, Property.of(p -> p.object(o -> o.enabled(false))));
    return TypeMapping.of(
        mapping ->
            mapping
                .dynamic(DynamicMapping.False)
                .meta(META, JsonData.of(Map.of(META_ERA, era)))
                .properties(fields));
  }
}
