package dev.holdfast.lock.elasticsearch;

import dev.holdfast.lock.internal.Texts;
import java.io.IOException;
import java.security.cert.CertificateException;
import java.security.cert.CertificateExpiredException;
import java.security.cert.CertificateNotYetValidException;
import java.util.Locale;
import java.util.stream.Stream;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLPeerUnverifiedException;
import org.apache.hc.client5.http.async.AsyncExecCallback;
import org.apache.hc.client5.http.async.AsyncExecChain;
import org.apache.hc.client5.http.async.AsyncExecChainHandler;
import org.apache.hc.core5.http.ConnectionClosedException;
import org.apache.hc.core5.http.EntityDetails;
import org.apache.hc.core5.http.HttpException;
import org.apache.hc.core5.http.HttpHost;
import org.apache.hc.core5.http.HttpRequest;
import org.apache.hc.core5.http.HttpResponse;
import org.apache.hc.core5.http.ProtocolException;
import org.apache.hc.core5.http.nio.AsyncDataConsumer;
import org.apache.hc.core5.http.nio.AsyncEntityProducer;
import org.jspecify.annotations.Nullable;

/**
 * Turns away answers that Elasticsearch never gives, says in words what is wrong with a server that
 * cannot be talked to, and has a request that is given up give its connection up.
 */
final class ResponseGuard implements AsyncExecChainHandler {
  /** Elasticsearch sends none at all, proxies a few. */
  private static final int MAX_INFORMATION = 20;

  private static final int MAX_CAUSES = 20;

  @Override
  public void execute(
      HttpRequest request,
      AsyncEntityProducer body,
      AsyncExecChain.Scope scope,
      AsyncExecChain chain,
      AsyncExecCallback callback)
      throws HttpException, IOException {
    Cancellation cancellation = new Cancellation();
    scope.cancellableDependency.setDependency(cancellation);
    AsyncExecChain.Scope cancellable =
        new AsyncExecChain.Scope(
            scope.exchangeId,
            scope.route,
            scope.originalRequest,
            cancellation,
            scope.clientContext,
            scope.execRuntime,
            scope.scheduler,
            scope.execCount);
    chain.proceed(request, body, cancellable, new Guarded(scope.route.getTargetHost(), callback));
  }

  private static final class Guarded implements AsyncExecCallback {
    private final HttpHost host;
    private final AsyncExecCallback callback;
    private int information;

    Guarded(HttpHost host, AsyncExecCallback callback) {
      this.host = host;
      this.callback = callback;
    }

    @Override
    public AsyncDataConsumer handleResponse(HttpResponse response, @Nullable EntityDetails details)
        throws HttpException, IOException {
      int status = response.getCode();
      if (status >= 300 && status < 400) {
        throw new ProtocolException(
            host
                + " answered "
                + status
                + ", a redirect, which Elasticsearch never gives and Holdfast never follows: is it"
                + " the right URL?");
      }
      if (details != null
          && details.getContentEncoding() != null
          && !details.getContentEncoding().equalsIgnoreCase("identity")) {
        throw new ProtocolException(host + " answered in a compressed form, unasked");
      }
      return callback.handleResponse(response, details);
    }

    @Override
    public void handleInformationResponse(HttpResponse response) throws HttpException, IOException {
      if (++information > MAX_INFORMATION) {
        throw new ProtocolException(
            host + " gave more than " + MAX_INFORMATION + " interim answers (1xx)");
      }
      callback.handleInformationResponse(response);
    }

    @Override
    public void completed() {
      callback.completed();
    }

    @Override
    public void failed(Exception cause) {
      callback.failed(explained(host, cause));
    }
  }

  /** The failure, or one with that cause that says more. */
  static Exception explained(HttpHost host, Exception failure) {
    String refusal = refusal(failure);
    if (refusal != null) {
      return new NotSentException(
          host + " is not trusted, nothing was sent: " + Texts.printable(refusal), failure);
    }
    if (failure instanceof SSLException) {
      return new IOException(
          host + " failed at TLS: " + Texts.printable(failure.getMessage()), failure);
    }
    if (failure instanceof ConnectionClosedException && !isTls(host)) {
      return new IOException(
          host
              + " closed the connection before it had answered; if it expects TLS, its URL must begin"
              + " with https://",
          failure);
    }
    return failure;
  }

  private static boolean isTls(HttpHost host) {
    return "https".equals(host.getSchemeName().toLowerCase(Locale.ROOT));
  }

  /** Why no connection was made, if this is about who the server is. */
  private static @Nullable String refusal(Exception failure) {
    if (failure instanceof SSLPeerUnverifiedException) {
      return otherName(failure);
    }
    if (!(failure instanceof SSLException)) {
      return null;
    }
    Throwable reason =
        Stream.iterate((Throwable) failure, t -> t != null, Throwable::getCause)
            .limit(MAX_CAUSES)
            .filter(CertificateException.class::isInstance)
            .reduce((outer, inner) -> inner)
            .orElse(null);
    if (reason instanceof CertificateExpiredException) {
      return "its certificate has expired (" + reason.getMessage() + ")";
    } else if (reason instanceof CertificateNotYetValidException) {
      return "its certificate is not valid yet, or this machine's clock is wrong ("
          + reason.getMessage()
          + ")";
    } else if (reason instanceof SslContexts.UnknownFingerprintException) {
      return String.valueOf(reason.getMessage());
    } else if (reason != null) {
      String message = String.valueOf(reason.getMessage());
      return message.startsWith("No ") && message.contains("name")
          ? otherName(reason)
          : "its certificate is not signed by an authority that is trusted here ("
              + message
              + "); give its CA to the store, by certificate, fingerprint or trust store";
    }
    String message = String.valueOf(failure.getMessage());
    // "Unsupported or unrecognized SSL message", "Unrecognized SSL message, plaintext connection?"
    return message.contains("nrecognized SSL message")
        ? "it does not speak TLS; if it is meant not to, its URL must begin with http://"
        : null;
  }

  private static String otherName(Throwable reason) {
    return "its certificate is for other names than the URL's ("
        + reason.getMessage()
        + "); use a name that it has, or a certificate with this one";
  }

  /** The server is not who it should be: no part of the request was sent. */
  static final class NotSentException extends IOException {
    private static final long serialVersionUID = 1L;

    NotSentException(String message, Throwable cause) {
      super(message, cause);
    }
  }
}
