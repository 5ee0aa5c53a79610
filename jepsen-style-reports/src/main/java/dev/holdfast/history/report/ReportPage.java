package dev.holdfast.history.report;

import static dev.holdfast.history.report.Html.escape;

import dev.holdfast.history.Edn;
import dev.holdfast.history.Fault;
import dev.holdfast.history.History;
import dev.holdfast.history.Operation;
import dev.holdfast.history.Tenure;
import dev.holdfast.history.Words;
import dev.holdfast.history.check.Result;
import dev.holdfast.history.check.Verdict;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Predicate;

/**
 * The page about one run: one HTML file without scripts, that loads nothing from anywhere.
 *
 * @param test what was run
 * @param startedAt when
 * @param history what happened
 * @param result what was found; its parts are shown one by one
 * @param reproduce the command that repeats the run
 * @param files what to link to, relative to the page
 */
public record ReportPage(
    String test,
    Instant startedAt,
    History history,
    Result result,
    String reproduce,
    List<String> files) {

  private static final int MAX_OPERATIONS = 500;
  private static final int MAX_FAULTS = 200;
  private static final int MAX_FILES = 200;
  private static final DateTimeFormatter WHEN =
      DateTimeFormatter.ofPattern("d MMMM yyyy, HH:mm:ss 'UTC'", Locale.ENGLISH)
          .withZone(ZoneOffset.UTC);

  /** Copies the list. */
  public ReportPage {
    files = List.copyOf(files);
  }

  /**
   * Writes the page.
   *
   * @return the HTML
   */
  public String html() {
    List<Tenure> tenures = Tenure.of(history);
    List<Fault> faults = Fault.of(history);
    Timeline timeline = new Timeline(history, tenures, faults);
    return Html.fill(
        "run.html",
        Map.ofEntries(
            Map.entry("test", escape(test)),
            Map.entry("started", escape(WHEN.format(startedAt))),
            Map.entry("startedIso", escape(startedAt.toString())),
            Map.entry("verdict", result.verdict().text()),
            Map.entry("icon", icon(result.verdict())),
            Map.entry("verdictWord", word(result.verdict())),
            Map.entry("summary", escape(result.summary())),
            Map.entry("numbers", numbers(tenures, faults)),
            Map.entry("checkers", checkers()),
            Map.entry("timeline", timeline.html()),
            Map.entry("faults", faults(faults)),
            Map.entry("operations", operations()),
            Map.entry("files", links()),
            Map.entry("reproduce", escape(reproduce))));
  }

  private String numbers(List<Tenure> tenures, List<Fault> faults) {
    StringBuilder out = new StringBuilder();
    number(out, "Duration", Words.seconds(history.endNanos()));
    number(out, "Operations", count(history.operations().size()));
    number(out, "Leases", count(tenures.size()));
    number(out, "Locks", count(Tenure.byLock(tenures).size()));
    number(out, "Overlaps", count(Tenure.overlaps(tenures).size()));
    number(out, "Faults", count(faults.size()));
    return out.toString();
  }

  private static void number(StringBuilder out, String name, String value) {
    out.append("<div><dt>").append(name).append("</dt><dd>").append(value).append("</dd></div>\n");
  }

  private String checkers() {
    StringBuilder out = new StringBuilder();
    for (Result part : result.parts().isEmpty() ? List.of(result) : result.parts()) {
      String verdict = part.verdict().text();
      out.append("<li class=\"checker ").append(verdict).append("\">");
      out.append("<span class=\"badge\">")
          .append(icon(part.verdict()))
          .append(word(part.verdict()));
      out.append("</span><div><h3>").append(escape(part.checker())).append("</h3><p>");
      out.append(escape(part.summary())).append("</p>");
      if (!part.details().isEmpty()) {
        out.append(
            "<details"
                + (part.details().size() <= 10 ? " open" : "")
                + "><summary>What in particular</summary><ul>");
        part.details().forEach(each -> out.append("<li>").append(escape(each)).append("</li>"));
        out.append("</ul></details>");
      }
      out.append("</div></li>\n");
    }
    return out.toString();
  }

  private static String faults(List<Fault> faults) {
    if (faults.isEmpty()) {
      return "<p>Nothing was broken on purpose in this run.</p>";
    }
    StringBuilder out = new StringBuilder();
    out.append(
        "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Table of faults\"><table>");
    out.append("<caption>").append(shown("faults", faults.size(), MAX_FAULTS)).append("</caption>");
    head(out, "Fault", "Target", ">From", ">To", ">Lasted");
    for (Fault fault : faults.subList(0, Math.min(faults.size(), MAX_FAULTS))) {
      out.append("<tr><th scope=\"row\">").append(escape(fault.name())).append("</th>");
      cell(out, "", fault.target().isEmpty() ? "–" : fault.target());
      cell(out, "number", Words.seconds(fault.fromNanos()));
      cell(out, "number", fault.healed() ? Words.seconds(fault.toNanos()) : "never healed");
      long lasted = fault.toNanos() - fault.fromNanos();
      cell(out, "number", lasted == 0 ? "a moment" : Words.seconds(lasted));
      out.append("</tr>\n");
    }
    return out.append("</tbody></table></div>").toString();
  }

  private String operations() {
    List<Operation> all = history.operations();
    StringBuilder out = new StringBuilder();
    out.append(
        "<div class=\"scroll tall\" tabindex=\"0\" role=\"region\" aria-label=\"Table of operations\"><table>");
    out.append("<caption>")
        .append(shown("operations", all.size(), MAX_OPERATIONS))
        .append("</caption>");
    head(out, ">Index", ">Time", ">Process", "Type", "Operation", "Value");
    for (Operation operation : all.subList(0, Math.min(all.size(), MAX_OPERATIONS))) {
      String type = operation.type().text();
      out.append("<tr class=\"").append(operation.isNemesis() ? "nemesis" : type).append("\">");
      cell(out, "number", Long.toString(operation.index()));
      cell(out, "number", Words.seconds(operation.time()));
      cell(out, "number", operation.isNemesis() ? "nemesis" : Long.toString(operation.process()));
      out.append("<td><span class=\"type\">").append(type).append("</span></td>");
      cell(out, "", operation.f());
      StringBuilder value = new StringBuilder();
      if (!operation.value().isEmpty()) {
        Edn.write(value, operation.value());
      }
      if (operation.error() != null) {
        value.append(value.isEmpty() ? "" : " — ").append(operation.error());
      }
      cell(out, "value", value.toString());
      out.append("</tr>\n");
    }
    return out.append("</tbody></table></div>").toString();
  }

  private String links() {
    StringBuilder out = new StringBuilder();
    for (String file : files.subList(0, Math.min(files.size(), MAX_FILES))) {
      String href = file.replace("%", "%25").replace("#", "%23").replace("?", "%3F");
      out.append("<li><a href=\"./").append(escape(href)).append("\">");
      out.append(escape(file)).append("</a></li>\n");
    }
    if (files.size() > MAX_FILES) {
      out.append("<li>and ").append(files.size() - MAX_FILES).append(" more in the folder</li>");
    }
    return out.toString();
  }

  private static void head(StringBuilder out, String... names) {
    out.append("<thead><tr>");
    Predicate<String> number = name -> name.startsWith(">");
    for (String name : names) {
      out.append(number.test(name) ? "<th scope=\"col\" class=\"number\">" : "<th scope=\"col\">");
      out.append(number.test(name) ? name.substring(1) : name).append("</th>");
    }
    out.append("</tr></thead><tbody>\n");
  }

  private static void cell(StringBuilder out, String style, String text) {
    out.append(style.isEmpty() ? "<td>" : "<td class=\"" + style + "\">");
    out.append(escape(text)).append("</td>");
  }

  private static String shown(String what, int all, int atMost) {
    return all <= atMost
        ? "All " + count(all) + " " + what
        : "The first "
            + count(atMost)
            + " of "
            + count(all)
            + " "
            + what
            + "; the files have the rest";
  }

  static String count(long number) {
    return String.format(Locale.ENGLISH, "%,d", number);
  }

  private static String word(Verdict verdict) {
    return switch (verdict) {
      case VALID -> "Valid";
      case INVALID -> "Invalid";
      case UNKNOWN -> "Unknown";
    };
  }

  private static String icon(Verdict verdict) {
    String path =
        switch (verdict) {
          case VALID -> "M3 8.5 6.5 12 13 4.5";
          case INVALID -> "M4 4 12 12 M12 4 4 12";
          case UNKNOWN -> "M5.2 6a2.8 2.6 0 1 1 3.9 2.4C8.2 8.9 8 9.3 8 10.2 M8 13v.2";
        };
    return "<svg class=\"icon\" viewBox=\"0 0 16 16\" aria-hidden=\"true\"><path d=\""
        + path
        + "\"/></svg>";
  }
}
