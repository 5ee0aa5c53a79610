package dev.holdfast.lock.elasticsearch;

import java.io.IOException;
import java.time.Duration;
import org.apache.hc.client5.http.ConnectionKeepAliveStrategy;
import org.apache.hc.client5.http.async.AsyncExecCallback;
import org.apache.hc.client5.http.async.AsyncExecChain;
import org.apache.hc.client5.http.async.AsyncExecChainHandler;
import org.apache.hc.client5.http.impl.DefaultConnectionKeepAliveStrategy;
import org.apache.hc.core5.http.EndpointDetails;
import org.apache.hc.core5.http.EntityDetails;
import org.apache.hc.core5.http.HttpException;
import org.apache.hc.core5.http.HttpRequest;
import org.apache.hc.core5.http.HttpResponse;
import org.apache.hc.core5.http.nio.AsyncDataConsumer;
import org.apache.hc.core5.http.nio.AsyncEntityProducer;
import org.apache.hc.core5.pool.ConnPoolControl;
import org.apache.hc.core5.util.TimeValue;

/**
 * Finds connections that died while nobody used them. Load balancers and firewalls forget an idle
 * connection, often without a word to either end, and usually all of a client's connections at
 * about the same time.
 *
 * <p>When a request on a connection that has served before gets no answer, the idle connections
 * that are as old are closed, so that what is sent next goes over a new one, and the failure is
 * marked: the request may be sent again. Sits behind the handler that connects, so that failures to
 * connect are none of its business. Thread-safe.
 */
final class StaleConnections implements AsyncExecChainHandler {
  /**
   * A connection that was idle for longer is not used again. Shorter than the time after which any
   * common load balancer or firewall forgets one (60 s and more), and longer than the pause between
   * two renewals with the default TTL.
   */
  static final Duration MAX_IDLE = Duration.ofSeconds(30);

  /** What the server asks for, but at most {@link #MAX_IDLE}. */
  static final ConnectionKeepAliveStrategy KEEP_ALIVE =
      (response, context) -> {
        TimeValue most = TimeValue.ofMilliseconds(MAX_IDLE.toMillis());
        TimeValue asked =
            DefaultConnectionKeepAliveStrategy.INSTANCE.getKeepAliveDuration(response, context);
        return TimeValue.isPositive(asked) && asked.compareTo(most) < 0 ? asked : most;
      };

  private final ConnPoolControl<?> connections;

  StaleConnections(ConnPoolControl<?> connections) {
    this.connections = connections;
  }

  @Override
  public void execute(
      HttpRequest request,
      AsyncEntityProducer body,
      AsyncExecChain.Scope scope,
      AsyncExecChain chain,
      AsyncExecCallback callback)
      throws HttpException, IOException {
    Watched watched = new Watched(scope, callback);
    // Given up from above: the server may be silent because the connection is dead.
    scope.cancellableDependency.setDependency(
        () -> {
          watched.closeIdle();
          return true;
        });
    chain.proceed(request, body, scope, watched);
  }

  private final class Watched implements AsyncExecCallback {
    private final AsyncExecChain.Scope scope;
    private final AsyncExecCallback callback;
    private final long since = System.nanoTime();
    private volatile boolean answered;

    Watched(AsyncExecChain.Scope scope, AsyncExecCallback callback) {
      this.scope = scope;
      this.callback = callback;
    }

    /** Those that were not used either for most of the time that this request has been out. */
    private void closeIdle() {
      if (!answered) {
        long silentMillis = Duration.ofNanos(System.nanoTime() - since).toMillis();
        connections.closeIdle(TimeValue.ofMilliseconds(silentMillis / 2));
      }
    }

    /** Not by the number of responses, which the client (httpcore5 5.4) never counts. */
    private boolean hasServedBefore() {
      EndpointDetails connection = scope.clientContext.getEndpointDetails();
      // None where the connection was found closed before the request had begun.
      return connection == null || connection.getRequestCount() > 1;
    }

    @Override
    public AsyncDataConsumer handleResponse(HttpResponse response, EntityDetails details)
        throws HttpException, IOException {
      answered = true;
      return callback.handleResponse(response, details);
    }

    @Override
    public void handleInformationResponse(HttpResponse response) throws HttpException, IOException {
      answered = true;
      callback.handleInformationResponse(response);
    }

    @Override
    public void completed() {
      callback.completed();
    }

    @Override
    public void failed(Exception cause) {
      if (!answered && cause instanceof IOException) {
        closeIdle();
        if (hasServedBefore()) {
          cause.addSuppressed(new Failures.StaleConnectionException());
        }
      }
      callback.failed(cause);
    }
  }
}
