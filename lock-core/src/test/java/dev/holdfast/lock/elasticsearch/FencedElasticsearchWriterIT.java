package dev.holdfast.lock.elasticsearch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.cluster.ElasticsearchVersion;
import dev.holdfast.lock.FencingToken;
import dev.holdfast.lock.Lease;
import dev.holdfast.lock.LockManager;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** Documents that are fenced by tokens, on real Elasticsearch. */
class FencedElasticsearchWriterIT extends ClusterTest {
  private static final FencingToken LOW = new FencingToken(0, 1, 7, 255);
  private static final FencingToken HIGH = new FencingToken(0, 2, 3, 0);

  private final String index = cluster.alias() + "-data";
  private final FencedElasticsearchWriter writer =
      new FencedElasticsearchWriter(cluster.userClient(cluster.node().toString()));

  FencedElasticsearchWriterIT(ElasticsearchVersion version) {
    super(version);
  }

  private String text(String id) {
    return cluster.get("/" + index + "/_doc/" + id).at("/_source/text").asText();
  }

  private void write(String id, String text, FencingToken token) throws IOException {
    writer.write(index, id, Map.of("text", text), token);
  }

  @Test
  void write_underTheSameOrAHigherToken_isTaken() throws Exception {
    write("a", "first", LOW);
    write("a", "again", LOW);
    assertThat(text("a")).isEqualTo("again");

    write("a", "next", HIGH);
    assertThat(text("a")).isEqualTo("next");
  }

  @Test
  void write_underALowerToken_isRefusedByElasticsearch_andChangesNothing() throws Exception {
    write("a", "of the newer holder", HIGH);

    assertThatThrownBy(() -> write("a", "late", LOW))
        .isInstanceOf(StaleFencingTokenException.class)
        .hasMessageContaining("\"a\"")
        .hasMessageContaining(index)
        .hasMessageContaining(LOW.toString());

    assertThat(text("a")).isEqualTo("of the newer holder");
  }

  @Test
  void documents_areFencedEachByItself() throws Exception {
    write("a", "of the newer holder", HIGH);

    assertThatCode(() -> write("b", "late, and nobody was there before", LOW))
        .doesNotThrowAnyException();
  }

  @Test
  void tombstone_keepsLateWritersOut() throws Exception {
    write("a", "first", LOW);
    writer.delete(index, "a", HIGH);

    assertThatThrownBy(() -> write("a", "late", LOW))
        .isInstanceOf(StaleFencingTokenException.class);
    assertThat(
            cluster
                .get("/" + index + "/_doc/a")
                .at("/_source/" + FencedElasticsearchWriter.TOMBSTONE_FIELD)
                .asBoolean())
        .isTrue();
    assertThatThrownBy(() -> writer.delete(index, "a", LOW))
        .isInstanceOf(StaleFencingTokenException.class);
  }

  @Test
  void era_thatWasRaised_outranksEverythingBefore() throws Exception {
    write("a", "before", new FencingToken(0, 4_000, 1_000_000, 255));
    FencingToken raised = new FencingToken(1, 1, 0, 0);

    write("a", "after", raised);

    assertThat(text("a")).isEqualTo("after");
  }

  @Test
  void token_thatDoesNotFitIntoALong_isAnErrorBeforeAnyRequest() {
    FencingToken huge = new FencingToken(16, 1, 1, 0);

    assertThatThrownBy(() -> write("a", "never", huge)).isInstanceOf(ArithmeticException.class);
    assertThat(cluster.exists(index)).isFalse();
  }

  @Test
  void tokens_ofRealLeases_fenceThePreviousHolderOut() throws Exception {
    LockManager locks = cluster.manager();
    Lease first = locks.acquire("lock");
    assertThat(locks.forceRelease("lock")).isTrue();
    Lease second = cluster.manager().acquire("lock", PATIENT);
    write("a", "second", second.fencingToken());

    assertThatThrownBy(() -> write("a", "first, late", first.fencingToken()))
        .isInstanceOf(StaleFencingTokenException.class);
    assertThat(text("a")).isEqualTo("second");
  }

  @Test
  void writers_thatRace_leaveTheHighestToken() throws Exception {
    List<Integer> order = new ArrayList<>();
    for (int i = 1; i <= 60; i++) {
      order.add(i);
    }
    Collections.shuffle(order, new Random(5));
    AtomicInteger refused = new AtomicInteger();
    ExecutorService threads = Executors.newFixedThreadPool(6);
    try {
      List<Future<?>> writes = new ArrayList<>();
      for (int number : order) {
        writes.add(
            threads.submit(
                () -> {
                  try {
                    write("a", "write " + number, new FencingToken(0, 1, number, 0));
                  } catch (StaleFencingTokenException e) {
                    refused.incrementAndGet();
                  }
                  return null;
                }));
      }
      for (Future<?> each : writes) {
        each.get();
      }
    } finally {
      threads.shutdownNow();
    }

    assertThat(text("a")).isEqualTo("write 60");
    assertThat(refused.get()).isPositive();
  }
}
