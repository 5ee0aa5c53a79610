package dev.holdfast.history.report;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.holdfast.history.check.Result;
import dev.holdfast.history.check.Verdict;
import java.io.IOException;
import java.nio.file.Path;
import java.time.DateTimeException;
import java.time.Instant;

/**
 * What the list of all runs says of one, kept as {@code run.json}, so that making the list need not
 * read histories.
 *
 * @param test what was run
 * @param about what it is for, and what it shows; empty if nobody said
 * @param startedAt when
 * @param reproduce the command that repeats it; empty if it is not known
 * @param verdict what was found
 * @param summary that in a sentence
 * @param durationNanos from the first operation to the last
 * @param operations how many lines its history has
 * @param overlaps how often two clients held a lock at once
 * @param faults how many faults there were
 */
record RunInfo(
    String test,
    String about,
    Instant startedAt,
    String reproduce,
    Verdict verdict,
    String summary,
    long durationNanos,
    long operations,
    long overlaps,
    long faults) {

  static final String FILE = "run.json";

  static RunInfo of(
      String test, String about, Instant startedAt, String reproduce, Story story, Result result) {
    return new RunInfo(
        test,
        about,
        startedAt,
        reproduce,
        result.verdict(),
        result.summary(),
        story.history().operations().isEmpty() ? 0 : story.lengthNanos(),
        story.history().operations().size(),
        story.overlaps().size(),
        story.faults().size());
  }

  ObjectNode toJson() {
    ObjectNode node = JsonNodeFactory.instance.objectNode();
    node.put("test", test).put("about", about);
    node.put("startedAt", startedAt.toString()).put("reproduce", reproduce);
    node.put("verdict", verdict.text()).put("summary", summary);
    node.put("durationNanos", durationNanos).put("operations", operations);
    return node.put("overlaps", overlaps).put("faults", faults);
  }

  /** Reads what {@link #toJson} gave; the exception names the file and what is wrong with it. */
  static RunInfo read(Path file) throws IOException {
    JsonNode node = ResultJson.read(file);
    try {
      return new RunInfo(
          node.path("test").asText(),
          node.path("about").asText(),
          Instant.parse(node.path("startedAt").asText()),
          node.path("reproduce").asText(),
          ResultJson.verdict(node),
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
