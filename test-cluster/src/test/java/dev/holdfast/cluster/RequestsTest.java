package dev.holdfast.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpTimeoutException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(120)
class RequestsTest {
  private static final Duration SHORT = Duration.ofMillis(300);
  private static final Duration LONG = Duration.ofSeconds(60);

  private final HttpClient http =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

  /** A node that is stopped in the middle of its answer. */
  @Test
  void send_answerThatEndsInItsMiddle_isGivenUp() throws Exception {
    try (ServerSocket server = serverThatSays("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf")) {
      assertThatThrownBy(() -> Requests.send(http, requestTo(server), SHORT))
          .isInstanceOf(HttpTimeoutException.class)
          .hasMessageContaining("0.3S");
    }
  }

  @Test
  void send_wholeAnswer_isReturned() throws Exception {
    try (ServerSocket server =
        serverThatSays("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwhole")) {
      assertThat(Requests.send(http, requestTo(server), LONG).body()).isEqualTo("whole");
    }
  }

  @Test
  void send_noServer_saysSo() throws Exception {
    ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
    HttpRequest request = requestTo(server);
    server.close();

    assertThatThrownBy(() -> Requests.send(http, request, LONG))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("ConnectException");
  }

  private static HttpRequest requestTo(ServerSocket server) {
    return HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + server.getLocalPort())).build();
  }

  /** Answers each request with these bytes, and leaves the connection open. */
  private static ServerSocket serverThatSays(String answer) throws IOException {
    ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
    Thread thread =
        new Thread(
            () -> {
              try (Socket connection = server.accept()) {
                int unused = connection.getInputStream().read();
                connection.getOutputStream().write(answer.getBytes(StandardCharsets.US_ASCII));
                connection.getOutputStream().flush();
                while (connection.getInputStream().read() >= 0) {
                  // Until the client has gone.
                }
              } catch (IOException e) {
                Thread.currentThread().interrupt(); // the test is over
              }
            });
    thread.setDaemon(true);
    thread.start();
    return server;
  }
}
