package dev.holdfast.history.report;

import static dev.holdfast.history.report.Html.escape;

import dev.holdfast.history.Formats;
import dev.holdfast.history.report.RunInfo.Standing;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;

/**
 * The list of all runs of a store. Its headline says whether the current ones passed as a whole:
 * those of the newest series and since, or where there is no series the newest run of each test.
 */
final class IndexPage {

  private record Row(Run run, RunInfo info) {}

  private final Path root;
  private final List<Row> current = new ArrayList<>();
  private final List<Row> earlier = new ArrayList<>();
  private int missing;

  private IndexPage(Path root, List<Run> runs) {
    this.root = root;
    List<Row> rows =
        runs.stream()
            .map(run -> new Row(run, info(run)))
            .sorted(Comparator.comparing((Row row) -> row.info.startedAt()).reversed())
            .toList();
    Intent.Series series =
        rows.stream()
            .map(row -> row.info.intent().series())
            .filter(each -> each != null)
            .findFirst()
            .orElse(null);
    Set<String> seen = new HashSet<>();
    int ofSeries = 0;
    for (Row row : rows) {
      boolean isNewest = seen.add(row.info.test());
      boolean isCurrent = series == null ? isNewest : isSince(row, series.startedAt());
      (isCurrent ? current : earlier).add(row);
      ofSeries += series != null && series.equals(row.info.intent().series()) ? 1 : 0;
    }
    missing = series == null ? 0 : Math.max(0, series.planned() - ofSeries);
    // What went wrong comes first, then the newest.
    current.sort(Comparator.comparing(row -> rank(row.info.standing())));
  }

  private static boolean isSince(Row row, Instant start) {
    return !row.info.startedAt().isBefore(start);
  }

  private static int rank(Standing standing) {
    return switch (standing) {
      case FAILED -> 0;
      case UNKNOWN -> 1;
      case PASSED -> 2;
      case SKIPPED -> 3;
    };
  }

  static String html(Path root, List<Run> runs) {
    return new IndexPage(root, runs).html();
  }

  private String html() {
    String script = Html.resource("index.js");
    String body =
        current.isEmpty()
            ? "<section><p>There are no runs in this folder.</p></section>"
            : filter()
                + section("Runs", "", current, row -> isRun(row) && !isControl(row))
                + section(
                    "Control runs",
                    "Their clients are deliberately broken. Each passes only if the checker that"
                        + " exists for its mistake finds it invalid.",
                    current,
                    row -> isRun(row) && isControl(row))
                + section("Skipped", "", current, row -> !isRun(row))
                + section("Earlier runs", "", earlier, row -> true);
    return Html.fill(
        "index.html",
        Map.of(
            "head",
            Html.head(title(), script, ""),
            "headline",
            current.isEmpty() ? "" : headline(),
            "runs",
            body,
            "script",
            script));
  }

  private static boolean isRun(Row row) {
    return row.info.standing() != Standing.SKIPPED;
  }

  private static boolean isControl(Row row) {
    return row.info.intent().isControl();
  }

  // --- The headline

  private Standing standing() {
    if (count(row -> row.info.standing() == Standing.FAILED) > 0) {
      return Standing.FAILED;
    }
    boolean isWhole = missing == 0 && count(row -> row.info.standing() == Standing.UNKNOWN) == 0;
    return isWhole && count(IndexPage::isRun) > 0 ? Standing.PASSED : Standing.UNKNOWN;
  }

  private long count(Predicate<Row> which) {
    return current.stream().filter(which).count();
  }

  private String title() {
    return current.isEmpty() ? "All runs" : word(standing()) + ": all runs";
  }

  private String headline() {
    Standing standing = standing();
    List<String> parts = new ArrayList<>();
    long runs = count(row -> isRun(row) && !isControl(row));
    long controls = count(row -> isRun(row) && isControl(row));
    if (runs > 0) {
      long valid = count(row -> !isControl(row) && row.info.standing() == Standing.PASSED);
      parts.add(valid + " of " + Formats.count(runs, "run") + " valid");
    }
    if (controls > 0) {
      long detected = count(row -> isControl(row) && row.info.standing() == Standing.PASSED);
      parts.add(detected + " of " + Formats.count(controls, "control run") + " detected");
    }
    long skipped = count(row -> !isRun(row));
    if (skipped > 0) {
      parts.add(skipped + " skipped");
    }
    if (missing > 0) {
      parts.add(missing + " not run yet, or lost");
    }
    return Html.banner(style(standing), word(standing), escape(String.join(", ", parts) + "."));
  }

  private static String word(Standing standing) {
    return switch (standing) {
      case PASSED -> "Passed";
      case FAILED -> "Failed";
      case UNKNOWN -> "Not complete";
      case SKIPPED -> "Skipped";
    };
  }

  private static String style(Standing standing) {
    return switch (standing) {
      case PASSED -> "valid";
      case FAILED -> "invalid";
      case UNKNOWN -> "unknown";
      case SKIPPED -> "skipped";
    };
  }

  // --- The tables

  private static String filter() {
    return "<input class=\"filter\" id=\"filter\" type=\"search\" hidden"
        + " placeholder=\"Filter by name or verdict\" aria-label=\"Filter runs\">\n"
        + "<p class=\"note\" id=\"shown\" role=\"status\"></p>\n";
  }

  private String section(String title, String note, List<Row> all, Predicate<Row> which) {
    List<Row> rows = all.stream().filter(which).toList();
    if (rows.isEmpty()) {
      return "";
    }
    String id = title.toLowerCase(Locale.ROOT).replace(' ', '-');
    StringBuilder out = new StringBuilder();
    out.append("<section aria-labelledby=\"").append(id).append("\"><h2 id=\"").append(id);
    out.append("\">").append(title).append(" <small>").append(Formats.number(rows.size()));
    out.append("</small></h2>\n");
    out.append(note.isEmpty() ? "" : "<p class=\"section-note\">" + note + "</p>\n");
    out.append("<table class=\"runs\">\n");
    boolean isSkips = rows.stream().noneMatch(IndexPage::isRun);
    if (isSkips) {
      Html.tableHead(out, "Name", "Verdict", "Why");
    } else {
      Html.tableHead(
          out, "Name", "Verdict", ">Duration", ">Operations", ">Overlaps", ">Faults", "Started");
    }
    rows.forEach(row -> row(out, row, isSkips));
    return out.append("</tbody></table></section>\n").toString();
  }

  /** Returns what there is of a run that was broken off, or goes on, is a row too. */
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
    Intent unknown = new Intent("", "", "", "", null);
    return RunInfo.without(run.test(), run.startedAt(), unknown, "", missing);
  }

  private void row(StringBuilder out, Row row, boolean isSkips) {
    RunInfo info = row.info;
    Standing standing = info.standing();
    String badge = badge(info);
    String words = info.test() + " " + info.verdict().text() + " " + badge;
    out.append("<tr class=\"").append(style(standing)).append("\" data-search=\"");
    out.append(escape(words.toLowerCase(Locale.ROOT))).append("\"><th scope=\"row\">");
    Path page = row.run.directory().resolve("index.html");
    String name = escape(info.test());
    if (Files.exists(page)) {
      String href = Html.link(root.relativize(page).toString().replace('\\', '/'));
      out.append("<a href=\"").append(href).append("\">").append(name).append("</a>");
    } else {
      out.append(name);
    }
    out.append("</th><td class=\"verdict-cell\" title=\"").append(escape(info.summary()));
    out.append("\">").append(Html.badge(style(standing), badge));
    String why = why(info);
    out.append(why.isEmpty() ? "" : "<small>" + escape(why) + "</small>").append("</td>");
    if (isSkips) {
      out.append("<td class=\"why\">").append(escape(info.skipped())).append("</td></tr>\n");
      return;
    }
    boolean known = info.operations() > 0;
    Html.labelled(out, "Duration", known ? Formats.seconds(info.durationNanos()) : "–");
    Html.labelled(out, "Operations", known ? Formats.number(info.operations()) : "–");
    Html.labelled(out, "Overlaps", known ? Formats.number(info.overlaps()) : "–");
    Html.labelled(out, "Faults", known ? Formats.number(info.faults()) : "–");
    out.append("<td class=\"when\"><time datetime=\"").append(info.startedAt()).append("\">");
    out.append(Html.SHORTLY.format(info.startedAt())).append("</time></td></tr>\n");
  }

  private static String badge(RunInfo info) {
    if (!info.skipped().isEmpty()) {
      return "Skipped";
    } else if (info.intent().isControl()) {
      return switch (info.standing()) {
        case PASSED -> "Detected";
        case FAILED -> "Not detected";
        default -> "Unknown";
      };
    }
    return Html.word(info.verdict());
  }

  /** Returns what has to be said beside the verdict, in a few words. */
  private static String why(RunInfo info) {
    String checker = info.intent().invalidBy();
    if (info.intent().isControl() && info.standing() == Standing.PASSED) {
      return "expected invalid, found by " + checker;
    } else if (info.intent().isControl()) {
      return "expected invalid by " + checker;
    } else if (info.standing() == Standing.FAILED || info.standing() == Standing.UNKNOWN) {
      return info.skipped().isEmpty() ? info.summary() : "";
    }
    return info.overlaps() > 0 && !info.intent().allowedOverlaps().isEmpty()
        ? "overlaps allowed: " + info.intent().allowedOverlaps()
        : "";
  }
}
