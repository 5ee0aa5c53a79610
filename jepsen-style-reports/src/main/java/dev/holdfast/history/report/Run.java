package dev.holdfast.history.report;

import dev.holdfast.history.Edn;
import dev.holdfast.history.History;
import dev.holdfast.history.HistoryReader;
import dev.holdfast.history.Operation;
import dev.holdfast.history.ReadHistory;
import dev.holdfast.history.check.Checker;
import dev.holdfast.history.check.Checkers;
import dev.holdfast.history.check.Result;
import dev.holdfast.history.check.Verdict;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.OutputStream;
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
import org.jspecify.annotations.Nullable;
import us.bpsm.edn.Keyword;

/**
 * One run of a test, and its folder. While it goes on, each process that takes part appends to a
 * {@linkplain #recording recording} of its own; when it is over, {@link #finish} does the rest.
 * Files are put in place whole.
 */
public final class Run {

  static final String HISTORY = "history.edn";
  static final String RECORDINGS = "recordings";
  static final String INDEX = "index.html";

  /** The name in the result of a run that nobody has checked. */
  static final String UNCHECKED = "not-checked";

  private static final String TIMELINE = "timeline.html";
  private static final String NEW = ".new";
  private static final String RESULTS = "results.json";

  private final String test;
  private final Instant startedAt;
  private final Path directory;
  private final @Nullable Path store;
  private Intent intent;

  /**
   * A run.
   *
   * @param store the folder with the list of all runs; {@code null} if this one stands alone
   * @param series the series it belongs to; {@code null} if none, or what is saved tells
   */
  Run(
      String test,
      Instant startedAt,
      Path directory,
      @Nullable Path store,
      Intent.@Nullable Series series) {
    this.intent = new Intent("", "", "", "", series);
    this.test = test;
    this.startedAt = startedAt;
    this.directory = directory;
    this.store = store;
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
   * Says what the run is for, and what it shows; stands on its page. To be called before {@link
   * #finish}.
   *
   * @param text a sentence or some
   */
  public void describe(String text) {
    intent = intent.describedAs(text);
  }

  /**
   * Makes this a control run, whose clients are deliberately broken: the list of all runs counts it
   * as passed if the checker finds it invalid, and as failed if it does not. To be called before
   * {@link #finish}.
   *
   * @param checker the name of the checker that is there for the mistake; empty if this is no
   *     control run after all
   */
  public void expectInvalid(String checker) {
    intent = intent.expectedInvalidBy(checker);
  }

  /**
   * Says why two clients may hold a lock at the same time in this run without a violation; stands
   * beside such overlaps on its page. To be called before {@link #finish}.
   *
   * @param why a sentence or two
   */
  public void allowOverlaps(String why) {
    intent = intent.allowingOverlaps(why);
  }

  /**
   * Tells whether this was not run; then there is only the reason.
   *
   * @return whether {@link RunStore#skip} made it
   * @throws IOException if what is saved cannot be read
   */
  public boolean isSkipped() throws IOException {
    Path file = directory.resolve(RunInfo.FILE);
    return Files.exists(file) && !RunInfo.read(file).skipped().isEmpty();
  }

  void saveSkipped(String reason) throws IOException {
    RunInfo info = RunInfo.without(test, startedAt, intent, reason, "Skipped: " + reason);
    write(RunInfo.FILE, out -> out.write(ResultJson.text(info.toJson())));
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
   * @param checker checks it; if it throws, the verdict is unknown
   * @param reproduce the command that repeats this run
   * @return the results
   * @throws IOException if something cannot be written
   */
  public Result finish(History history, Checker checker, String reproduce) throws IOException {
    return finish(history, history.operations(), checker, reproduce);
  }

  /**
   * As {@link #finish(History, Checker, String)}, of a history that was read from a file; it is
   * saved as it was written.
   *
   * @param read what was read
   * @param key the key of values that names the object of an operation
   * @param checker checks it; if it throws, the verdict is unknown
   * @param reproduce the command that repeats this check
   * @return the results
   * @throws IOException if something cannot be written
   */
  public Result finish(ReadHistory read, String key, Checker checker, String reproduce)
      throws IOException {
    intent = intent.readAs(new Intent.Reading(key, read.warnings()));
    return finish(read.history(), read.written(), checker, reproduce);
  }

  private Result finish(History history, List<Operation> written, Checker checker, String reproduce)
      throws IOException {
    intent = intent.repeatedBy(reproduce);
    saveOperations(written);
    Result result = Checkers.safely(checker, history);
    saveResult(result);
    writePages(history, result);
    if (store != null) {
      new RunStore(store).writeIndex();
    }
    return result;
  }

  /**
   * Rewrites the pages from what is saved: the history, or where that is missing the recordings,
   * and the results. Nothing is checked again; a run without results is shown as unknown.
   *
   * @return the results as they were saved
   * @throws IOException if something cannot be read or written
   * @throws dev.holdfast.history.HistoryFormatException if the history cannot be understood
   */
  public Result report() throws IOException {
    readIntent();
    if (isSkipped()) {
      String summary = RunInfo.read(directory.resolve(RunInfo.FILE)).summary();
      return new Result("all", Verdict.UNKNOWN, summary, List.of());
    }
    History history = readHistory();
    Path results = directory.resolve(RESULTS);
    Result result =
        Files.exists(results)
            ? ResultJson.readResult(results)
            : new Result(
                UNCHECKED, Verdict.UNKNOWN, "Not checked: no results are saved.", List.of());
    writePages(history, result);
    return result;
  }

  /**
   * Checks the history that is saved, saves the results and writes the pages again.
   *
   * @param read what was read of {@link #historyFile}
   * @param key the key of values that names the object of an operation
   * @param checker checks it; if it throws, the verdict is unknown
   * @return the results
   * @throws IOException if something cannot be read or written
   */
  public Result check(ReadHistory read, String key, Checker checker) throws IOException {
    readIntent();
    intent = intent.readAs(new Intent.Reading(key, warnings(read)));
    Result result = Checkers.safely(checker, read.history());
    saveResult(result);
    writePages(read.history(), result);
    return result;
  }

  /** What was noted when the history was first read, which is no longer to be seen in all cases. */
  private List<String> warnings(ReadHistory read) {
    return intent.reading().warnings().isEmpty() ? read.warnings() : intent.reading().warnings();
  }

  /**
   * Returns the file with the history, made from the recordings where it is missing.
   *
   * @return the file
   * @throws IOException if something cannot be read or written
   * @throws dev.holdfast.history.HistoryFormatException if the recordings cannot be understood
   */
  public Path historyFile() throws IOException {
    Path saved = directory.resolve(HISTORY);
    if (!Files.exists(saved)) {
      saveHistory(readRecordings());
    }
    return saved;
  }

  /**
   * Returns the key of values that names the object of an operation.
   *
   * @return as it was given when the history was read
   * @throws IOException if what is saved cannot be read
   */
  public String key() throws IOException {
    readIntent();
    return intent.reading().key();
  }

  /**
   * Returns the checkers whose results are saved.
   *
   * @return their names; empty if no results are saved
   * @throws IOException if what is saved cannot be read
   */
  public List<String> checkers() throws IOException {
    Path results = directory.resolve(RESULTS);
    if (!Files.exists(results)) {
      return List.of();
    }
    Result result = ResultJson.readResult(results);
    return (result.parts().isEmpty() ? List.of(result) : result.parts())
        .stream().map(Result::checker).toList();
  }

  private History readHistory() throws IOException {
    String key = intent.reading().key();
    ReadHistory read =
        HistoryReader.readWhole(historyFile(), operation -> operation.named(key), count -> {});
    intent = intent.readAs(new Intent.Reading(key, warnings(read)));
    return read.history();
  }

  private void readIntent() throws IOException {
    Path file = directory.resolve(RunInfo.FILE);
    if (Files.exists(file)) {
      intent = RunInfo.read(file).intent();
    }
  }

  private void writePages(History history, Result result) throws IOException {
    RunAnalysis analysis = RunAnalysis.of(history, result);
    RunInfo info = RunInfo.of(test, startedAt, intent, analysis, result);
    write(RunInfo.FILE, out -> out.write(ResultJson.text(info.toJson())));
    write("summary.md", out -> out.write(Markdown.of(info, analysis, result)));
    writePlots(new Plots(analysis));
    String allRuns = "";
    if (store != null) {
      allRuns = "../".repeat(store.relativize(directory).getNameCount()) + "index.html";
    }
    ReportPage page =
        new ReportPage(test, startedAt, intent, analysis, result, directory, files(), allRuns);
    write(TIMELINE, out -> out.write(page.timelineHtml()));
    write(INDEX, out -> out.write(page.html()));
  }

  private void writePlots(Plots plots) throws IOException {
    for (Plots.Plot plot : plots.all()) {
      write(plot.file + ".svg", out -> out.write(plots.svg(plot).file()));
    }
    try {
      for (Plots.Plot plot : plots.all()) {
        ImageDrawing image = plots.image(plot);
        writeBytes(directory, plot.file + ".png", image::writePng);
      }
    } catch (LinkageError | InternalError e) {
      // A Java without fonts or without its drawing library; everything is in the SVG files too.
      System.getLogger(Run.class.getName())
          .log(System.Logger.Level.WARNING, "no PNG of the plots: this Java cannot draw", e);
    }
  }

  /**
   * Saves {@code history.edn} and {@code history.txt}.
   *
   * @param history what happened
   * @throws IOException if they cannot be written
   */
  public void saveHistory(History history) throws IOException {
    saveOperations(history.operations());
  }

  private void saveOperations(List<Operation> operations) throws IOException {
    write(
        HISTORY,
        out -> {
          for (Operation operation : operations) {
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
          for (Operation operation : operations) {
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
    String json = ResultJson.text(ResultJson.toJson(result));
    write(RESULTS, out -> out.append(json));
  }

  /** The files of the run, relative to its folder, without the pages themselves. */
  List<String> files() throws IOException {
    try (Stream<Path> files = Files.walk(directory, 3)) {
      return files
          .filter(Files::isRegularFile)
          .map(file -> directory.relativize(file).toString().replace('\\', '/'))
          .filter(name -> !name.equals(INDEX) && !name.equals(TIMELINE) && !name.endsWith(NEW))
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

  interface FileContent<T> {
    void writeTo(T out) throws IOException;
  }

  private void write(String name, FileContent<BufferedWriter> content) throws IOException {
    write(directory, name, content);
  }

  static void write(Path directory, String name, FileContent<BufferedWriter> content)
      throws IOException {
    // An OutputStreamWriter puts a question mark where text cannot be encoded;
    // Files.newBufferedWriter would throw.
    writeBytes(
        directory,
        name,
        bytes -> {
          BufferedWriter out =
              new BufferedWriter(new OutputStreamWriter(bytes, StandardCharsets.UTF_8));
          content.writeTo(out);
          out.flush();
        });
  }

  private static void writeBytes(Path directory, String name, FileContent<OutputStream> content)
      throws IOException {
    Path temporary = directory.resolve(name + "-" + ProcessHandle.current().pid() + NEW);
    try (OutputStream out = Files.newOutputStream(temporary)) {
      content.writeTo(out);
    }
    RunStore.replace(temporary, directory.resolve(name));
  }
}
