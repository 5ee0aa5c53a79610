package dev.holdfast.lock.elasticsearch;

import co.elastic.clients.elasticsearch.core.MgetRequest;
import co.elastic.clients.elasticsearch.core.SearchRequest;

/** How much of each record is asked for. Our own fit whole, alone. */
enum Detail {
  ALL,
  /** All but the metadata, which is only for show. */
  SMALL_FIELDS,
  /** Nothing but that there is a record, and its version: enough to watch it by. */
  VERSION;

  Detail less() {
    return this == ALL ? SMALL_FIELDS : VERSION;
  }

  MgetRequest.Builder of(MgetRequest.Builder request) {
    return switch (this) {
      case ALL -> request;
      case SMALL_FIELDS -> request.sourceIncludes(RecordCodec.SMALL_FIELDS);
      case VERSION -> request.source(source -> source.fetch(false));
    };
  }

  SearchRequest.Builder of(SearchRequest.Builder request) {
    return switch (this) {
      case ALL -> request;
      case SMALL_FIELDS ->
          request.source(
              source -> source.filter(filter -> filter.includes(RecordCodec.SMALL_FIELDS)));
      case VERSION -> request.source(source -> source.fetch(false));
    };
  }
}
