package dev.holdfast.history.report;

import static dev.holdfast.history.report.Html.cell;
import static dev.holdfast.history.report.Html.escape;
import static dev.holdfast.history.report.Html.labelled;
import static dev.holdfast.history.report.Html.number;
import static dev.holdfast.history.report.Html.tableHead;

import dev.holdfast.history.Call;
import dev.holdfast.history.Edn;
import dev.holdfast.history.FaultInterval;
import dev.holdfast.history.Formats;
import dev.holdfast.history.Operation;
import dev.holdfast.history.Tenure;
import dev.holdfast.history.check.Result;
import dev.holdfast.history.check.Verdict;
import dev.holdfast.history.check.Violation;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/**
 * The pages about one run, each one HTML file that loads nothing from anywhere.
 *
 * @param test what was run
 * @param startedAt when
 * @param intent what for
 * @param analysis what happened
 * @param result what was found; its parts are shown one by one
 * @param directory where the run is saved, for the command that checks it
 * @param files what to link to, relative to the page
 * @param allRuns the address of the list of all runs; empty if there is none
 */
record ReportPage(
    String test,
    Instant startedAt,
    Intent intent,
    RunAnalysis analysis,
    Result result,
    Path directory,
    List<String> files,
    String allRuns) {

  private static final int MAX_OPERATIONS = 500;
  private static final int MAX_FAULTS = 200;
  private static final int MAX_OPEN = 10;
  private static final int MAX_FILES = 200;
  private static final int MAX_OVERLAPS = 20;

  /** Copies the list. */
  ReportPage {
    files = List.copyOf(files);
  }

  /** The report: everything. */
  String html() {
    String script = Html.resource("timeline.js");
    return Html.fill(
        "run.html",
        Map.ofEntries(
            Map.entry("head", Html.head(verdict() + ": " + test, script, Palette.css())),
            Map.entry("test", escape(test)),
            Map.entry(
                "about", intent.about().isEmpty() ? "" : "<p>" + escape(intent.about()) + "</p>\n"),
            Map.entry("started", escape(Html.WHEN.format(startedAt))),
            Map.entry("startedIso", escape(startedAt.toString())),
            Map.entry("banner", banner() + warnings()),
            Map.entry(
                "allRuns", allRuns.isEmpty() ? "" : "<a href=\"" + allRuns + "\">All runs</a>"),
            Map.entry("numbers", numbers()),
            Map.entry(
                "timelineTitle",
                analysis.isOfRegisters()
                    ? "Reads and writes over time"
                    : "Who held which lock when"),
            Map.entry("exclusion", exclusion()),
            Map.entry("overlaps", overlaps()),
            Map.entry("lanes", lanes("")),
            Map.entry("lanesScript", lanesScript(script)),
            Map.entry("counterexamples", counterexamples()),
            Map.entry("checkers", checkers()),
            Map.entry("faults", faults(analysis.faults())),
            Map.entry("plots", plots()),
            Map.entry("operations", operations()),
            Map.entry("files", links()),
            Map.entry("reproduce", reproduceHtml())));
  }

  private boolean isUnchecked() {
    return result.checker().equals(Run.UNCHECKED);
  }

  private String verdict() {
    if (isUnchecked()) {
      return "Not checked";
    } else if (intent.isControl() && result.verdict() != Verdict.UNKNOWN) {
      return RunInfo.isDetected(intent, result) ? "Detected" : "Not detected";
    }
    return Html.word(result.verdict());
  }

  private String banner() {
    if (isUnchecked()) {
      String command =
          "java -jar holdfast-history.jar report --model "
              + (analysis.isOfRegisters() ? "cas-register" : "lease --checkers all")
              + " "
              + directory.toAbsolutePath().normalize();
      return Html.banner(
          "unknown",
          verdict(),
          "No checker has checked this history yet. This command checks it, and writes this page"
              + " again:</div></div>\n<pre tabindex=\"0\"><code>"
              + escape(command)
              + "</code></pre>\n<div><div>");
    } else if (intent.isControl() && result.verdict() != Verdict.UNKNOWN) {
      boolean isDetected = RunInfo.isDetected(intent, result);
      return Html.banner(
          isDetected ? "valid" : "invalid",
          verdict(),
          "A control run: its clients are deliberately broken. Expected invalid, "
              + (isDetected ? "found by " : "but not found by ")
              + escape(intent.invalidBy())
              + ".");
    }
    return Html.banner(result.verdict().text(), verdict(), escape(result.summary()));
  }

  /** What to know of how the history was read. */
  private String warnings() {
    List<String> warnings = intent.reading().warnings();
    if (warnings.isEmpty()) {
      return "";
    }
    StringBuilder out = new StringBuilder("<ul class=\"warnings\">\n");
    warnings.forEach(each -> out.append("<li>").append(escape(each)).append(".</li>\n"));
    return out.append("</ul>\n").toString();
  }

  /** The timeline alone, as large as the window. */
  String timelineHtml() {
    String script = Html.resource("timeline.js");
    return Html.fill(
        "timeline.html",
        Map.of(
            "head", Html.head("Timeline of " + test, script, ""),
            "test", escape(test),
            "lanes", lanes("data-fill=\"true\""),
            "lanesScript", lanesScript(script)));
  }

  private String lanes(String fill) {
    int overlaps = analysis.overlaps().size();
    int allowed = Rulings.of(analysis, result).allowed().size();
    return Html.fill(
        "lanes.html",
        Map.of(
            "fill",
            fill,
            "autofocus",
            fill.isEmpty() ? "" : "autofocus",
            "object",
            analysis.isOfRegisters() ? "register" : "lock",
            "steps",
            analysis.isOfRegisters()
                ? ""
                : "n and p go from lease to lease, o from overlap to overlap, ",
            "legend",
            analysis.isOfRegisters() ? "" : Html.resource("legend.html"),
            "keys",
            Html.resource(analysis.isOfRegisters() ? "keys-of-registers.html" : "keys.html"),
            "description",
            analysis.isOfRegisters()
                ? Formats.count(analysis.history().calls().size(), "call") + "."
                : Formats.count(analysis.tenures().size(), "lease")
                    + ", "
                    + Formats.count(overlaps, "overlap")
                    + ", "
                    + Formats.count(analysis.faults().size(), "fault")
                    + ".",
            "overlapButton",
            overlaps == 0
                ? ""
                : "<button type=\"button\""
                    + (allowed == overlaps ? "" : " class=\"alarm\"")
                    + " data-key=\"o\">Next of "
                    + Formats.count(overlaps, "overlap")
                    + "</button>"));
  }

  private String lanesScript(String script) {
    TimelineData data = new TimelineData(analysis, Rulings.of(analysis, result).allowed());
    return Html.fill(
        "lanes-script.html",
        Map.of("json", data.json(), "columns", data.columns(), "script", script));
  }

  private String numbers() {
    StringBuilder out = new StringBuilder();
    List<Operation> all = analysis.history().operations();
    number(out, "Duration", all.isEmpty() ? "–" : Formats.seconds(analysis.lengthNanos()));
    number(out, "Operations", Formats.number(all.size()));
    if (analysis.isOfRegisters()) {
      number(out, "Reads", Formats.number(analysis.calls("read")));
      number(out, "Writes", Formats.number(analysis.calls("write")));
      number(out, "Compare-and-sets", Formats.number(analysis.calls("cas")));
      number(out, "Registers", Formats.number(analysis.objects()));
    } else {
      number(out, "Leases", Formats.number(analysis.tenures().size()));
      number(out, "Locks", Formats.number(analysis.locks()));
      number(out, "Overlaps", Formats.number(analysis.overlaps().size()));
    }
    number(out, "Faults", Formats.number(analysis.faults().size()));
    return out.toString();
  }

  private String exclusion() {
    List<Tenure.Overlap> overlaps = analysis.overlaps();
    if (analysis.isOfRegisters()) {
      return "<p class=\"held-words\">Each line lasts from a call to its answer.</p>\n";
    } else if (analysis.tenures().isEmpty()) {
      return "<p class=\"held-words\">No lock was granted in this run.</p>\n";
    } else if (analysis.sharing() == RunAnalysis.Sharing.ANYBODY) {
      return "<p class=\"held-words\">Several clients may hold a lock at the same time, up to the"
          + " number of permits: "
          + Formats.count(analysis.tenures().size(), "grant")
          + " of "
          + Formats.count(analysis.locks(), "lock")
          + ".</p>\n";
    } else if (overlaps.isEmpty()) {
      return "<p class=\"held-words\">No two clients held a lock at the same time: "
          + Formats.count(analysis.tenures().size(), "lease")
          + " on "
          + Formats.count(analysis.locks(), "lock")
          + ".</p>\n";
    }
    Set<Tenure.Overlap> allowed = Rulings.of(analysis, result).allowed();
    List<Tenure.Overlap> broken = overlaps.stream().filter(o -> !allowed.contains(o)).toList();
    StringBuilder out = new StringBuilder();
    if (!broken.isEmpty()) {
      out.append("<p class=\"held-words invalid\">").append(holders(broken));
      out.append(" held a lock at the same time: ");
      out.append(Formats.count(broken.size(), "overlap")).append(".</p>\n");
    }
    if (!allowed.isEmpty()) {
      String who = holders(overlaps.stream().filter(allowed::contains).toList());
      out.append("<p class=\"held-words allowed\">");
      out.append(broken.isEmpty() ? who : "Besides, " + who.toLowerCase(Locale.ROOT));
      out.append(" held a lock at the same time");
      out.append(" without a violation: ").append(Formats.count(allowed.size(), "overlap"));
      out.append(". ");
      out.append(
          intent.allowedOverlaps().isEmpty()
              ? "The mutual-exclusion check allows it."
              : escape(intent.allowedOverlaps()));
      out.append("</p>\n");
    }
    if (analysis.shownEndNanos() > analysis.history().endNanos()) {
      out.append("<p class=\"held-words\">The record ends at ");
      out.append(Formats.seconds(analysis.history().endNanos()));
      out.append("; leases that overlap are shown to their end.</p>\n");
    }
    return out.toString();
  }

  /** Two clients; or one, where all overlaps are of threads of one client. */
  private static String holders(List<Tenure.Overlap> overlaps) {
    long within =
        overlaps.stream().filter(o -> o.first().client().equals(o.second().client())).count();
    return within == 0
        ? "Two clients"
        : within == overlaps.size() ? "Two threads of one client" : "Two clients or threads";
  }

  private String overlaps() {
    List<Tenure.Overlap> overlaps = analysis.overlaps();
    if (overlaps.isEmpty()) {
      return "";
    }
    Set<Tenure.Overlap> allowed = Rulings.of(analysis, result).allowed();
    StringBuilder out = new StringBuilder("<ul class=\"overlaps\">\n");
    for (int i = 0; i < Math.min(overlaps.size(), MAX_OVERLAPS); i++) {
      Tenure.Overlap overlap = overlaps.get(i);
      out.append("<li><a href=\"#overlap=").append(i).append("\">");
      out.append(escape(overlap.describe())).append("</a>: operations ");
      out.append(granting(overlap.first())).append(" and ").append(granting(overlap.second()));
      out.append(allowed.contains(overlap) ? " (allowed)</li>\n" : "</li>\n");
    }
    if (overlaps.size() > MAX_OVERLAPS) {
      out.append("<li>and ").append(Formats.number(overlaps.size() - MAX_OVERLAPS));
      out.append(" more</li>\n");
    }
    return out.append("</ul>\n").toString();
  }

  private static long granting(Tenure tenure) {
    Operation answer = tenure.acquire().completion();
    return answer == null ? tenure.acquire().invocation().index() : answer.index();
  }

  private String counterexamples() {
    List<Counterexample> found = Counterexample.of(analysis, result);
    if (found.isEmpty()) {
      return "";
    }
    StringBuilder out = new StringBuilder("<section aria-labelledby=\"counterexamples\">");
    out.append("<h2 id=\"counterexamples\">The smallest counterexample</h2>\n");
    found.forEach(each -> out.append(each.html()));
    return out.append("</section>\n").toString();
  }

  private String plots() {
    StringBuilder out = new StringBuilder();
    Plots plots = new Plots(analysis);
    Plots narrow = new Plots(analysis, Plots.NARROW);
    for (Plots.Plot plot : plots.all()) {
      out.append("<div class=\"wide\">").append(plots.svg(plot).element()).append("</div>\n");
      out.append("<div class=\"narrow\">").append(narrow.svg(plot).element()).append("</div>\n");
    }
    return out.toString();
  }

  private String reproduceHtml() {
    return intent.reproduce().isEmpty()
        ? "<p>The command that repeats this run is not known.</p>\n"
        : "<pre tabindex=\"0\"><code>" + escape(intent.reproduce()) + "</code></pre>\n";
  }

  private String checkers() {
    StringBuilder out = new StringBuilder();
    for (Result part : result.parts().isEmpty() ? List.of(result) : result.parts()) {
      out.append("<li class=\"checker\">").append(badge(part));
      out.append("<div><h3>").append(escape(part.checker())).append("</h3><p>");
      out.append(escape(part.summary())).append("</p>");
      if (!part.violations().isEmpty()) {
        out.append(violations(part));
      } else if (!part.details().isEmpty()) {
        out.append(
            "<details"
                + (part.details().size() <= 10 ? " open" : "")
                + "><summary>Details</summary><ul>");
        part.details().forEach(each -> out.append("<li>").append(escape(each)).append("</li>"));
        out.append("</ul></details>");
      }
      out.append("</div></li>\n");
    }
    return out.toString();
  }

  private static String badge(Result part) {
    return part.nothingToCheck()
        ? Html.badge("skipped", "Not applicable")
        : Html.badge(part.verdict());
  }

  /** Returns what is wrong, and the calls that show it, each with its own words when pointed at. */
  private String violations(Result part) {
    StringBuilder out = new StringBuilder();
    out.append(part.violations().size() <= MAX_OPEN ? "<details open>" : "<details>");
    out.append("<summary>Details</summary><ul>");
    for (Violation violation : part.violations()) {
      out.append("<li>").append(escape(violation.what())).append('.');
      for (long index : violation.operations()) {
        Call call = analysis.call(index);
        out.append(call == null ? "" : " " + Html.call(call));
      }
      out.append("</li>");
    }
    int more = part.details().size() - part.violations().size();
    if (part.details().size() > Result.MAX_DETAILS && more > 0) {
      out.append("<li>").append(escape(part.details().get(Result.MAX_DETAILS))).append("</li>");
    }
    return out.append("</ul></details>").toString();
  }

  private static String faults(List<FaultInterval> faults) {
    if (faults.isEmpty()) {
      return "<p>No fault was injected in this run.</p>";
    }
    StringBuilder out = new StringBuilder();
    out.append(
        "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Table of faults\"><table"
            + " class=\"stacked\">");
    out.append("<caption>").append(shown("faults", faults.size(), MAX_FAULTS)).append("</caption>");
    tableHead(out, "Fault", "Target", ">From", ">To", ">Lasted", "Timeline");
    for (FaultInterval fault : faults.subList(0, Math.min(faults.size(), MAX_FAULTS))) {
      out.append("<tr><th scope=\"row\">").append(escape(fault.name())).append("</th>");
      cell(out, "", fault.target().isEmpty() ? "–" : fault.target());
      labelled(out, "From", Formats.seconds(fault.fromNanos()));
      labelled(out, "To", fault.healed() ? Formats.seconds(fault.toNanos()) : "never healed");
      long lasted = fault.toNanos() - fault.fromNanos();
      labelled(out, "Lasted", lasted == 0 ? "a moment" : Formats.seconds(lasted));
      out.append("<td><a href=\"");
      out.append(Html.timelineLink(fault.fromNanos(), fault.toNanos()));
      out.append("\">show</a></td></tr>\n");
    }
    return out.append("</tbody></table></div>").toString();
  }

  private String operations() {
    List<Operation> all = analysis.history().operations();
    StringBuilder out = new StringBuilder();
    out.append(
        "<div class=\"scroll tall\" tabindex=\"0\" role=\"region\" aria-label=\"Table of"
            + " operations\"><table class=\"stacked operations\">");
    out.append("<caption>")
        .append(shown("operations", all.size(), MAX_OPERATIONS))
        .append("</caption>");
    tableHead(out, ">Index", ">Time", ">Process", "Type", "Operation", "Value");
    for (Operation operation : all.subList(0, Math.min(all.size(), MAX_OPERATIONS))) {
      String type = operation.type().text();
      out.append("<tr class=\"").append(operation.isNemesis() ? "nemesis" : type).append("\">");
      labelled(out, "Operation", Long.toString(operation.index()));
      labelled(out, "At", Formats.seconds(operation.time()));
      labelled(
          out, "Process", operation.isNemesis() ? "nemesis" : Long.toString(operation.process()));
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
      out.append("<li><a href=\"").append(Html.link(file)).append("\">");
      out.append(escape(file)).append("</a></li>\n");
    }
    if (files.size() > MAX_FILES) {
      out.append("<li>and ").append(files.size() - MAX_FILES).append(" more in the folder</li>");
    }
    return out.toString();
  }

  private static String shown(String what, int all, int atMost) {
    return all <= atMost
        ? "All " + Formats.number(all) + " " + what
        : "The first "
            + Formats.number(atMost)
            + " of "
            + Formats.number(all)
            + " "
            + what
            + "; the files have the rest";
  }
}
