package dev.holdfast.lock.elasticsearch;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.holdfast.lock.elasticsearch.HttpFront.Reply;
import dev.holdfast.lock.elasticsearch.HttpFront.Request;
import dev.holdfast.lock.store.ListResult;
import dev.holdfast.lock.store.ReadResult;
import dev.holdfast.lock.store.WriteResult;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.Tag;
import net.jqwik.api.Tuple;
import net.jqwik.api.lifecycle.AfterContainer;

/**
 * A server whose answers are valid ones with random damage, byte by byte, from the status line to
 * the last brace. Whatever comes: the call ends, success and absence are believed only where the
 * bytes really say so, and the client serves the next call as if nothing had been.
 */
class HttpFuzzTest {
  private static final ObjectMapper MAPPER = new ObjectMapper();

  /** As many as a client has connections. */
  private static final int MAX_SPOILT = 10;

  private static final Pattern SUCCESS = Pattern.compile("HTTP/\\S*\\s+20\\d");

  private static final HttpFront SERVER = HttpFront.alone(Answers::to);
  private static final ElasticsearchLockStore STORE =
      ElasticsearchLockStore.builder(SERVER.url()).build();

  @AfterContainer
  static void stop() {
    STORE.close();
    SERVER.close();
  }

  /** What is done to an answer. Positions are parts of its length, in thousandths. */
  record Damage(Kind kind, int at, int length, String text) {
    enum Kind {
      REMOVE,
      REPEAT,
      REPLACE,
      INSERT,
      CUT
    }

    String on(String answer) {
      int begin = (int) ((long) at * answer.length() / 1_000);
      int end = Math.min(answer.length(), begin + length);
      String before = answer.substring(0, begin);
      String part = answer.substring(begin, end);
      String after = answer.substring(end);
      return switch (kind) {
        case REMOVE -> before + after;
        case REPEAT -> before + part + part + after;
        case REPLACE -> before + text + after;
        case INSERT -> before + text + part + after;
        case CUT -> before;
      };
    }
  }

  /** An answer's parts that matter, or that parsers stumble over. */
  private static final List<String> TOKENS =
      List.of(
          "null",
          "true",
          "{}",
          "[]",
          "[[[[",
          "{\"",
          "}",
          "]",
          ",",
          "\"",
          "\\",
          "\\u0000",
          "-1",
          "0",
          "1e999999999",
          "99999999999999999999",
          "1.5",
          "\"_id\":\"y\",",
          "\"error\":{},",
          "\"error\":{\"type\":\"index_not_found_exception\",\"reason\":\"no\"},",
          "\"status\":409,",
          "\"status\":404,",
          "\"found\":false,",
          "\"_seq_no\":-2,",
          "\r\n",
          "\r\n\r\n",
          "\0",
          "\u00ff\u00fe",
          " ",
          "Content-Length: 7\r\n",
          "Content-Length: -1\r\n",
          "Transfer-Encoding: chunked\r\n",
          "Transfer-Encoding: identity, chunked\r\n",
          "Content-Encoding: gzip\r\n",
          "Connection: close\r\n",
          "Trailer: x\r\n",
          "HTTP/1.1 100 Continue\r\n\r\n",
          "HTTP/1.1 101 Switching Protocols\r\n\r\n",
          "HTTP/2.0 ",
          "302",
          "204",
          "404",
          "500",
          "999");

  @Provide
  Arbitrary<List<Damage>> damages() {
    Arbitrary<String> text =
        Arbitraries.oneOf(
            Arbitraries.of(TOKENS),
            Arbitraries.strings().withCharRange('\0', '\u00ff').ofMaxLength(4));
    return Combinators.combine(
            Arbitraries.of(Damage.Kind.values()),
            Arbitraries.integers().between(0, 1_000).withoutEdgeCases(),
            Arbitraries.frequencyOf(
                Tuple.of(8, Arbitraries.integers().between(1, 4)),
                Tuple.of(2, Arbitraries.integers().between(5, 300))),
            text)
        .as(Damage::new)
        .list()
        .ofMinSize(1)
        .ofMaxSize(4);
  }

  private static String damaged(Request request, List<Damage> damages) {
    String answer = new String(Answers.bytes(Answers.to(request)), StandardCharsets.ISO_8859_1);
    for (Damage damage : damages) {
      answer = damage.on(answer);
    }
    return answer;
  }

  /** Which of the requests of a call is answered with damage. */
  enum Target {
    BULK,
    MGET,
    SEARCH,
    POINT_IN_TIME,
    INDEX;

    boolean matches(Request request) {
      return switch (this) {
        case BULK -> request.isBulk();
        case MGET -> request.isMget();
        case SEARCH -> request.path().endsWith("/_search");
        case POINT_IN_TIME -> request.path().endsWith("/_pit");
        case INDEX -> request.isIndex();
      };
    }
  }

  @Tag("slow")
  @Property(tries = 600)
  void answer_withDamage_isBelievedOnlyWhereItSaysSo(
      @ForAll Target target, @ForAll("damages") List<Damage> damages) throws Exception {
    tryOut(target, damages);
  }

  private static void tryOut(Target target, List<Damage> damages) throws Exception {
    // A store of its own where the index is to be looked up again.
    try (ElasticsearchLockStore fresh = ElasticsearchLockStore.builder(SERVER.url()).build()) {
      ElasticsearchLockStore asked = target == Target.INDEX ? fresh : STORE;
      SERVER.script(
          request ->
              target.matches(request)
                  ? new Reply.Raw(
                      out ->
                          out.write(
                              damaged(request, damages).getBytes(StandardCharsets.ISO_8859_1)))
                  : Answers.to(request));
      SERVER.forgetRequests();
      if (target == Target.BULK || target == Target.INDEX) {
        judge(Answers.writes(asked), target, damages);
      }
      if (target == Target.MGET || target == Target.INDEX) {
        judge(Answers.get(asked.read("x")), target, damages);
      }
      if (target != Target.BULK && target != Target.MGET) {
        judge(Answers.get(asked.list(10)), target, damages);
      }
    }
    SERVER.script(Answers::to);
    assertThat(Stream.generate(HttpFuzzTest::isServed).limit(MAX_SPOILT + 1)).contains(true);
  }

  /**
   * Whether the client gets answers. What was left over on a connection behind an answer's end may
   * spoil the next one there; no more than one call for each connection, and never in silence.
   */
  private static boolean isServed() {
    try {
      List<WriteResult> writes = Answers.writes(STORE);
      ReadResult read = Answers.get(STORE.read("x"));
      assertThat(writes).noneMatch(WriteResult.Conflict.class::isInstance);
      assertThat(read).isNotInstanceOf(ReadResult.Absent.class);
      return writes.stream().allMatch(WriteResult.Applied.class::isInstance)
          && read instanceof ReadResult.Found;
    } catch (Exception e) {
      throw new AssertionError("a call did not end", e);
    }
  }

  // --- What the bytes say, by a reading of our own

  private static void judge(List<WriteResult> results, Target target, List<Damage> damages) {
    if (target == Target.INDEX) {
      return; // the writes themselves were answered well
    }
    List<Request> asked = SERVER.requests(Request::isBulk);
    for (WriteResult result : results) {
      if (result instanceof WriteResult.Applied applied) {
        assertThat(asked)
            .anyMatch(
                request ->
                    says(
                        damaged(request, damages),
                        body -> {
                          JsonNode item = body.at("/items/0").path(operation(request));
                          return item.path("status").asInt() / 100 == 2
                              && item.path("_id").asText().equals("x")
                              && item.path("_seq_no").asLong() == applied.version().seqNo()
                              && item.path("_primary_term").asLong()
                                  == applied.version().primaryTerm();
                        }));
      } else if (result instanceof WriteResult.Conflict) {
        assertThat(asked)
            .anyMatch(
                request ->
                    says(
                        damaged(request, damages),
                        body -> {
                          JsonNode item = body.at("/items/0").path(operation(request));
                          int status = item.path("status").asInt();
                          return (status == 409 || status == 404)
                              && item.path("_id").asText().equals("x");
                        }));
      }
    }
  }

  private static void judge(ReadResult result, Target target, List<Damage> damages) {
    if (target == Target.INDEX) {
      if (result instanceof ReadResult.Absent) {
        assertThat(SERVER.requests(Request::isIndex))
            .anyMatch(request -> damaged(request, damages).contains("404"));
      }
      return;
    }
    List<Request> asked = SERVER.requests(Request::isMget);
    if (result instanceof ReadResult.Found found) {
      assertThat(asked)
          .anyMatch(
              request ->
                  says(
                      damaged(request, damages),
                      body ->
                          body.at("/docs/0/_id").asText().equals("x")
                              && body.at("/docs/0/_seq_no").asLong() == found.version().seqNo()));
      assertThat(found.record().lockId()).isEqualTo("x");
    } else if (result instanceof ReadResult.Absent) {
      assertThat(asked)
          .anyMatch(
              request ->
                  says(
                      damaged(request, damages),
                      body ->
                          !body.at("/docs/0/found").asBoolean()
                              || body.at("/docs/0").has("error")));
    }
  }

  private static void judge(ListResult result, Target target, List<Damage> damages) {
    if (result instanceof ListResult.Listed listed
        && listed.records().isEmpty()
        && target == Target.SEARCH) {
      assertThat(SERVER.requests(Target.SEARCH::matches))
          .anyMatch(
              request ->
                  says(
                      damaged(request, damages),
                      body ->
                          body.path("hits").has("hits")
                              && Stream.of(body.at("/hits/hits/0"))
                                  .noneMatch(
                                      hit ->
                                          hit.has("_id")
                                              && hit.has("_seq_no")
                                              && hit.has("_primary_term"))));
    }
  }

  private static String operation(Request request) {
    return request.body().split("\"", 3)[1];
  }

  /** Whether there is a success with a body like that anywhere in what was sent. */
  private static boolean says(String answer, Predicate<JsonNode> what) {
    if (!SUCCESS.matcher(answer).find()) {
      return false;
    }
    for (int at = answer.indexOf('{'); at >= 0; at = answer.indexOf('{', at + 1)) {
      try {
        byte[] json = answer.substring(at).getBytes(StandardCharsets.ISO_8859_1);
        JsonNode body = MAPPER.readTree(json);
        if (body != null && what.test(body)) {
          return true;
        }
      } catch (JsonProcessingException e) {
        // Nothing that a parser would accept begins here.
      } catch (IOException e) {
        throw new IllegalStateException("bytes in memory can be read", e);
      }
    }
    return false;
  }

  // --- What was found

  /** What is behind the end of an answer is read as the beginning of the next one. */
  @Example
  void bytesBehindAnAnswer_spoilAtMostTheNext_andSaySo() throws Exception {
    for (Target target : Target.values()) {
      tryOut(target, List.of(new Damage(Damage.Kind.REPEAT, 828, 4, "-1")));
    }
  }

  @Example
  void noAnswerAtAll_isNotBelieved() throws Exception {
    for (Target target : Target.values()) {
      tryOut(target, List.of(new Damage(Damage.Kind.CUT, 0, 1, "")));
    }
  }
}
