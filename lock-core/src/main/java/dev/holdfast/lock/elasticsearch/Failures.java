package dev.holdfast.lock.elasticsearch;

import co.elastic.clients.elasticsearch._types.ElasticsearchException;
import co.elastic.clients.elasticsearch._types.ErrorCause;
import co.elastic.clients.transport.TransportException;
import co.elastic.clients.transport.rest5_client.low_level.ResponseException;
import dev.holdfast.lock.internal.Batcher;
import dev.holdfast.lock.internal.CancellableFuture;
import dev.holdfast.lock.internal.Texts;
import jakarta.json.JsonException;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.ConnectException;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.nio.channels.ClosedChannelException;
import java.util.Arrays;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * What an answer other than success means, and no answer: the one rule for all calls.
 *
 * <table>
 *   <caption>What is rejected, and not worth another try until somebody changes something</caption>
 *   <tr><td>400, 401, 403 and other 4xx, of anybody</td><td>rejected; a closed index (400) and an
 *       operator's block (403) among them</td></tr>
 *   <tr><td>404</td><td>rejected if Elasticsearch says so; a proxy says so too while what is behind
 *       it starts</td></tr>
 *   <tr><td>408</td><td>open: proxies give it for a request that they may have passed on</td></tr>
 *   <tr><td>409</td><td>a conflict if it is about one write; otherwise open</td></tr>
 *   <tr><td>413</td><td>rejected for its size</td></tr>
 *   <tr><td>425, 429, 499</td><td>open: a coordinating node also gives 429 when a replica was
 *       overloaded, and the block of a full disk (429) goes by itself</td></tr>
 *   <tr><td>5xx, no answer, one that cannot be read</td><td>open</td></tr>
 *   <tr><td>what never left this process</td><td>rejected: a server that is not trusted, an index
 *       that is not as it must be, a client that cannot write JSON</td></tr>
 * </table>
 *
 * <p>An {@link Error} is none of these: it is about this process, and never about the store.
 */
final class Failures {
  static final int BAD_REQUEST = 400;
  static final int CONFLICT = 409;
  static final int NOT_FOUND = 404;
  static final int TOO_LARGE = 413;
  static final int UNAVAILABLE = 503;

  private static final int FORBIDDEN = 403;
  private static final int TOO_MANY_REQUESTS = 429;

  /** Of the client's errors, those that leave open whether the request was carried out. */
  private static final Set<Integer> OPEN = Set.of(408, CONFLICT, 425, TOO_MANY_REQUESTS, 499);

  private static final int MAX_CAUSES = 20;

  /** A request that breaks off may have been too large for a proxy only if it is larger. */
  static final long MIN_PROXY_LIMIT = 8 * 1024;

  private static final String INDEX_NOT_FOUND = "index_not_found_exception";

  private static final String RESPONSE_EXCEPTION =
      "co.elastic.clients.transport.rest5_client.low_level.ResponseException";

  private Failures() {}

  /** Whether that status, given by Elasticsearch, says that a request was not carried out. */
  static boolean isRefusal(int status) {
    return status >= 400 && status < 500 && !OPEN.contains(status);
  }

  /** Whether a request that failed so was certainly not carried out, and will not be. */
  static boolean isRefusal(Throwable failure) {
    Throwable cause = unwrapped(failure);
    if (cause instanceof ElasticsearchException e) {
      return isRefusal(e.status());
    }
    int status = status(cause);
    return status != 0
        ? isRefusal(status) && status != NOT_FOUND
        : cause instanceof LockIndexException || cause instanceof JsonException || isNotSent(cause);
  }

  /** The status of an answer that was not success, whoever gave it; 0 if there was none. */
  private static int status(Throwable cause) {
    if (cause instanceof ElasticsearchException e) {
      return e.status();
    } else if (cause instanceof TransportException e) {
      return e.statusCode();
    } else if (cause instanceof ForeignAnswerException e) {
      return e.status;
    } else if (cause instanceof TooLargeException) {
      return TOO_LARGE;
    }
    // Not with instanceof alone: where the user's client is an older one, there is no such class.
    return cause.getClass().getName().equals(RESPONSE_EXCEPTION) ? LowLevel.status(cause) : 0;
  }

  /** What is known only of the client that the store makes itself. */
  private static final class LowLevel {
    static int status(Throwable cause) {
      return cause instanceof ResponseException e ? e.getResponse().getStatusCode() : 0;
    }
  }

  /** The status that an error in an item of an answer stands for, where the item has none. */
  static int status(ErrorCause error) {
    String reason = String.valueOf(error.reason());
    return switch (String.valueOf(error.type())) {
      case INDEX_NOT_FOUND -> NOT_FOUND;
      case "index_closed_exception", "illegal_argument_exception" -> BAD_REQUEST;
      case "security_exception" -> FORBIDDEN;
      // As "index [x] blocked by: [FORBIDDEN/5/index read (api)];"
      case "cluster_block_exception" ->
          reason.contains("[SERVICE_UNAVAILABLE/") || !reason.contains("[FORBIDDEN/")
              ? UNAVAILABLE
              : FORBIDDEN;
      case "es_rejected_execution_exception", "circuit_breaking_exception" -> TOO_MANY_REQUESTS;
      default -> UNAVAILABLE;
    };
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

  /**
   * The error that is behind this failure, if there is one: memory that has run out, or classes
   * that do not fit together, must not pass for a store that does not answer.
   */
  private static @Nullable Error error(Throwable failure) {
    return (Error) firstCause(failure, Error.class::isInstance);
  }

  /** The first of a failure and its causes for which that holds; null if there is none. */
  private static @Nullable Throwable firstCause(Throwable failure, Predicate<Throwable> test) {
    Throwable cause = failure;
    for (int i = 0; i < MAX_CAUSES && cause != null; i++, cause = cause.getCause()) {
      if (test.test(cause)) {
        return cause;
      }
    }
    return null;
  }

  /** Of the HTTP client's classes, which are others where the user's own client is an older one. */
  private static boolean isNamed(Throwable failure, String simpleName) {
    return failure.getClass().getSimpleName().equals(simpleName);
  }

  /** Whether an answer was larger than is taken. */
  static boolean isTooLong(Throwable failure) {
    return isNamed(unwrapped(failure), "ContentTooLongException");
  }

  /** Whether a request was rejected for its size, by Elasticsearch or by a proxy. */
  static boolean isTooLarge(Throwable failure) {
    return status(unwrapped(failure)) == TOO_LARGE;
  }

  /**
   * Whether a request of that size may pass in smaller parts. A proxy that finds one too large may
   * close the connection while it is being sent, and then its answer is lost.
   */
  static boolean mayPassInParts(Throwable failure, long bytes) {
    return isTooLarge(failure) || (bytes >= MIN_PROXY_LIMIT && isBrokenOff(failure));
  }

  /** Whether the connection was closed or reset while a request was out. */
  static boolean isBrokenOff(Throwable failure) {
    Throwable first =
        firstCause(
            failure,
            cause ->
                cause instanceof SocketException
                    || cause instanceof ClosedChannelException
                    || isNamed(cause, "ConnectionClosedException")
                    || "Broken pipe".equals(cause.getMessage()));
    return first != null && !(first instanceof ConnectException);
  }

  /** Whether the client found the connection closed before it had begun with the request. */
  private static boolean isNotExecuted(Throwable failure) {
    return firstCause(failure, cause -> isNamed(cause, "RequestNotExecutedException")) != null;
  }

  /** Whether the client gave the answer up, for which its user has set a time. */
  private static boolean isTimedOut(Throwable failure) {
    return firstCause(
            failure,
            cause ->
                cause instanceof SocketTimeoutException
                    && !isNamed(cause, "ConnectTimeoutException"))
        != null;
  }

  /** Whether an interrupt ended the request before it had a connection; not a timeout. */
  static boolean isOfAnInterrupt(Throwable failure) {
    return firstCause(
            failure,
            cause ->
                cause instanceof InterruptedException
                    || cause instanceof CancellationException
                    || cause.getClass() == InterruptedIOException.class)
        != null;
  }

  /** Whether the connection was dead before the request was sent, so that another may do. */
  static boolean isStale(Throwable failure) {
    return firstCause(
            failure,
            cause ->
                Arrays.stream(cause.getSuppressed())
                    .anyMatch(StaleConnectionException.class::isInstance))
        != null;
  }

  /**
   * Sends a request, and again while it meets connections that were dead. Several may have died at
   * once, and one that was in use just now is back in the pool after the others were closed.
   */
  static <T> CompletableFuture<T> untilFresh(Supplier<CompletableFuture<T>> request) {
    return again(request, Failures::isStale, () -> {}, Batcher.MAX_DEAD_CONNECTIONS);
  }

  /**
   * Sends a request through a client of which it is not known how old its connections are, again
   * and again while connections break off: all of them may have died while they were idle, and each
   * request finds out about one.
   *
   * @param unanswered called before it is sent again
   */
  static <T> CompletableFuture<T> untilAnswered(
      Supplier<CompletableFuture<T>> request, Runnable unanswered) {
    return again(
        request,
        failure -> isBrokenOff(failure) || isNotExecuted(failure) || isTimedOut(failure),
        unanswered,
        Batcher.MAX_DEAD_CONNECTIONS);
  }

  private static <T> CompletableFuture<T> again(
      Supplier<CompletableFuture<T>> request,
      Predicate<Throwable> mayBeDead,
      Runnable unanswered,
      int more) {
    return CancellableFuture.of(
        begun(request),
        CompletableFuture::completedFuture,
        failure -> {
          if (more == 0 || !mayBeDead.test(failure)) {
            return CompletableFuture.failedFuture(failure);
          }
          unanswered.run();
          return again(request, mayBeDead, unanswered, more - 1);
        });
  }

  /** A client throws errors, such as of linking, instead of failing with them. */
  private static <T> CompletableFuture<T> begun(Supplier<CompletableFuture<T>> request) {
    try {
      return request.get();
    } catch (RuntimeException | Error e) {
      return CompletableFuture.failedFuture(e);
    }
  }

  /**
   * Whether no part of a request was sent to anybody. The client tries one node after the other,
   * and what went wrong with the earlier ones is suppressed in what went wrong with the last.
   */
  static boolean isNotSent(Throwable failure) {
    return failure instanceof ResponseGuard.NotSentException
        && Arrays.stream(failure.getSuppressed()).allMatch(Failures::isNotSent);
  }

  /**
   * An error in words, with the reason of Elasticsearch, which names a missing privilege.
   *
   * @param index the index that was asked for, which the reason often leaves out
   */
  static ElasticsearchRefusal describe(String index, int status, @Nullable ErrorCause error) {
    String type = error == null ? "no error given" : error.type();
    String reason = error == null ? null : error.reason();
    return new ElasticsearchRefusal(
        Texts.shortened(
                "Elasticsearch answered "
                    + status
                    + " "
                    + type
                    + (reason == null ? "" : ": " + reason))
            + " (index \""
            + index
            + "\")");
  }

  /** For a request that was rejected or failed as a whole. */
  static Throwable describe(String index, Throwable failure) {
    Error error = error(failure);
    if (error != null) {
      return error;
    }
    Throwable cause = unwrapped(failure);
    if (cause instanceof TooLargeException) {
      return cause;
    }
    if (cause instanceof ElasticsearchException e) {
      ElasticsearchRefusal described = describe(index, e.status(), e.error());
      return isFitForLogs(e) ? described.initCause(e) : described;
    }
    if (cause instanceof JsonException) {
      return new IllegalStateException(
          "the client cannot write a request as JSON: "
              + Texts.shortened(cause.getMessage())
              + "; it needs a mapper for objects, such as JacksonJsonpMapper",
          isFitForLogs(cause) ? cause : null);
    }
    if (isTooLong(cause)) {
      return new IOException("an answer was larger than is taken: " + cause.getMessage(), cause);
    }
    int status = status(cause);
    if (status >= 400) {
      return new IOException(
          "the answer was "
              + status
              + ", of a proxy or of Elasticsearch (index \""
              + index
              + "\"): "
              + Texts.shortened(cause.getMessage()),
          isFitForLogs(cause) ? cause : null);
    }
    return isFitForLogs(cause)
        ? cause
        : new IOException(cause.getClass().getName() + ": " + Texts.shortened(cause.getMessage()));
  }

  private static boolean isFitForLogs(Throwable failure) {
    for (Throwable t = failure; t != null; t = t.getCause()) {
      String message = t.getMessage();
      if (message != null
          && (message.length() > 2 * Texts.MAX_SHORTENED || !Texts.isPrintable(message))) {
        return false;
      }
    }
    return true;
  }

  /** Marks a failure on a connection that was dead, by being suppressed in it. */
  static final class StaleConnectionException extends IOException {
    private static final long serialVersionUID = 1L;

    StaleConnectionException() {
      super("the connection had served before, and may have been dropped while it was idle");
    }

    @Override
    public synchronized Throwable fillInStackTrace() {
      return this; // Where it was made says nothing.
    }
  }

  /** An answer with that status whose body is not what Elasticsearch says. */
  static final class ForeignAnswerException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final int status;

    ForeignAnswerException(int status, Throwable cause) {
      super("its body is empty, or JSON but no error of Elasticsearch", cause);
      this.status = status;
    }
  }

  /** An answer of Elasticsearch that was not success. */
  static final class ElasticsearchRefusal extends RuntimeException {
    private static final long serialVersionUID = 1L;

    ElasticsearchRefusal(String message) {
      super(message);
    }
  }

  /** A request was rejected for its size. */
  static final class TooLargeException extends IOException {
    private static final long serialVersionUID = 1L;

    TooLargeException(long bytes, Throwable answer) {
      super(
          "a request of "
              + bytes
              + " bytes was rejected as too large (413), by a proxy or by Elasticsearch: allow larger"
              + " requests there (client_max_body_size of nginx, http.max_content_length of"
              + " Elasticsearch), or attach less metadata to the lock",
          isFitForLogs(answer) ? answer : null);
    }
  }
}
