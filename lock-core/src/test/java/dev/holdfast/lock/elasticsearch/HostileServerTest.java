package dev.holdfast.lock.elasticsearch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.holdfast.lock.LockManager;
import dev.holdfast.lock.LockStoreUnavailableException;
import dev.holdfast.lock.elasticsearch.HttpFront.Reply;
import dev.holdfast.lock.store.ListResult;
import dev.holdfast.lock.store.ReadResult;
import dev.holdfast.lock.store.WriteResult;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import java.util.zip.GZIPOutputStream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Servers that are broken or want to do harm: each call ends, in a bounded space, in an error. */
@Timeout(120)
class HostileServerTest {
  private static final String HEAD =
      String.join(
          "\r\n",
          "HTTP/1.1 200 OK",
          "X-Elastic-Product: Elasticsearch",
          "Content-Type: application/vnd.elasticsearch+json;compatible-with=8",
          "");

  /** What the network may hold besides what the client has taken. */
  private static final long IN_THE_NETWORK = 32L * 1024 * 1024;

  private final AtomicLong sent = new AtomicLong();
  private final HttpFront server = HttpFront.alone(request -> Answers.INDEX);
  private final ElasticsearchLockStore store =
      ElasticsearchLockStore.builder(server.url()).apiKey("c2VjcmV0").build();

  @AfterEach
  void close() {
    store.close();
    server.close();
  }

  private void answers(Reply reply) {
    server.script(request -> request.isIndex() ? Answers.INDEX : reply);
  }

  /** Begins with a head, and goes on with the same for ever. */
  private Reply endless(String head, String part) {
    byte[] begin = head.getBytes(StandardCharsets.ISO_8859_1);
    byte[] again = part.getBytes(StandardCharsets.ISO_8859_1);
    return new Reply.Raw(
        out -> {
          out.write(begin);
          while (true) {
            out.write(again);
            sent.addAndGet(again.length);
          }
        });
  }

  /** Everything fails in a way that leaves open what happened; says what the failures say. */
  private List<Throwable> unclear() throws Exception {
    List<Throwable> causes = new ArrayList<>();
    for (WriteResult result : Answers.writes(store)) {
      assertThat(result).isInstanceOf(WriteResult.Unknown.class);
      causes.add(((WriteResult.Unknown) result).cause());
    }
    ReadResult read = Answers.get(store.read("x"));
    assertThat(read).isInstanceOf(ReadResult.Unavailable.class);
    causes.add(((ReadResult.Unavailable) read).cause());
    ListResult list = Answers.get(store.list(10));
    assertThat(list).isInstanceOf(ListResult.Unavailable.class);
    causes.add(((ListResult.Unavailable) list).cause());
    for (Throwable cause : causes) {
      assertThat(cause.toString().length()).isLessThan(5_000);
    }
    return causes;
  }

  // --- Without end

  record Endless(String name, String head, String part) {
    @Override
    public String toString() {
      return name;
    }
  }

  static Stream<Endless> endless() {
    String chunk = "4000\r\n" + " ".repeat(0x4000) + "\r\n";
    return Stream.of(
        new Endless("chunks", HEAD + "Transfer-Encoding: chunked\r\n\r\n", chunk),
        new Endless("a body of no length", HEAD + "\r\n", " ".repeat(0x4000)),
        new Endless(
            "a body of a terabyte",
            HEAD + "Content-Length: 1099511627776\r\n\r\n",
            "[".repeat(0x4000)),
        new Endless("an error page", HEAD.replace("200 OK", "503 No") + "\r\n", "x".repeat(0x4000)),
        new Endless("headers", HEAD, "X-More: " + "y".repeat(0x400) + "\r\n"),
        new Endless("a header", HEAD + "X-More: ", "y".repeat(0x4000)),
        new Endless("a status line", "HTTP/1.1 200 ", "y".repeat(0x4000)),
        new Endless("empty lines", "", "\r\n".repeat(0x400)),
        new Endless("early hints", "", "HTTP/1.1 103 Hints\r\nLink: <x>\r\n\r\n".repeat(50)),
        new Endless("a chunk's extension", HEAD + "Transfer-Encoding: chunked\r\n\r\n4;", "e"),
        new Endless("trailers", HEAD + "Transfer-Encoding: chunked\r\n\r\n0\r\n", "X-More: y\r\n"));
  }

  @ParameterizedTest
  @MethodSource("endless")
  void answer_withoutEnd_isGivenUp_afterABoundedPart(Endless answer) throws Exception {
    answers(endless(answer.head(), answer.part()));

    int requests = unclear().size();

    // Each of them, and what it asks again for, takes no more than it may.
    assertThat(sent.get())
        .isLessThan(3L * requests * (ManagedTransport.MAX_RESPONSE_BYTES + IN_THE_NETWORK));
  }

  @Test
  void answer_thatIsTooLarge_saysSo() throws Exception {
    answers(endless(HEAD + "\r\n", " ".repeat(0x4000)));

    assertThat(unclear()).allSatisfy(cause -> assertThat(cause).hasMessageContaining("larger"));
  }

  @Test
  void answer_thatInflates_isRefused_unread() throws Exception {
    ByteArrayOutputStream bomb = new ByteArrayOutputStream();
    try (GZIPOutputStream zip = new GZIPOutputStream(bomb)) {
      byte[] blank = " ".repeat(1 << 20).getBytes(StandardCharsets.US_ASCII);
      for (int i = 0; i < 64; i++) {
        zip.write(blank);
      }
    }
    for (String encoding : List.of("gzip", "x-gzip", "gzip, gzip", "br")) {
      answers(
          new Reply.Raw(
              out -> {
                out.write(
                    (HEAD
                            + "Content-Encoding: "
                            + encoding
                            + "\r\nContent-Length: "
                            + bomb.size()
                            + "\r\n\r\n")
                        .getBytes(StandardCharsets.ISO_8859_1));
                bomb.writeTo(out);
              }));
      assertThat(unclear())
          .allSatisfy(cause -> assertThat(cause).hasMessageContaining("compressed"));
    }
    assertThat(server.requests()).noneMatch(r -> r.headers().containsKey("accept-encoding"));
  }

  // --- Slow

  /** How an answer begins, and what then comes a little at a time, for ever. */
  record Drip(String name, String head, String part) {
    @Override
    public String toString() {
      return name;
    }
  }

  static Stream<Drip> drips() {
    return Stream.of(
        new Drip("nothing", "", " "),
        new Drip("interim answers", "", "HTTP/1.1 100 Continue\r\n\r\n"),
        new Drip("headers", HEAD + "X-More: ", "y"),
        new Drip("a body", HEAD + "\r\n", " "),
        new Drip("a body of that length", HEAD + "Content-Length: 99999\r\n\r\n{", " "));
  }

  /** A byte now and then keeps each time-out of a socket from passing. */
  @ParameterizedTest
  @MethodSource("drips")
  void answer_thatDripsIn_isGivenUpInTime_andItsConnectionWithIt(Drip drip) {
    AtomicLong dripping = new AtomicLong();
    answers(
        new Reply.Raw(
            out -> {
              dripping.incrementAndGet();
              try {
                out.write(drip.head().getBytes(StandardCharsets.ISO_8859_1));
                while (!Thread.currentThread().isInterrupted()) {
                  out.write(drip.part().getBytes(StandardCharsets.ISO_8859_1));
                  LockSupport.parkNanos(Duration.ofMillis(5).toNanos());
                }
              } finally {
                dripping.decrementAndGet();
              }
            }));
    try (LockManager locks =
        LockManager.builder(store).requestTimeout(Duration.ofMillis(300)).build()) {
      for (ThrowingCallable call : List.<ThrowingCallable>of(() -> locks.find("x"), locks::list)) {
        assertThat(catchThrowableOfType(LockStoreUnavailableException.class, call).isRetryable())
            .isTrue();
      }
      Poll.until("no connection is left to a server that drips", () -> dripping.get() == 0);

      assertThat(
              catchThrowableOfType(LockStoreUnavailableException.class, () -> locks.tryAcquire("x"))
                  .isRetryable())
          .isTrue();
    }
  }

  // --- Something else

  @ParameterizedTest
  @ValueSource(ints = {300, 301, 302, 303, 304, 305, 307, 308, 399})
  void redirect_withAnAnswerThatLooksRight_isNoAnswer_andNotFollowed(int status) throws Exception {
    try (HttpFront elsewhere = HttpFront.alone(request -> Answers.to(request))) {
      server.script(
          request ->
              request.isIndex()
                  ? Answers.INDEX
                  : new Reply.Answer(
                          status, Answers.to(request).headers(), Answers.to(request).body())
                      .with("Location", elsewhere.url() + request.target()));

      assertThat(unclear())
          .allSatisfy(
              cause ->
                  assertThat(cause)
                      .hasMessageContaining(status + ", a redirect")
                      .hasMessageContaining(server.host()));
      assertThat(elsewhere.requests()).isEmpty();
    }
  }

  @Test
  void answer_ofAnotherServer_thatLooksRight_isNoAnswer() throws Exception {
    server.script(
        request ->
            request.isIndex()
                ? Answers.INDEX
                : new Reply.Answer(
                    200, Map.of("Content-Type", "application/json"), Answers.to(request).body()));

    assertThat(unclear())
        .allSatisfy(cause -> assertThat(cause).hasMessageContaining("X-Elastic-Product"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"text/html", "text/plain", "application/xml", "", "\"", "a/b/c; =;"})
  void answer_ofAnotherType_isNoAnswer(String type) throws Exception {
    server.script(
        request ->
            request.isIndex() ? Answers.INDEX : Answers.to(request).with("Content-Type", type));

    for (WriteResult result : Answers.writes(store)) {
      assertThat(result).isNotInstanceOf(WriteResult.Conflict.class);
      assertThat(result).isNotInstanceOf(WriteResult.Rejected.class);
    }
    // Whatever is made of it, the client serves on.
    server.script(Answers::to);
    assertThat(Answers.get(store.read("x"))).isInstanceOf(ReadResult.Found.class);
  }

  @Test
  void protocol_thatIsSwitched_isNoAnswer() throws Exception {
    answers(
        new Reply.Raw(
            out ->
                out.write(
                    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"
                        .getBytes(StandardCharsets.ISO_8859_1))));

    assertThat(unclear()).isNotEmpty();
  }

  @Test
  void interimAnswers_thatAreFew_areNoHarm() throws Exception {
    server.script(
        request ->
            new Reply.Raw(
                out -> {
                  out.write(
                      "HTTP/1.1 100 Continue\r\n\r\n"
                          .repeat(3)
                          .getBytes(StandardCharsets.ISO_8859_1));
                  out.write(Answers.bytes(Answers.to(request).with("Connection", "close")));
                }));

    assertThat(Answers.writes(store)).allMatch(WriteResult.Applied.class::isInstance);
  }

  @Test
  void reason_thatIsHuge_isCutOff_alsoInWhatItIsCausedBy() throws Exception {
    for (int status : List.of(400, 403, 500, 503)) {
      answers(HttpFront.error(status, "some_exception", "because ".repeat(200_000)));
      for (WriteResult result : Answers.writes(store)) {
        Throwable cause =
            result instanceof WriteResult.Rejected rejected
                ? rejected.cause()
                : ((WriteResult.Unknown) result).cause();
        for (Throwable t = cause; t != null; t = t.getCause()) {
          assertThat(t.toString().length()).isLessThan(5_000);
        }
        assertThat(cause).hasMessageContaining("because because");
      }
    }
  }

  @Test
  void connections_areNoMoreThanTen_whateverTheServerDoes() throws Exception {
    server.script(request -> new Reply.Silence());
    try (LockManager locks =
        LockManager.builder(store).requestTimeout(Duration.ofMillis(50)).build()) {
      for (int i = 0; i < 30; i++) {
        assertThat(catchThrowableOfType(LockStoreUnavailableException.class, () -> locks.find("x")))
            .isNotNull();
        assertThat(server.openConnections()).isLessThanOrEqualTo(10);
      }
    }
  }
}
