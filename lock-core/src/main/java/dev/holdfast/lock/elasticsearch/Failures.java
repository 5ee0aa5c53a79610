package dev.holdfast.lock.elasticsearch;

import co.elastic.clients.elasticsearch._types.ElasticsearchException;
import co.elastic.clients.elasticsearch._types.ErrorCause;
import java.io.IOException;
import java.util.Arrays;
import java.util.concurrent.CompletionException;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** What an answer other than success means. */
final class Failures {
  static final int BAD_REQUEST = 400;
  static final int CONFLICT = 409;
  static final int NOT_FOUND = 404;
  static final int UNAVAILABLE = 503;

  private static final int REQUEST_TIMEOUT = 408;
  private static final int TOO_MANY_REQUESTS = 429;

  private static final int MAX_MESSAGE = 1_000;

  private static final int MAX_CAUSES = 20;

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

  /** The error of the JVM that is behind a failure, such as a class that was not found. */
  private static @Nullable Error error(Throwable failure) {
    return (Error)
        Stream.iterate(failure, t -> t != null, Throwable::getCause)
            .limit(MAX_CAUSES)
            .filter(Error.class::isInstance)
            .findFirst()
            .orElse(null);
  }

  /** Whether an answer was larger than is taken. */
  static boolean isTooLong(Throwable failure) {
    // By its name: a given client's is that of HttpClient 4 or 5, and the other is not there.
    return unwrapped(failure).getClass().getSimpleName().equals("ContentTooLongException");
  }

  /**
   * Whether no part of a request was sent to anybody. The client tries one node after the other,
   * and what went wrong with the earlier ones is suppressed in what went wrong with the last.
   */
  static boolean isNotSent(Throwable failure) {
    return failure instanceof AnswerGuard.NotSentException
        && Arrays.stream(failure.getSuppressed()).allMatch(Failures::isNotSent);
  }

  /** An error in words, with the reason of Elasticsearch, which names a missing privilege. */
  static ElasticsearchRefusal describe(int status, @Nullable ErrorCause error) {
    String type = error == null ? "no error given" : error.type();
    String reason = error == null ? null : error.reason();
    return new ElasticsearchRefusal(
        shortened(
            "Elasticsearch answered "
                + status
                + " "
                + type
                + (reason == null ? "" : ": " + reason)));
  }

  /** For a request that was refused or failed as a whole. */
  static Throwable describe(Throwable failure) {
    Throwable cause = unwrapped(failure);
    Error error = error(failure);
    if (error != null) {
      // Of this JVM, and not of Elasticsearch: nobody is to take it for an outage.
      return error;
    }
    if (cause instanceof ElasticsearchException e) {
      ElasticsearchRefusal described = describe(e.status(), e.error());
      return isShort(e) ? described.initCause(e) : described;
    }
    if (isTooLong(cause)) {
      return new IOException("an answer was larger than is taken: " + cause.getMessage(), cause);
    }
    return isShort(cause)
        ? cause
        : new IOException(cause.getClass().getName() + ": " + shortened(cause.getMessage()));
  }

  /** What a server says is not to fill logs. */
  static String shortened(@Nullable String text) {
    return text == null || text.length() <= MAX_MESSAGE
        ? String.valueOf(text)
        : text.substring(0, MAX_MESSAGE) + "... (" + text.length() + " characters)";
  }

  private static boolean isShort(Throwable failure) {
    for (Throwable t = failure; t != null; t = t.getCause()) {
      String message = t.getMessage();
      if (message != null && message.length() > 2 * MAX_MESSAGE) {
        return false;
      }
    }
    return true;
  }

  /** An answer of Elasticsearch that was not success. */
  static final class ElasticsearchRefusal extends RuntimeException {
    private static final long serialVersionUID = 1L;

    ElasticsearchRefusal(String message) {
      super(message);
    }
  }
}
