package dev.holdfast.history.report;

import static dev.holdfast.history.report.Html.cell;
import static dev.holdfast.history.report.Html.escape;
import static dev.holdfast.history.report.Html.number;

import dev.holdfast.history.Words;
import dev.holdfast.history.check.Verdict;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** The list of all runs of a store, the newest first. Stateless. */
final class IndexPage {

  private IndexPage() {}

  static String html(Path root, List<Run> runs) {
    StringBuilder rows = new StringBuilder();
    Map<Verdict, Integer> verdicts = new EnumMap<>(Verdict.class);
    for (Run run : runs.stream().sorted(Comparator.comparing(Run::startedAt).reversed()).toList()) {
      RunInfo info = info(run);
      verdicts.merge(info.verdict(), 1, Integer::sum);
      row(rows, root, run, info);
    }
    StringBuilder numbers = new StringBuilder();
    number(numbers, "Runs", Html.count(runs.size()));
    for (Verdict verdict : List.of(Verdict.VALID, Verdict.INVALID, Verdict.UNKNOWN)) {
      number(numbers, Html.word(verdict), Html.count(verdicts.getOrDefault(verdict, 0)));
    }
    String script = Html.resource("index.js");
    return Html.fill(
        "index.html",
        Map.of(
            "head",
            Html.head("All runs", script, ""),
            "numbers",
            numbers.toString(),
            "runs",
            runs.isEmpty() ? "<p>There are no runs in this folder.</p>" : table(rows),
            "script",
            script));
  }

  private static String table(StringBuilder rows) {
    StringBuilder out = new StringBuilder();
    out.append(
        "<input class=\"filter\" id=\"filter\" type=\"search\" hidden"
            + " placeholder=\"Filter by name or verdict\" aria-label=\"Filter runs\">\n");
    out.append(
        "<p class=\"note\" id=\"shown\" role=\"status\"></p>\n<div class=\"scroll\" tabindex=\"0\""
            + " role=\"region\" aria-label=\"Table of runs\"><table class=\"runs\">\n");
    Html.tableHead(
        out, "Name", "When", "Verdict", ">Duration", ">Operations", ">Overlaps", ">Faults");
    return out.append(rows).append("</tbody></table></div>").toString();
  }

  /** What there is of a run that was broken off, or goes on, is a row too. */
  private static RunInfo info(Run run) {
    String missing;
    try {
      Path file = run.directory().resolve(RunInfo.FILE);
      if (Files.exists(file)) {
        return RunInfo.read(file);
      }
      missing = "Broken off, still going on, or never reported.";
    } catch (IOException e) {
      missing = "Not readable: " + e.getMessage();
    }
    return new RunInfo(run.test(), "", run.startedAt(), "", Verdict.UNKNOWN, missing, 0, 0, 0, 0);
  }

  private static void row(StringBuilder out, Path root, Run run, RunInfo info) {
    String words = (info.test() + " " + info.verdict().text()).toLowerCase(Locale.ROOT);
    out.append("<tr data-search=\"").append(escape(words)).append("\"><th scope=\"row\">");
    Path page = run.directory().resolve("index.html");
    String name = escape(info.test());
    if (Files.exists(page)) {
      String href = Html.link(root.relativize(page).toString().replace('\\', '/'));
      out.append("<a href=\"").append(href).append("\">").append(name).append("</a>");
    } else {
      out.append(name);
    }
    out.append("</th><td><time datetime=\"").append(info.startedAt()).append("\">");
    out.append(Html.WHEN.format(info.startedAt())).append("</time></td><td title=\"");
    out.append(escape(info.summary())).append("\">").append(Html.badge(info.verdict()));
    out.append("</td>");
    boolean known = info.operations() > 0;
    cell(out, "number", known ? Words.seconds(info.durationNanos()) : "–");
    cell(out, "number", known ? Html.count(info.operations()) : "–");
    cell(out, "number", known ? Html.count(info.overlaps()) : "–");
    cell(out, "number", known ? Html.count(info.faults()) : "–");
    out.append("</tr>\n");
  }
}
