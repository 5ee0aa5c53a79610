package dev.holdfast.cluster;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;

/** The health of a node, as it reports it. */
final class Health {

  private Health() {}

  /** Returns whether the node is part of a cluster with a master, whose indices are usable. */
  static boolean answers(HttpClient http, URI node) {
    HttpRequest request =
        HttpRequest.newBuilder(node.resolve("/_cluster/health?wait_for_status=yellow&timeout=1s"))
            .build();
    try {
      HttpResponse<String> response = Requests.send(http, request, Duration.ofSeconds(10));
      return switch (response.statusCode()) {
        case 200 -> !response.body().contains("\"timed_out\":true");
        case 401, 403 -> true; // a caller that turned security on; no more can be asked
        default -> false;
      };
    } catch (IOException e) {
      return false;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt(); // ends the polling at its next pause
      return false;
    }
  }
}
