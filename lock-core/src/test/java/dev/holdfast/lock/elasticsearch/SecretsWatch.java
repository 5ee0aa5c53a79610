package dev.holdfast.lock.elasticsearch;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import org.slf4j.Logger;

/**
 * Looks for secrets in all that any library logs, at any level, and in whatever it is shown. Only
 * two loggers of the HTTP client are left out, which are there to print what is sent, credentials
 * too; docs/operations.md warns of them.
 */
final class SecretsWatch implements AutoCloseable {
  static final String HEADERS = "org.apache.hc.client5.http.headers";
  static final String WIRE = "org.apache.hc.client5.http.wire";

  private final LogCapture headers = LogCapture.of(HEADERS, Level.OFF);
  private final LogCapture wire = LogCapture.of(WIRE, Level.OFF);
  private final LogCapture log = LogCapture.of(Logger.ROOT_LOGGER_NAME, Level.TRACE);
  private final List<String> shown = new ArrayList<>();

  /** Everything that was logged. */
  List<String> lines() {
    return log.lines();
  }

  /** For a look at it, with its causes and what they suppressed. */
  void show(Throwable failure) {
    StringWriter all = new StringWriter();
    failure.printStackTrace(new PrintWriter(all, true));
    shown.add(all.toString());
  }

  void show(Object anything) {
    shown.add(anything.toString());
  }

  /** Whether none of them is anywhere, plain or as the header of a request has it. */
  void assertNoneOf(String user, String... secrets) {
    for (String secret : secrets) {
      String encoded =
          Base64.getEncoder()
              .encodeToString((user + ":" + secret).getBytes(StandardCharsets.UTF_8));
      for (String form : List.of(secret, encoded)) {
        assertThat(shown).noneMatch(text -> text.contains(form));
        assertThat(lines()).as("log").isNotEmpty().noneMatch(line -> line.contains(form));
      }
    }
  }

  @Override
  public void close() {
    log.close();
    wire.close();
    headers.close();
  }
}
