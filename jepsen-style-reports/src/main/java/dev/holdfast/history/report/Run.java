package dev.holdfast.history.report;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.holdfast.history.Edn;
import dev.holdfast.history.History;
import dev.holdfast.history.HistoryReader;
import dev.holdfast.history.Operation;
import dev.holdfast.history.check.Checker;
import dev.holdfast.history.check.Checkers;
import dev.holdfast.history.check.Result;
import dev.holdfast.history.check.Verdict;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.OutputStreamWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;
import us.bpsm.edn.Keyword;

/**
 * One run of a test, and its folder. While it goes on, each process that takes part appends to a
 * {@linkplain #recording recording} of its own; when it is over, {@link #finish} does the rest.
 * Files are put in place whole.
 */
public final class Run {

  private static final String RECORDINGS = "recordings";

  private final String test;
  private final Instant startedAt;
  private final Path directory;

  Run(String test, Instant startedAt, Path directory) {
    this.test = test;
    this.startedAt = startedAt;
    this.directory = directory;
  }

  /**
   * Returns what was run.
   *
   * @return the test's name
   */
  public String test() {
    return test;
  }

  /**
   * Returns when the run started.
   *
   * @return the instant that names the folder
   */
  public Instant startedAt() {
    return startedAt;
  }

  /**
   * Returns the folder, in which the caller may put more, such as logs; the report links to all of
   * it.
   *
   * @return the folder
   */
  public Path directory() {
    return directory;
  }

  /**
   * Returns where a process that takes part is to record what it does, with {@link
   * dev.holdfast.history.HistoryWriter#create}.
   *
   * @param writer a name that no other writer of this run has, such as {@code client-3}
   * @return a file that does not exist yet, in a folder that does
   * @throws IOException if the folder cannot be made
   */
  public Path recording(String writer) throws IOException {
    return Files.createDirectories(directory.resolve(RECORDINGS)).resolve(writer + ".edn");
  }

  /**
   * Reads all recordings and merges them.
   *
   * @return the whole history
   * @throws IOException if one cannot be read
   * @throws dev.holdfast.history.HistoryFormatException if one cannot be understood
   */
  public History readRecordings() throws IOException {
    try (Stream<Path> files = Files.list(Files.createDirectories(directory.resolve(RECORDINGS)))) {
      return HistoryReader.readAll(
          files.filter(file -> file.toString().endsWith(".edn")).sorted().toList());
    }
  }

  /**
   * Saves the history, and only then checks it, saves the results and writes the report.
   *
   * @param history what happened
   * @param checker judges it; if it throws, the verdict is unknown
   * @param reproduce the command that repeats this run
   * @return the results
   * @throws IOException if something cannot be written
   */
  public Result finish(History history, Checker checker, String reproduce) throws IOException {
    saveHistory(history);
    Result result = Checkers.safely(checker, history);
    saveResult(result);
    ReportPage page = new ReportPage(test, startedAt, history, result, reproduce, files());
    write("index.html", out -> out.write(page.html()));
    return result;
  }

  /**
   * Saves {@code history.edn} and {@code history.txt}.
   *
   * @param history what happened
   * @throws IOException if they cannot be written
   */
  public void saveHistory(History history) throws IOException {
    write(
        "history.edn",
        out -> {
          for (Operation operation : history.operations()) {
            out.append(operation.toEdn()).append('\n');
          }
        });
    write(
        "history.txt",
        out -> {
          out.append(
              String.format(
                  "%8s  %12s  %-8s  %-6s  %-16s  value%n",
                  "index", "seconds", "process", "type", "f"));
          for (Operation operation : history.operations()) {
            out.append(row(operation)).append('\n');
          }
        });
  }

  /**
   * Saves {@code results.edn} and {@code results.json}.
   *
   * @param result what was found
   * @throws IOException if they cannot be written
   */
  public void saveResult(Result result) throws IOException {
    StringBuilder edn = new StringBuilder();
    Edn.write(edn, toEdn(result));
    write("results.edn", out -> out.append(edn).append('\n'));
    String json =
        new ObjectMapper().writerWithDefaultPrettyPrinter().writeValueAsString(toJson(result));
    write("results.json", out -> out.append(json).append('\n'));
  }

  /** The files of the run, relative to its folder, without the page itself. */
  List<String> files() throws IOException {
    try (Stream<Path> files = Files.walk(directory, 3)) {
      return files
          .filter(Files::isRegularFile)
          .map(file -> directory.relativize(file).toString().replace('\\', '/'))
          .filter(name -> !name.equals("index.html") && !name.contains(".new"))
          .sorted()
          .toList();
    }
  }

  private static String row(Operation operation) {
    StringBuilder value = new StringBuilder();
    Edn.write(value, operation.value());
    if (operation.error() != null) {
      Edn.write(value.append("  "), operation.error());
    }
    return String.format(
        Locale.ROOT,
        "%8d  %12.6f  %-8s  %-6s  %-16s  %s",
        operation.index(),
        operation.time() / 1e9,
        operation.isNemesis() ? "nemesis" : operation.process(),
        operation.type().text(),
        operation.f(),
        value);
  }

  private static Map<String, Object> toEdn(Result result) {
    Map<String, Object> map = new LinkedHashMap<>();
    map.put(
        "valid?",
        result.verdict() == Verdict.UNKNOWN
            ? Keyword.newKeyword("unknown")
            : (Object) (result.verdict() == Verdict.VALID));
    map.put("summary", result.summary());
    if (!result.details().isEmpty()) {
      map.put("details", result.details());
    }
    for (Result part : result.parts()) {
      map.put(part.checker(), toEdn(part));
    }
    return map;
  }

  private static ObjectNode toJson(Result result) {
    ObjectNode node = JsonNodeFactory.instance.objectNode();
    node.put("checker", result.checker());
    node.put("verdict", result.verdict().text());
    node.put("summary", result.summary());
    ArrayNode details = node.putArray("details");
    result.details().forEach(details::add);
    ArrayNode parts = node.putArray("parts");
    result.parts().forEach(part -> parts.add(toJson(part)));
    return node;
  }

  private interface Content {
    void writeTo(BufferedWriter out) throws IOException;
  }

  private void write(String name, Content content) throws IOException {
    Path temporary = directory.resolve(name + ".new");
    // An OutputStreamWriter puts a question mark where text cannot be encoded;
    // Files.newBufferedWriter would throw.
    try (BufferedWriter out =
        new BufferedWriter(
            new OutputStreamWriter(Files.newOutputStream(temporary), StandardCharsets.UTF_8))) {
      content.writeTo(out);
    }
    RunStore.replace(temporary, directory.resolve(name));
  }
}
