package dev.holdfast.lock.elasticsearch;

import co.elastic.clients.transport.ElasticsearchTransport;
import co.elastic.clients.transport.Endpoint;
import co.elastic.clients.transport.TransportOptions;
import dev.holdfast.lock.internal.CancellableFuture;
import dev.holdfast.lock.internal.Daemons;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A transport whose requests leave whether or not the calling thread is interrupted. HTTP clients
 * take a connection from their pool on the thread of the caller, in a way that an interrupt ends;
 * the failure then reads like that of a node, which is not asked again for a while. A body whose
 * thread was interrupted must still be able to give its lock back.
 *
 * <p>The interrupt is put off, not lost: the flag is set again before a call returns. Failures to
 * send, errors among them, come with the future and are never thrown. Thread-safe.
 */
final class UninterruptedTransport extends DelegatingTransport {
  UninterruptedTransport(ElasticsearchTransport transport) {
    super(transport);
  }

  @Override
  public <RequestT, ResponseT, ErrorT> CompletableFuture<ResponseT> performRequestAsync(
      RequestT request,
      Endpoint<RequestT, ResponseT, ErrorT> endpoint,
      @Nullable TransportOptions options) {
    boolean interrupted = Thread.interrupted();
    try {
      CompletableFuture<ResponseT> answer = begun(request, endpoint, options);
      if (Thread.interrupted()) {
        interrupted = true;
        if (answer.isCompletedExceptionally()) {
          // The interrupt came while the request was on its way out, and others may follow.
          return CancellableFuture.of(
              answer,
              CompletableFuture::completedFuture,
              failure ->
                  Failures.isOfAnInterrupt(failure)
                      ? begunElsewhere(() -> begun(request, endpoint, options))
                      : CompletableFuture.failedFuture(failure));
        }
      }
      return answer;
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private <RequestT, ResponseT, ErrorT> CompletableFuture<ResponseT> begun(
      RequestT request,
      Endpoint<RequestT, ResponseT, ErrorT> endpoint,
      @Nullable TransportOptions options) {
    try {
      return transport.performRequestAsync(request, ErrorAnswers.told(endpoint), options);
    } catch (RuntimeException | Error e) {
      return CompletableFuture.failedFuture(e);
    }
  }

  /** On a thread that nobody interrupts. */
  private static <T> CompletableFuture<T> begunElsewhere(Supplier<CompletableFuture<T>> request) {
    CompletableFuture<CompletableFuture<T>> begun = new CompletableFuture<>();
    Daemons.start("holdfast-elasticsearch-again", () -> begun.complete(request.get()));
    return CancellableFuture.of(begun, answer -> answer);
  }
}
