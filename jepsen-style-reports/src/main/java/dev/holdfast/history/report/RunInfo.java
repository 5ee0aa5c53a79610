package dev.holdfast.history.report;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.holdfast.history.Vocabulary;
import dev.holdfast.history.check.Result;
import dev.holdfast.history.check.Verdict;
import java.io.IOException;
import java.nio.file.Path;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/**
 * The entry of a run in the list of all runs, kept as {@code run.json}, so that making the list
 * need not read histories.
 *
 * @param test what was run
 * @param startedAt when
 * @param intent what for
 * @param skipped why it was not run; empty if it was
 * @param verdict what was found
 * @param detected of a control run, whether the checker that must find it invalid did
 * @param summary the verdict in a sentence
 * @param durationNanos from the first operation to the last
 * @param operations how many lines its history has
 * @param overlaps how often two clients held a lock at once
 * @param faults how many faults there were
 */
record RunInfo(
    String test,
    Instant startedAt,
    Intent intent,
    String skipped,
    Verdict verdict,
    boolean detected,
    String summary,
    long durationNanos,
    long operations,
    long overlaps,
    long faults) {

  static final String FILE = "run.json";

  /** The standing of a run in the list of all runs. */
  enum Standing {
    PASSED,
    FAILED,
    UNKNOWN,
    SKIPPED
  }

  static RunInfo of(
      String test, Instant startedAt, Intent intent, RunAnalysis analysis, Result result) {
    return new RunInfo(
        test,
        startedAt,
        intent,
        "",
        result.verdict(),
        isDetected(intent, result),
        result.summary(),
        analysis.history().operations().isEmpty() ? 0 : analysis.lengthNanos(),
        analysis.history().operations().size(),
        analysis.overlaps().size(),
        analysis.faults().size());
  }

  /** Of a run of which nothing was found, because of that. */
  static RunInfo without(
      String test, Instant startedAt, Intent intent, String skipped, String why) {
    return new RunInfo(test, startedAt, intent, skipped, Verdict.UNKNOWN, false, why, 0, 0, 0, 0);
  }

  /** Returns whether the checker said invalid that must say so of such a run. */
  static boolean isDetected(Intent intent, Result result) {
    return intent.isControl()
        && (result.parts().isEmpty() ? List.of(result) : result.parts())
            .stream()
                .anyMatch(
                    part ->
                        part.checker().equals(intent.invalidBy())
                            && part.verdict() == Verdict.INVALID);
  }

  Standing standing() {
    if (!skipped.isEmpty()) {
      return Standing.SKIPPED;
    } else if (intent.isControl() && verdict != Verdict.UNKNOWN) {
      return detected ? Standing.PASSED : Standing.FAILED;
    }
    return switch (verdict) {
      case VALID -> Standing.PASSED;
      case INVALID -> Standing.FAILED;
      case UNKNOWN -> Standing.UNKNOWN;
    };
  }

  ObjectNode toJson() {
    ObjectNode node = JsonNodeFactory.instance.objectNode();
    node.put("test", test).put("about", intent.about());
    node.put("startedAt", startedAt.toString()).put("reproduce", intent.reproduce());
    if (intent.isControl()) {
      node.put("expectedInvalidBy", intent.invalidBy()).put("detected", detected);
    }
    if (!intent.allowedOverlaps().isEmpty()) {
      node.put("allowedOverlaps", intent.allowedOverlaps());
    }
    if (!intent.reading().equals(Intent.Reading.OWN)) {
      node.put("key", intent.reading().key());
      intent.reading().warnings().forEach(node.putArray("warnings")::add);
    }
    Intent.Series series = intent.series();
    if (series != null) {
      node.put("series", series.startedAt().toString()).put("planned", series.planned());
    }
    if (!skipped.isEmpty()) {
      node.put("skipped", skipped);
    }
    node.put("verdict", verdict.text()).put("summary", summary);
    node.put("durationNanos", durationNanos).put("operations", operations);
    return node.put("overlaps", overlaps).put("faults", faults);
  }

  /** Reads what {@link #toJson} gave; the exception names the file and what is wrong with it. */
  static RunInfo read(Path file) throws IOException {
    JsonNode node = ResultJson.read(file);
    List<String> warnings = new ArrayList<>();
    node.path("warnings").forEach(each -> warnings.add(each.asText()));
    try {
      Intent intent =
          new Intent(
              node.path("about").asText(),
              node.path("reproduce").asText(),
              node.path("expectedInvalidBy").asText(),
              node.path("allowedOverlaps").asText(),
              node.has("series")
                  ? new Intent.Series(
                      Instant.parse(node.path("series").asText()), node.path("planned").asInt())
                  : null,
              new Intent.Reading(node.path("key").asText(Vocabulary.LOCK), warnings));
      return new RunInfo(
          node.path("test").asText(),
          Instant.parse(node.path("startedAt").asText()),
          intent,
          node.path("skipped").asText(),
          ResultJson.verdict(node),
          node.path("detected").asBoolean(),
          node.path("summary").asText(),
          node.path("durationNanos").asLong(),
          node.path("operations").asLong(),
          node.path("overlaps").asLong(),
          node.path("faults").asLong());
    } catch (DateTimeException | IllegalArgumentException e) {
      throw new IOException(file + ": not understood: " + e.getMessage(), e);
    }
  }
}
