package dev.holdfast.history.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.holdfast.history.History;
import dev.holdfast.history.HistoryReader;
import dev.holdfast.history.HistoryScript;
import dev.holdfast.history.HistoryWriter;
import dev.holdfast.history.check.Checkers;
import dev.holdfast.history.check.FencingChecker;
import dev.holdfast.history.check.MutualExclusionChecker;
import dev.holdfast.history.check.Result;
import dev.holdfast.history.check.Verdict;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RunStoreTest {

  private static final History HISTORY =
      new HistoryScript().acquired(0, 10, "c1", 1, 1000).released(20, 30, "c1", 1).build();

  @TempDir Path root;

  private RunStore store;

  @BeforeEach
  void openStore() {
    store = new RunStore(root, InstantSource.fixed(Instant.parse("2026-11-23T09:15:02.123456Z")));
  }

  @Test
  void start_twoRunsAtOneInstant_haveFoldersOfTheirOwnAndLatestLeadsToTheSecond()
      throws IOException {
    assertThat(store.start("partition").directory())
        .isEqualTo(root.resolve("partition/20261123T091502.123Z"));
    Path second = store.start("partition").directory();
    assertThat(second).isEqualTo(root.resolve("partition/20261123T091502.124Z")).isDirectory();
    assertThat(root.resolve("latest").toRealPath()).isEqualTo(second.toRealPath());
    assertThat(root.resolve("partition/latest").toRealPath()).isEqualTo(second.toRealPath());
    store.start("crash");
    assertThat(root.resolve("latest").toRealPath().getParent()).hasFileName("crash");
    assertThat(root.resolve("partition/latest").toRealPath()).isEqualTo(second.toRealPath());
    try (var files = Files.list(root)) {
      assertThat(files)
          .extracting(Path::getFileName)
          .extracting(Path::toString)
          .containsExactlyInAnyOrder("partition", "crash", "latest");
    }
  }

  @Test
  void start_linksCannotBeMade_aTextFileNamesTheLatest() throws IOException {
    Files.createDirectories(root.resolve("latest/occupied"));
    store.start("partition");
    assertThat(root.resolve("latest.txt")).hasContent("partition/20261123T091502.123Z");
    assertThat(root.resolve("partition/latest")).isSymbolicLink();
  }

  @Test
  void start_nameThatLeadsElsewhere_isRefused() {
    for (String name : List.of("", "../x", "a/b", "latest", ".hidden", "a b")) {
      assertThatThrownBy(() -> store.start(name)).isInstanceOf(IllegalArgumentException.class);
    }
  }

  @Test
  void finish_aRun_leavesEverythingInItsFolder() throws IOException {
    Run run = store.start("partition");
    run.describe("A link is cut & restored.");
    Result result =
        run.finish(
            HISTORY, Checkers.compose(new MutualExclusionChecker(), new FencingChecker()), "mvn");
    assertThat(result.verdict()).isEqualTo(Verdict.VALID);
    assertThat(HistoryReader.read(run.directory().resolve("history.edn")))
        .isEqualTo(HISTORY.operations());
    assertThat(Files.readAllLines(run.directory().resolve("history.txt")))
        .hasSize(5)
        .element(1)
        .isEqualTo(
            "       0      0.000000  0         invoke  acquire           {:lock \"a\", :client"
                + " \"c1\", :fence 1, :ttl 1000}");
    assertThat(run.directory().resolve("results.edn"))
        .hasContent(
            "{:valid? true, :summary \"All 2 checks passed.\", :mutual-exclusion {:valid? true,"
                + " :summary \"Nobody held a lock while another did: 1 lease on 1 lock.\"},"
                + " :fencing {:valid? true, :summary \"The fences of 1 grant rose, and 0 accepted"
                + " writes never went back.\"}}\n");
    JsonNode json = new ObjectMapper().readTree(run.directory().resolve("results.json").toFile());
    assertThat(json.get("verdict").asText()).isEqualTo("valid");
    assertThat(json.at("/parts/1/checker").asText()).isEqualTo("fencing");
    assertThat(run.directory().resolve("index.html"))
        .content()
        .contains("href=\"./history.edn\"", "href=\"./rate.svg\"", "href=\"../../index.html\"")
        .contains("A link is cut &amp; restored.");
    assertThat(run.directory().resolve("timeline.html")).content().contains("timeline-columns");
    assertThat(run.directory().resolve("latency.svg")).content().startsWith("<svg ");
    assertThat(run.directory().resolve("latency-quantiles.png")).isNotEmptyFile();
    assertThat(run.directory().resolve("summary.md"))
        .content()
        .contains(
            "## partition: valid",
            "0.030 s, 4 operations, 1 lease on 1 lock, 0 overlaps, 0 faults",
            "A link is cut \\& restored.",
            "| mutual-exclusion | valid |",
            "    mvn");

    Files.delete(run.directory().resolve("index.html"));
    assertThat(
            new Run("partition", run.startedAt(), run.directory(), root, null).report().verdict())
        .isEqualTo(Verdict.VALID);
    assertThat(run.directory().resolve("index.html"))
        .content()
        .contains("A link is cut &amp; restored.");
    assertThat(root.resolve("index.html"))
        .content()
        .contains("href=\"./partition/20261123T091502.123Z/index.html\"", "23 Nov 2026");
  }

  @Test
  void writeIndex_aRunThatIsBrokenOffOrSpoilt_isARowOfItsOwn() throws IOException {
    Run finished = store.start("partition");
    assertThat(finished.finish(HISTORY, new FencingChecker(), "mvn").verdict())
        .isEqualTo(Verdict.VALID);
    Run begun = store.start("crash");
    Files.createDirectory(begun.directory().resolve("recordings"));
    store.writeIndex();
    assertThat(root.resolve("index.html"))
        .content()
        .contains(">partition</a>", "Broken off, still going on, or never reported.");
    Files.writeString(finished.directory().resolve("run.json"), "{\"verdict\": \"splendid\"}");
    store.writeIndex();
    assertThat(root.resolve("index.html")).content().contains("run.json: not understood");
  }

  private String index() throws IOException {
    return Files.readString(root.resolve("index.html"));
  }

  private void run(RunStore in, String test, Verdict verdict, String control) throws IOException {
    Run run = in.start(test);
    run.expectInvalid(control);
    Result result =
        run.finish(
            HISTORY, history -> new Result("fencing", verdict, "So it is.", List.of()), "mvn");
    assertThat(result.verdict()).isEqualTo(verdict);
  }

  @Test
  void index_aSeries_hasPassedOnceAllThatWerePlannedHave() throws IOException {
    run(store, "old", Verdict.INVALID, "");
    RunStore later =
        new RunStore(root, InstantSource.fixed(Instant.parse("2026-11-24T09:00:00Z"))).series(4);
    run(later, "good", Verdict.VALID, "");
    run(later, "broken-client", Verdict.INVALID, "fencing");
    later.skip("partition", "Nodes are partitioned.", "only root can");
    assertThat(index())
        .contains("<strong>Not complete</strong>1 of 1 run valid, 1 of 1 control run detected,")
        .contains(" 1 skipped, 1 not run yet, or lost.");
    run(later, "second", Verdict.VALID, "");
    assertThat(index())
        .contains(
            "<strong>Passed</strong>2 of 2 runs valid, 1 of 1 control run detected, 1 skipped.")
        .contains(">Detected<", "expected invalid, found by fencing", "only root can")
        .containsSubsequence(">Runs <", ">Control runs <", ">Skipped <", ">Earlier runs <");
    assertThat(root.resolve("latest").toRealPath().getParent()).hasFileName("second");
  }

  @Test
  void index_aControlRunThatIsNotDetected_isAFailure() throws IOException {
    RunStore series = store.series(1);
    run(series, "broken-client", Verdict.INVALID, "mutual-exclusion");
    assertThat(index())
        .contains("<strong>Failed</strong>0 of 1 control run detected.", ">Not detected<");
    run(store.series(1), "broken-client", Verdict.VALID, "fencing");
    assertThat(index()).contains("<strong>Failed</strong>");
  }

  @Test
  void index_withoutASeries_checksTheNewestRunOfEachTest() throws IOException {
    run(store, "a", Verdict.INVALID, "");
    run(store, "a", Verdict.VALID, "");
    assertThat(index()).contains("<strong>Passed</strong>1 of 1 run valid.", ">Earlier runs <");
    run(store, "b", Verdict.UNKNOWN, "");
    assertThat(index()).contains("<strong>Not complete</strong>1 of 2 runs valid.");
  }

  @Test
  void index_aRunOfASeriesThatDied_isNotComplete() throws IOException {
    RunStore series = store.series(2);
    run(series, "a", Verdict.VALID, "");
    Files.createDirectory(series.start("b").directory().resolve("recordings"));
    store.writeIndex();
    assertThat(index()).contains("<strong>Not complete</strong>1 of 2 runs valid,");
  }

  @Test
  void testName_ofAnyText_isOneThatStartTakes() throws IOException {
    for (String text : List.of("", "latest", "../x y", ".hidden", "ä", "a".repeat(300))) {
      assertThat(store.start(RunStore.testName(text)).directory()).isDirectory();
    }
    assertThat(RunStore.testName("my history.v2")).isEqualTo("my-history.v2");
  }

  @Test
  void finish_aCheckerThatThrows_isUnknownAndTheHistoryWasSavedBefore() throws IOException {
    Run run = store.start("partition");
    Result result =
        run.finish(
            HISTORY,
            history -> {
              assertThat(run.directory().resolve("history.edn")).isNotEmptyFile();
              throw new IllegalStateException("gave up");
            },
            "mvn");
    assertThat(result.verdict()).isEqualTo(Verdict.UNKNOWN);
    assertThat(run.directory().resolve("results.edn"))
        .content()
        .contains(":valid? :unknown", "gave up");
  }

  @Test
  void readRecordings_severalWriters_areMerged() throws IOException {
    Run run = store.start("partition");
    for (int i = 0; i < 2; i++) {
      try (HistoryWriter writer =
          HistoryWriter.create(run.recording("client-" + i), System::nanoTime, i, 2)) {
        writer.recorder().invoke("acquire", Map.of("lock", "a")).ok();
      }
    }
    assertThat(run.readRecordings().calls()).hasSize(2);
  }
}
