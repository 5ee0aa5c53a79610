package dev.holdfast.lock.elasticsearch;

import dev.holdfast.lock.internal.Logs;
import java.io.IOException;
import org.apache.hc.client5.http.async.AsyncExecCallback;
import org.apache.hc.client5.http.async.AsyncExecChain;
import org.apache.hc.client5.http.async.AsyncExecChainHandler;
import org.apache.hc.core5.http.EntityDetails;
import org.apache.hc.core5.http.HttpException;
import org.apache.hc.core5.http.HttpRequest;
import org.apache.hc.core5.http.HttpResponse;
import org.apache.hc.core5.http.nio.AsyncDataConsumer;
import org.apache.hc.core5.http.nio.AsyncEntityProducer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps what goes wrong after a request has ended from the threads that serve all connections: an
 * exception there ends them, and every later request fails with "I/O reactor has been shut down".
 *
 * <p>The body of a request in elasticsearch-java 9.5.2 ({@code MultiBufferEntity}) throws now and
 * then when it is released on two threads at once, as when a request is cancelled while its
 * connection breaks; a storm of faults found it. The same was fixed in that client's older
 * transport (elastic/elasticsearch-java, issue 1003).
 */
final class ReactorGuard implements AsyncExecChainHandler {
  private static final Logger LOG = LoggerFactory.getLogger(ReactorGuard.class);

  @Override
  public void execute(
      HttpRequest request,
      AsyncEntityProducer body,
      AsyncExecChain.Scope scope,
      AsyncExecChain chain,
      AsyncExecCallback callback)
      throws HttpException, IOException {
    chain.proceed(request, body, scope, new Guarded(callback));
  }

  /** The client's own callback has told the request's end before it releases anything. */
  private record Guarded(AsyncExecCallback callback) implements AsyncExecCallback {
    @Override
    public AsyncDataConsumer handleResponse(HttpResponse response, EntityDetails details)
        throws HttpException, IOException {
      return callback.handleResponse(response, details);
    }

    @Override
    public void handleInformationResponse(HttpResponse response) throws HttpException, IOException {
      callback.handleInformationResponse(response);
    }

    @Override
    public void completed() {
      guarded(callback::completed);
    }

    @Override
    public void failed(Exception cause) {
      guarded(() -> callback.failed(cause));
    }

    private static void guarded(Runnable end) {
      try {
        end.run();
      } catch (RuntimeException | Error e) {
        Logs.quietly(() -> LOG.warn("The HTTP client failed to tidy up after a request", e));
      }
    }
  }
}
