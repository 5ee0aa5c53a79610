package dev.holdfast.lock.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.InstanceOfAssertFactories.type;

import java.math.BigInteger;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What every {@link LockStore} does when nothing goes wrong. A subclass gives the store, and says
 * how one waits for it: a store on virtual time has its own way.
 */
public abstract class LockStoreContract {
  private static final long LIMIT_SECONDS = 60;
  private static final int RACERS = 8;
  private static final int MANY = 2_500;
  private static final int MANY_AT_ONCE = 100;

  private static final Instant NOON = Instant.parse("2026-11-23T12:00:00.123456789Z");

  /** The store under test, the same one throughout a test; it has no records at its beginning. */
  protected abstract LockStore store();

  /** The answer, when it is there. */
  protected <T> T await(CompletableFuture<T> answer) {
    try {
      return answer.get(LIMIT_SECONDS, TimeUnit.SECONDS);
    } catch (InterruptedException | ExecutionException | TimeoutException e) {
      throw new AssertionError("no answer from the store", e);
    }
  }

  /** Starts the calls at once, as far as the store lets that happen, and waits for all answers. */
  protected <T> List<T> race(List<Supplier<CompletableFuture<T>>> calls) {
    CountDownLatch start = new CountDownLatch(1);
    ExecutorService threads = Executors.newFixedThreadPool(calls.size());
    try {
      List<Future<T>> answers = new ArrayList<>();
      for (Supplier<CompletableFuture<T>> call : calls) {
        answers.add(
            threads.submit(
                () -> {
                  start.await();
                  return await(call.get());
                }));
      }
      start.countDown();
      List<T> results = new ArrayList<>();
      for (Future<T> answer : answers) {
        results.add(answer.get(LIMIT_SECONDS, TimeUnit.SECONDS));
      }
      return results;
    } catch (InterruptedException | ExecutionException | TimeoutException e) {
      throw new AssertionError("a racer did not arrive", e);
    } finally {
      threads.shutdownNow();
    }
  }

  /** Returns when what was written shows in a listing. */
  protected void makeListable() {}

  // --- Outcomes and versions

  @Test
  void create_absent_isAppliedAndCanBeRead() {
    Version version = applied(create(record("a", "t1")));

    assertThat(read("a")).isEqualTo(new ReadResult.Found(record("a", "t1"), version));
  }

  @Test
  void create_existing_conflictsAndChangesNothing() {
    Version version = applied(create(record("a", "t1")));

    assertConflict(create(record("a", "t2")));
    assertConflict(create(record("a", "t1")));

    assertThat(read("a")).isEqualTo(new ReadResult.Found(record("a", "t1"), version));
  }

  @Test
  void replace_expectedVersion_isAppliedWithAHigherVersion() {
    Version first = applied(create(record("a", "t1")));

    Version second = applied(replace(record("a", "t2"), first));

    assertThat(first.isOlderThan(second)).as("%s < %s", first, second).isTrue();
    assertThat(read("a")).isEqualTo(new ReadResult.Found(record("a", "t2"), second));
  }

  @Test
  void replace_olderVersion_conflictsAndChangesNothing() {
    Version first = applied(create(record("a", "t1")));
    Version second = applied(replace(record("a", "t2"), first));

    assertConflict(replace(record("a", "t3"), first));

    assertThat(read("a")).isEqualTo(new ReadResult.Found(record("a", "t2"), second));
  }

  @Test
  void replace_sameSequenceNumberOfAnotherTerm_conflicts() {
    Version version = applied(create(record("a", "t1")));

    assertConflict(
        replace(
            record("a", "t2"),
            new Version(version.incarnation(), version.primaryTerm() + 1, version.seqNo())));
    assertConflict(
        replace(
            record("a", "t2"),
            new Version(version.incarnation(), version.primaryTerm(), version.seqNo() + 1)));

    assertThat(read("a")).isEqualTo(new ReadResult.Found(record("a", "t1"), version));
  }

  @Test
  void replace_neverCreated_conflictsAndCreatesNothing() {
    Version ofAnother = applied(create(record("a", "t1")));

    assertConflict(replace(record("b", "t2"), ofAnother));

    assertThat(read("b")).isEqualTo(new ReadResult.Absent(ofAnother.incarnation()));
  }

  @Test
  void replace_afterDelete_conflictsAndCreatesNothing() {
    Version created = applied(create(record("a", "t1")));
    Version deleted = applied(delete("a", created));

    assertConflict(replace(record("a", "t2"), created));
    assertConflict(replace(record("a", "t2"), deleted));

    assertThat(read("a")).isEqualTo(new ReadResult.Absent(created.incarnation()));
  }

  @Test
  void delete_expectedVersion_removesTheRecord() {
    Version created = applied(create(record("a", "t1")));

    Version deleted = applied(delete("a", created));

    assertThat(created.isOlderThan(deleted)).isTrue();
    assertThat(read("a")).isEqualTo(new ReadResult.Absent(created.incarnation()));
  }

  @Test
  void delete_olderVersion_conflictsAndChangesNothing() {
    Version first = applied(create(record("a", "t1")));
    Version second = applied(replace(record("a", "t2"), first));

    assertConflict(delete("a", first));

    assertThat(read("a")).isEqualTo(new ReadResult.Found(record("a", "t2"), second));
  }

  @Test
  void delete_neverCreated_conflicts() {
    Version ofAnother = applied(create(record("a", "t1")));

    assertConflict(delete("b", ofAnother));

    assertThat(read("a")).isEqualTo(new ReadResult.Found(record("a", "t1"), ofAnother));
  }

  @Test
  void delete_again_conflicts() {
    Version created = applied(create(record("a", "t1")));
    Version deleted = applied(delete("a", created));

    assertConflict(delete("a", created));
    assertConflict(delete("a", deleted));
  }

  @Test
  void delete_ofAnOlderLife_conflictsWithTheSuccessor() {
    Version ofPredecessor = applied(create(record("a", "t1")));
    applied(delete("a", ofPredecessor));
    Version ofSuccessor = applied(create(record("a", "t2")));

    assertConflict(delete("a", ofPredecessor));
    assertConflict(replace(record("a", "t1"), ofPredecessor));

    assertThat(read("a")).isEqualTo(new ReadResult.Found(record("a", "t2"), ofSuccessor));
  }

  @Test
  void create_afterDelete_hasAHigherVersionThanAllBefore() {
    Version created = applied(create(record("a", "t1")));
    Version deleted = applied(delete("a", created));

    Version again = applied(create(record("a", "t1")));

    assertThat(deleted.isOlderThan(again)).as("%s < %s", deleted, again).isTrue();
    assertThat(created.isOlderThan(again)).isTrue();
  }

  @Test
  void writes_oneAfterAnother_haveStrictlyRisingVersions() {
    List<Version> versions = new ArrayList<>();
    for (int life = 0; life < 3; life++) {
      versions.add(applied(create(record("a", "t" + life))));
      for (int i = 0; i < 5; i++) {
        versions.add(applied(replace(record("a", "t" + life), last(versions))));
        // Writes to other locks in between must not matter.
        applied(create(record("b" + life + i, "t")));
      }
      versions.add(applied(delete("a", last(versions))));
    }

    for (int i = 1; i < versions.size(); i++) {
      Version before = versions.get(i - 1);
      Version after = versions.get(i);
      assertThat(before.isOlderThan(after)).as("%s < %s", before, after).isTrue();
    }
  }

  @Test
  void writes_ofAnIncarnationThatIsGone_areRejectedAndCreateNothing() {
    Incarnation incarnation = applied(create(record("a", "t1"))).incarnation();
    Incarnation gone = new Incarnation(incarnation.id() + "-of-old", incarnation.era());
    Version version = new Version(gone, 1, 0);

    assertGone(replace(record("a", "t2"), version), gone);
    assertGone(replace(record("b", "t2"), version), gone);
    assertGone(delete("a", version), gone);

    assertThat(read("a"))
        .asInstanceOf(type(ReadResult.Found.class))
        .extracting(found -> found.record().token())
        .isEqualTo("t1");
    assertThat(read("b")).isEqualTo(new ReadResult.Absent(incarnation));
  }

  @Test
  void read_neverCreated_isAbsent() {
    assertThat(read("a")).isInstanceOf(ReadResult.Absent.class);
  }

  // --- Races

  @Test
  void create_raced_isAppliedExactlyOnce() {
    for (int round = 0; round < 5; round++) {
      String id = "a" + round;
      List<WriteResult> results =
          this.<WriteResult>race(
              IntStream.range(0, RACERS)
                  .<Supplier<CompletableFuture<WriteResult>>>mapToObj(
                      i -> () -> store().create(record(id, "t" + i)))
                  .toList());

      assertOneWinner(id, results);
    }
  }

  @Test
  void replace_racedOnOneVersion_isAppliedExactlyOnce() {
    for (int round = 0; round < 5; round++) {
      String id = "a" + round;
      Version version = applied(create(record(id, "t")));
      List<WriteResult> results =
          this.<WriteResult>race(
              IntStream.range(0, RACERS)
                  .<Supplier<CompletableFuture<WriteResult>>>mapToObj(
                      i -> () -> store().replace(record(id, "t" + i), version))
                  .toList());

      assertOneWinner(id, results);
    }
  }

  private void assertOneWinner(String id, List<WriteResult> results) {
    List<Integer> winners =
        IntStream.range(0, results.size())
            .filter(i -> results.get(i) instanceof WriteResult.Applied)
            .boxed()
            .toList();
    assertThat(winners).as("%s", results).hasSize(1);
    int winner = winners.get(0);
    assertThat(results).filteredOn(WriteResult.Conflict.class::isInstance).hasSize(RACERS - 1);
    assertThat(read(id))
        .isEqualTo(new ReadResult.Found(record(id, "t" + winner), applied(results.get(winner))));
  }

  // --- What is kept

  static Stream<Named<LockRecord>> records() {
    Map<String, Object> everything = new LinkedHashMap<>();
    everything.put("text", "\"quoted\" \\ / \u0000 \n \u2028 na\u00efve \u65e5\u672c \ud83d\udd12");
    everything.put("", "empty key");
    everything.put("a.b", "a key with a dot");
    everything.put("null", null);
    everything.put("yes", true);
    everything.put("no", false);
    everything.put("int", Integer.MIN_VALUE);
    everything.put("long", Long.MAX_VALUE);
    everything.put("big", new BigInteger("123456789012345678901234567890"));
    everything.put("double", 0.1);
    everything.put("whole double", 3.0);
    everything.put("small double", Double.MIN_VALUE);
    everything.put("large double", -1.7976931348623157e308);
    everything.put("list", Arrays.asList(1, null, "x", List.of(), Map.of(), List.of(List.of(2))));
    everything.put("map", nested(20));
    everything.put("empty text", "");
    LockRecord plain = record("a", "t1");
    return Stream.of(
        Named.of("as Holdfast writes it", plain),
        Named.of(
            "without what is optional",
            new LockRecord("a", "t", "o", null, null, 0, null, Map.of())),
        Named.of("with empty texts", new LockRecord("a", "", "", NOON, NOON, 1, 0L, Map.of())),
        Named.of(
            "with the largest numbers",
            new LockRecord("a", "t", "o", NOON, NOON, Long.MAX_VALUE, Long.MAX_VALUE, Map.of())),
        Named.of(
            "with dates before 1970 and in 9999",
            new LockRecord(
                "a",
                "t",
                "o",
                Instant.parse("1902-01-01T00:00:00Z"),
                Instant.parse("9999-12-31T23:59:59.999Z"),
                5,
                5L,
                Map.of())),
        Named.of(
            "with unicode",
            new LockRecord(
                "a", "\u00fc\ud83d\udd12\"\\\n", "h\u00f6st\t1", NOON, NOON, 5, 5L, Map.of())),
        Named.of(
            "with metadata of every kind",
            new LockRecord("a", "t", "o", NOON, NOON, 5, 5L, everything)));
  }

  private static Map<String, Object> nested(int depth) {
    return depth == 0 ? Map.of("end", 1) : Map.of("down", List.of(nested(depth - 1)));
  }

  @ParameterizedTest
  @MethodSource("records")
  void record_any_isReadAndListedExactlyAsWritten(LockRecord record) {
    Version created = applied(create(record));
    assertThat(read("a")).isEqualTo(new ReadResult.Found(record, created));

    Version replaced = applied(replace(record, created));
    assertThat(read("a")).isEqualTo(new ReadResult.Found(record, replaced));

    makeListable();
    assertThat(listed(10)).containsExactly(new ReadResult.Found(record, replaced));
  }

  @Test
  void replace_recordWithFewerParts_leavesNothingOfTheOldOne() {
    LockRecord full =
        new LockRecord("a", "t", "o", NOON, NOON, 5, 5L, Map.of("old", 1, "map", Map.of("x", 1)));
    LockRecord empty = new LockRecord("a", "u", "p", null, null, 6, null, Map.of("map", Map.of()));

    Version version = applied(replace(empty, applied(create(full))));

    assertThat(read("a")).isEqualTo(new ReadResult.Found(empty, version));
  }

  static Stream<String> ids() {
    return Stream.of(
        "plain",
        "with/slash",
        "/",
        "//",
        "with space",
        " leading and trailing ",
        "_leading-underscore",
        "_bulk",
        ".",
        "..",
        "../..",
        "%2F",
        "%",
        "a%00b",
        "with\"quote",
        "with'quote",
        "back\\slash",
        "new\nline",
        "tab\t",
        "a,b",
        "*",
        "?q=1&b#c",
        "a+b",
        "a:b|c",
        "<a>",
        "{\"_id\":\"x\"}",
        "Umlaut-\u00e4\u00f6\u00fc",
        "\u65e5\u672c\u8a9e",
        "\ud83d\udd12\ud83e\uddea",
        "x".repeat(512),
        "\u00e9".repeat(256),
        "\ud83d\udd12".repeat(128));
  }

  @ParameterizedTest
  @MethodSource("ids")
  void lockId_any_namesALockOfItsOwn(String id) {
    Version other = applied(create(record("another", "t0")));
    Version created = applied(create(record(id, "t1")));
    assertConflict(create(record(id, "t2")));
    assertThat(read(id)).isEqualTo(new ReadResult.Found(record(id, "t1"), created));

    Version replaced = applied(replace(record(id, "t3"), created));
    makeListable();
    assertThat(listed(10))
        .containsExactlyInAnyOrder(
            new ReadResult.Found(record(id, "t3"), replaced),
            new ReadResult.Found(record("another", "t0"), other));

    applied(delete(id, replaced));
    assertThat(read(id)).isEqualTo(new ReadResult.Absent(other.incarnation()));
    assertThat(read("another")).isEqualTo(new ReadResult.Found(record("another", "t0"), other));
  }

  @Test
  void lockIds_thatLookAlike_nameDifferentLocks() {
    List<String> alike =
        List.of("a", "A", "a ", " a", "\u00e4", "a\u0308", "a/", "a%2F", "a%2f", "a+", "a\u0000");
    List<ReadResult.Found> expected = new ArrayList<>();
    for (String id : alike) {
      LockRecord record = record(id, "token of " + id);
      expected.add(new ReadResult.Found(record, applied(create(record))));
    }

    for (ReadResult.Found found : expected) {
      assertThat(read(found.record().lockId())).isEqualTo(found);
    }
  }

  // --- Lists

  @Test
  void list_nothing_isEmpty() {
    assertThat(listed(1)).isEmpty();
  }

  @Test
  void list_upToTheLimit_hasAll() {
    List<ReadResult.Found> expected = createMany(5);
    makeListable();

    assertThat(listed(5)).containsExactlyInAnyOrderElementsOf(expected);
    assertThat(listed(6)).containsExactlyInAnyOrderElementsOf(expected);
  }

  @Test
  void list_moreThanTheLimit_isRejected() {
    createMany(5);
    makeListable();

    assertThat(await(store().list(4))).isInstanceOf(ListResult.Rejected.class);
    assertThat(await(store().list(1))).isInstanceOf(ListResult.Rejected.class);
  }

  @Test
  void list_afterChanges_hasWhatIsThere() {
    Version first = applied(create(record("a", "t1")));
    Version replaced = applied(replace(record("a", "t2"), first));
    applied(delete("b", applied(create(record("b", "t3")))));
    makeListable();

    assertThat(listed(10)).containsExactly(new ReadResult.Found(record("a", "t2"), replaced));
  }

  @Test
  void list_thousands_hasEachOnce() {
    List<ReadResult.Found> expected = createMany(MANY);
    makeListable();

    assertThat(listed(MANY)).hasSize(MANY).containsExactlyInAnyOrderElementsOf(expected);
    assertThat(await(store().list(MANY - 1))).isInstanceOf(ListResult.Rejected.class);
  }

  private List<ReadResult.Found> createMany(int count) {
    List<ReadResult.Found> created = new ArrayList<>();
    for (int from = 0; from < count; from += MANY_AT_ONCE) {
      List<LockRecord> records =
          IntStream.range(from, Math.min(count, from + MANY_AT_ONCE))
              .mapToObj(i -> record("lock-" + i, "token-" + i))
              .toList();
      List<CompletableFuture<WriteResult>> answers =
          records.stream().map(record -> store().create(record)).toList();
      for (int i = 0; i < records.size(); i++) {
        created.add(new ReadResult.Found(records.get(i), applied(await(answers.get(i)))));
      }
    }
    return created;
  }

  // --- Words

  /** A record as Holdfast writes one. */
  protected static LockRecord record(String lockId, String token) {
    return new LockRecord(
        lockId,
        token,
        "host/1/m",
        NOON,
        NOON.plusSeconds(30),
        30_000,
        2_000L,
        Collections.singletonMap("job", "x"));
  }

  protected final WriteResult create(LockRecord record) {
    return await(store().create(record));
  }

  protected final WriteResult replace(LockRecord record, Version expected) {
    return await(store().replace(record, expected));
  }

  protected final WriteResult delete(String lockId, Version expected) {
    return await(store().delete(lockId, expected));
  }

  protected final ReadResult read(String lockId) {
    return await(store().read(lockId));
  }

  protected final List<ReadResult.Found> listed(int limit) {
    ListResult result = await(store().list(limit));
    assertThat(result).isInstanceOf(ListResult.Listed.class);
    return ((ListResult.Listed) result).records();
  }

  protected static Version applied(WriteResult result) {
    assertThat(result).isInstanceOf(WriteResult.Applied.class);
    return ((WriteResult.Applied) result).version();
  }

  protected static void assertConflict(WriteResult result) {
    assertThat(result).isInstanceOf(WriteResult.Conflict.class);
  }

  protected static void assertGone(WriteResult result, Incarnation gone) {
    assertThat(result)
        .asInstanceOf(type(WriteResult.Rejected.class))
        .extracting(WriteResult.Rejected::cause)
        .asInstanceOf(type(IncarnationGoneException.class))
        .extracting(IncarnationGoneException::incarnation)
        .isEqualTo(gone);
  }

  private static <T> T last(List<T> list) {
    return list.get(list.size() - 1);
  }
}
