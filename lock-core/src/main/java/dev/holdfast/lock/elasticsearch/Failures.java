package dev.holdfast.lock.elasticsearch;

import co.elastic.clients.elasticsearch._types.ElasticsearchException;
import co.elastic.clients.elasticsearch._types.ErrorCause;
import java.util.concurrent.CompletionException;
import org.jspecify.annotations.Nullable;

/** What an answer other than success means. */
final class Failures {
  static final int CONFLICT = 409;
  static final int NOT_FOUND = 404;

  private static final int REQUEST_TIMEOUT = 408;
  private static final int TOO_MANY_REQUESTS = 429;

  private static final String INDEX_NOT_FOUND = "index_not_found_exception";

  private Failures() {}

  /**
   * Whether a status says that the request was certainly not carried out. Not 429, which a
   * coordinating node also gives when a replica was overloaded; not 408, which proxies give for a
   * request that they may have passed on.
   */
  static boolean isRefusal(int status) {
    return status >= 400
        && status < 500
        && status != CONFLICT
        && status != REQUEST_TIMEOUT
        && status != TOO_MANY_REQUESTS;
  }

  static boolean isIndexNotFound(@Nullable ErrorCause error) {
    return error != null && INDEX_NOT_FOUND.equals(error.type());
  }

  /** The exception of Elasticsearch itself that is behind this one, if there is one. */
  static @Nullable ElasticsearchException ofElasticsearch(Throwable failure) {
    return unwrapped(failure) instanceof ElasticsearchException e ? e : null;
  }

  static Throwable unwrapped(Throwable failure) {
    Throwable cause = failure.getCause();
    return failure instanceof CompletionException && cause != null ? unwrapped(cause) : failure;
  }

  /** An error in words, with the reason of Elasticsearch, which names a missing privilege. */
  static ElasticsearchRefusal describe(int status, @Nullable ErrorCause error) {
    String type = error == null ? "no error given" : error.type();
    String reason = error == null ? null : error.reason();
    return new ElasticsearchRefusal(
        "Elasticsearch answered " + status + " " + type + (reason == null ? "" : ": " + reason));
  }

  /** For a request that was refused or failed as a whole. */
  static Throwable describe(Throwable failure) {
    Throwable cause = unwrapped(failure);
    if (cause instanceof ElasticsearchException e) {
      ElasticsearchRefusal described = describe(e.status(), e.error());
      described.initCause(e);
      return described;
    }
    return cause;
  }

  /** An answer of Elasticsearch that was not success. */
  static final class ElasticsearchRefusal extends RuntimeException {
    private static final long serialVersionUID = 1L;

    ElasticsearchRefusal(String message) {
      super(message);
    }
  }
}
