package dev.holdfast.lock.elasticsearch;

import dev.holdfast.lock.elasticsearch.HttpFront.Reply;
import java.net.URI;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;

/** What the tests of the command line use of lock-core's tests. */
public final class CliFixtures {
  private CliFixtures() {}

  /** A proxy in front of a node. */
  public static final class Proxy implements AutoCloseable {
    private final HttpFront front;

    private Proxy(HttpFront front) {
      this.front = front;
    }

    public String url() {
      return front.url();
    }

    @Override
    public void close() {
      front.close();
    }
  }

  /** Refuses larger bodies, as nginx does. */
  public static Proxy limitingBodies(URI node, int bytes) {
    HttpFront front = HttpFront.of(node);
    front.script(
        request -> request.body().length() > bytes ? HttpFront.html(413) : new Reply.Forward());
    return new Proxy(front);
  }

  /** Refuses each deletion of a record, which is counted, for as long as they are not allowed. */
  public static Proxy refusingReleases(URI node, CountDownLatch refused, AtomicBoolean allowed) {
    HttpFront front = HttpFront.of(node);
    front.script(
        request -> {
          if (request.isBulk() && request.body().contains("\"delete\"") && !allowed.get()) {
            refused.countDown();
            return HttpFront.html(503);
          }
          return new Reply.Forward();
        });
    return new Proxy(front);
  }

  /** Gives one answer itself. */
  public static Proxy answering(URI node, String path, String json) {
    HttpFront front = HttpFront.of(node);
    front.script(
        request ->
            request.target().startsWith(path) ? HttpFront.json(200, json) : new Reply.Forward());
    return new Proxy(front);
  }

  /** Does not answer some requests. */
  public static Proxy silent(URI node, String path) {
    HttpFront front = HttpFront.of(node);
    front.script(
        request -> request.target().startsWith(path) ? new Reply.Silence() : new Reply.Forward());
    return new Proxy(front);
  }

  /** Answers some requests by itself, with a status and a page. */
  public static Proxy refusing(URI node, String path, int status) {
    HttpFront front = HttpFront.of(node);
    front.script(
        request ->
            request.target().startsWith(path) ? HttpFront.html(status) : new Reply.Forward());
    return new Proxy(front);
  }

  /** Makes the node's clock look as if it were ahead, or behind. */
  public static Proxy shiftingClock(URI node, long millis) {
    HttpFront front = HttpFront.of(node);
    front.script(
        request ->
            request.target().startsWith("/_nodes/_local/stats")
                ? HttpFront.json(
                    200,
                    "{\"nodes\":{\"n\":{\"timestamp\":"
                        + (System.currentTimeMillis() + millis)
                        + "}}}")
                : new Reply.Forward());
    return new Proxy(front);
  }
}
