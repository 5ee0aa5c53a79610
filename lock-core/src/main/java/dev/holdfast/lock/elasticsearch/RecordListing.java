package dev.holdfast.lock.elasticsearch;

import co.elastic.clients.elasticsearch.ElasticsearchAsyncClient;
import co.elastic.clients.elasticsearch._types.ElasticsearchException;
import co.elastic.clients.elasticsearch._types.FieldValue;
import co.elastic.clients.elasticsearch.core.OpenPointInTimeRequest;
import co.elastic.clients.elasticsearch.core.search.Hit;
import co.elastic.clients.transport.endpoints.SimpleEndpoint;
import dev.holdfast.lock.elasticsearch.RecordCodec.Source;
import dev.holdfast.lock.internal.CancellableFuture;
import dev.holdfast.lock.store.Incarnation;
import dev.holdfast.lock.store.ListResult;
import dev.holdfast.lock.store.ReadResult;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/** Lists all records of the lock index, for operators. Thread-safe. */
final class RecordListing {
  /** So many records with the metadata that managers allow by default fit into one answer. */
  private static final int PAGE_SIZE = 200;

  /** How much memory a listing gives to metadata; what is beyond is left out. */
  private static final long MAX_LISTED_METADATA = 64 * 1024 * 1024;

  private static final String SEARCH_KEEP_ALIVE = "1m";

  private final ElasticsearchAsyncClient client;
  private final LockIndex index;
  private final String indexName;
  private final SimpleEndpoint<OpenPointInTimeRequest, String> openPointInTime =
      OpenPointInTimeEndpoint.create();

  private final AtomicReference<@Nullable CompletableFuture<?>> closingPointInTime =
      new AtomicReference<>();

  RecordListing(ElasticsearchAsyncClient client, LockIndex index, String indexName) {
    this.client = client;
    this.index = index;
    this.indexName = indexName;
  }

  /**
   * Reads page by page from one point in time. What was done in the last second may not show; or
   * longer ago, if the index's {@code refresh_interval} was changed and the caller may not refresh
   * it.
   */
  CompletableFuture<ListResult> list(int limit) {
    return list(limit, true);
  }

  private CompletableFuture<ListResult> list(int limit, boolean again) {
    return CancellableFuture.of(
            index.find(),
            incarnation -> {
              if (incarnation == null) {
                return CompletableFuture.<ListResult>completedFuture(
                    new ListResult.Listed(List.of()));
              }
              return CancellableFuture.of(
                  CancellableFuture.of(refreshed(incarnation), unused -> pointInTime(incarnation)),
                  opened -> {
                    if (opened.isPresent()) {
                      String id = opened.get();
                      return closing(
                          id, new Pages(id, incarnation, limit).page(null, Detail.ALL, PAGE_SIZE));
                    }
                    return again
                        ? list(limit, false)
                        : CompletableFuture.completedFuture(new ListResult.Listed(List.of()));
                  });
            })
        .orElse(this::notListed);
  }

  private ListResult notListed(Throwable failure) {
    Throwable cause = Failures.describe(indexName, failure);
    return Failures.isRefusal(failure)
        ? new ListResult.Rejected(cause)
        : new ListResult.Unavailable(cause);
  }

  /**
   * Refreshes an index whose settings make listings late. Needs a privilege that few have; without
   * it the listing shows what there is.
   */
  private CompletableFuture<Boolean> refreshed(Incarnation incarnation) {
    return index.isRefreshedLate(incarnation)
        ? CancellableFuture.of(
            client.indices().refresh(refresh -> refresh.index(LockIndex.target(incarnation))),
            done -> CompletableFuture.completedFuture(true),
            failure -> CompletableFuture.completedFuture(false))
        : CompletableFuture.completedFuture(false);
  }

  /** The id of a new point in time; empty if the incarnation is gone. */
  private CompletableFuture<Optional<String>> pointInTime(Incarnation incarnation) {
    return CancellableFuture.of(
        Failures.untilFresh(
            () ->
                client
                    ._transport()
                    .performRequestAsync(
                        OpenPointInTimeRequest.of(
                            open ->
                                open.index(LockIndex.target(incarnation))
                                    .keepAlive(ElasticsearchLockStore.time(SEARCH_KEEP_ALIVE))),
                        openPointInTime,
                        client._transportOptions())),
        id -> CompletableFuture.completedFuture(Optional.of(id)),
        failure -> {
          ElasticsearchException rejected = Failures.ofElasticsearch(failure);
          if (rejected != null && Failures.isIndexNotFound(rejected.error())) {
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
              // Its result does not matter: what is not closed ends with its keep-alive. The last
              // one is given up, should the server still be at it.
              CompletableFuture<?> before =
                  closingPointInTime.getAndSet(
                      client.closePointInTime(close -> close.id(pointInTime)));
              if (before != null) {
                before.cancel(false);
              }
            });
    return pages;
  }

  /** All records of one point in time, page by page. */
  private final class Pages {
    private final String pointInTime;
    private final Incarnation incarnation;
    private final int limit;
    private final List<ReadResult.Found> sofar = new ArrayList<>();
    private long metadataLeft = MAX_LISTED_METADATA;

    Pages(String pointInTime, Incarnation incarnation, int limit) {
      this.pointInTime = pointInTime;
      this.incarnation = incarnation;
      this.limit = limit;
    }

    /**
     * A page that is too large is asked for without metadata, then in halves, then for versions.
     */
    CompletableFuture<ListResult> page(@Nullable List<FieldValue> after, Detail detail, int size) {
      return CancellableFuture.of(
          Failures.untilFresh(
              () ->
                  client.search(
                      search -> {
                        detail
                            .of(search)
                            .pit(
                                pit ->
                                    pit.id(pointInTime)
                                        .keepAlive(ElasticsearchLockStore.time(SEARCH_KEEP_ALIVE)))
                            .size(size)
                            .seqNoPrimaryTerm(true)
                            .allowPartialSearchResults(false)
                            .trackTotalHits(track -> track.enabled(false))
                            .sort(sort -> sort.field(field -> field.field("_shard_doc")));
                        return after == null ? search : search.searchAfter(after);
                      },
                      Source.class)),
          response -> listed(response.hits().hits(), size),
          failure -> {
            if (!Failures.isTooLong(failure) || detail == Detail.VERSION) {
              return CompletableFuture.failedFuture(failure);
            }
            return detail == Detail.ALL || size == 1
                ? page(after, detail.less(), size)
                : page(after, detail, size / 2);
          });
    }

    private CompletableFuture<ListResult> listed(List<Hit<Source>> hits, int size) {
      for (Hit<Source> hit : hits) {
        String id = hit.id();
        Source source = hit.source();
        if (source != null) {
          metadataLeft -= source.metadataSize();
        }
        if (id != null
            && ElasticsearchLockStore.found(
                    id,
                    incarnation,
                    hit.primaryTerm(),
                    hit.seqNo(),
                    source == null || metadataLeft >= 0 ? source : source.withoutMetadata())
                instanceof ReadResult.Found found) {
          sofar.add(found);
        }
      }
      if (sofar.size() > limit) {
        return CompletableFuture.completedFuture(
            new ListResult.Rejected(
                new IllegalStateException("there are more than " + limit + " lock records")));
      }
      return hits.size() < size
          ? CompletableFuture.completedFuture(new ListResult.Listed(sofar))
          : page(hits.get(hits.size() - 1).sort(), Detail.ALL, PAGE_SIZE);
    }
  }
}
