package dev.holdfast.chaos.check;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.history.History;
import dev.holdfast.history.HistoryReader;
import dev.holdfast.history.check.Checker;
import dev.holdfast.history.check.Result;
import dev.holdfast.history.check.Verdict;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The index is deleted from 100 ms to 110 ms. Fences begin at 1 again, or go on from 1001. */
class DeletionTest {
  private final TreeMap<Long, String> lines = new TreeMap<>(Comparator.naturalOrder());
  private int processes;

  @TempDir Path folder;

  @BeforeEach
  void delete() {
    nemesis(100, "start-index-deleted");
    nemesis(110, "stop-index-deleted");
  }

  private void line(long atMillis, String type, String process, String f, String value) {
    long nanos = atMillis * 1_000_000;
    while (lines.containsKey(nanos)) {
      nanos++;
    }
    lines.put(
        nanos,
        String.format(
            Locale.ROOT,
            ":time %d, :type :%s, :process %s, :f :%s, :value {%s}}",
            nanos,
            type,
            process,
            f,
            value));
  }

  private void nemesis(long atMillis, String f) {
    line(atMillis, "info", ":nemesis", f, ":target \"the lock index\"");
  }

  private void call(long from, long to, String f, String client, long fence) {
    String process = Integer.toString(processes++);
    String value = ":lock \"a\", :client \"" + client + "\", :ttl 60000";
    line(from, "invoke", process, f, value);
    line(to, "ok", process, f, value + ", :fence " + fence);
  }

  /** Granted when it was asked for, given back at that time. */
  private void held(long from, long granted, long release, String client, long fence) {
    call(from, granted, "acquire", client, fence);
    String process = Integer.toString(processes++);
    String value = ":lock \"a\", :client \"" + client + "\", :fence " + fence;
    line(release, "invoke", process, "release", value);
    line(release + 2, "ok", process, "release", value);
  }

  private void write(long from, String client, long fence) {
    String process = Integer.toString(processes++);
    String value = ":lock \"a\", :client \"" + client + "\", :fence " + fence;
    line(from, "invoke", process, "write", value);
    line(from + 1, "ok", process, "write", value);
  }

  private Result check(Checker checker) throws Exception {
    Path file = folder.resolve("history.edn");
    int index = 0;
    StringBuilder text = new StringBuilder();
    for (String line : lines.values()) {
      text.append("{:index ").append(index++).append(", ").append(line).append('\n');
    }
    Files.writeString(file, text);
    return checker.check(History.of(HistoryReader.read(file)));
  }

  private void assertVerdicts(Verdict exclusion, Verdict fencing, Verdict throughEras)
      throws Exception {
    List<Verdict> verdicts =
        Stream.of(
                check(Deletion.exclusion()),
                check(Deletion.fencing()),
                check(Deletion.fencingThroughEras()))
            .map(Result::verdict)
            .toList();
    assertThat(verdicts).containsExactly(exclusion, fencing, throughEras);
  }

  @Test
  void lives_eachInOrder_areValid() throws Exception {
    held(10, 20, 80, "c1", 5);
    held(130, 140, 150, "c1", 1_001);
    held(160, 170, 180, "c2", 1_002);

    assertVerdicts(Verdict.VALID, Verdict.VALID, Verdict.VALID);
  }

  /** Seen on real nodes: the index was gone, its holder had not been told, and handed over. */
  @Test
  void holderThatHandsOver_beforeItIsTold_isOfTheLifeBefore() throws Exception {
    held(10, 20, 130, "c1", 500);
    held(120, 131, 160, "c1", 501); // waited when it was given back
    held(125, 161, 200, "c1", 502);
    held(135, 140, 190, "c2", 1); // of the new life, while the others go on
    held(185, 191, 210, "c3", 2);

    assertVerdicts(Verdict.VALID, Verdict.VALID, Verdict.INVALID);
  }

  @Test
  void holderThatHandsOver_beforeItIsTold_isNotOfTheNextEra() throws Exception {
    held(10, 20, 130, "c1", 500);
    held(120, 131, 160, "c1", 501);
    held(135, 140, 190, "c2", 1_001);
    held(195, 196, 210, "c3", 1_002);

    assertVerdicts(Verdict.VALID, Verdict.VALID, Verdict.VALID);
  }

  @Test
  void twoHolders_inOneLife_areFound() throws Exception {
    held(10, 20, 80, "c1", 5);
    held(130, 140, 200, "c1", 1_001);
    held(150, 160, 210, "c2", 1_002);

    assertVerdicts(Verdict.INVALID, Verdict.VALID, Verdict.VALID);
  }

  /** It asked after its process had given the lock back: that cannot be a hand-over. */
  @Test
  void holderOfThatProcess_whoDidNotWaitForTheRelease_isJudged() throws Exception {
    held(10, 20, 130, "c1", 500);
    held(150, 160, 210, "c2", 1);
    held(155, 165, 220, "c1", 501);
    held(230, 240, 250, "c2", 2);

    assertVerdicts(Verdict.INVALID, Verdict.INVALID, Verdict.INVALID);
  }

  /** Only the process that held it can have handed it over. */
  @Test
  void holderOfAnotherProcess_isJudged() throws Exception {
    held(10, 20, 130, "c1", 500);
    held(120, 131, 200, "c2", 501);
    held(135, 140, 190, "c3", 1);

    assertVerdicts(Verdict.INVALID, Verdict.INVALID, Verdict.INVALID);
  }

  @Test
  void lateWrite_thatIsAcceptedAfterTheNextLifes_isFound() throws Exception {
    held(10, 20, 80, "c1", 500);
    held(130, 140, 190, "c2", 1);
    write(150, "c1", 500);
    write(160, "c2", 1);

    assertThat(check(Deletion.fencing()).verdict()).isEqualTo(Verdict.INVALID);
  }

  @Test
  void withoutADeletion_nothingIsJudged() throws Exception {
    lines.clear();
    held(10, 20, 80, "c1", 5);

    assertVerdicts(Verdict.UNKNOWN, Verdict.UNKNOWN, Verdict.UNKNOWN);
  }
}
