package dev.holdfast.bench.report;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Measurements as a Markdown table, and as one HTML page with bars that needs no network. */
public final class BenchmarkReport {
  private final List<Measurement> measurements;
  private final List<String> notes;

  public BenchmarkReport(List<Measurement> measurements, List<String> notes) {
    this.measurements = List.copyOf(measurements);
    this.notes = List.copyOf(notes);
  }

  public String markdown() {
    StringBuilder text =
        new StringBuilder("| What | Who | Figure | | Goal |\n|---|---|--:|---|---|\n");
    for (Measurement measurement : measurements) {
      text.append("| ")
          .append(measurement.scenario())
          .append(" | ")
          .append(measurement.subject())
          .append(" | ")
          .append(measurement.formatted())
          .append(" | ")
          .append(measurement.unit())
          .append(" | ")
          .append(measurement.verdict())
          .append(" |\n");
    }
    text.append('\n');
    notes.forEach(note -> text.append("- ").append(note).append('\n'));
    return text.toString();
  }

  public String html() {
    StringBuilder page =
        new StringBuilder(
            """
            <!DOCTYPE html>
            <html lang="en"><head><meta charset="utf-8"><title>Holdfast: benchmarks</title>
            <style>
            body { font: 15px/1.4 sans-serif; margin: 2em auto; max-width: 1100px; padding: 0 1em }
            table { border-collapse: collapse } td, th { border: 1px solid #bbb; padding: 3px 8px }
            td.n { text-align: right } .missed { color: #b00 } .met { color: #070 }
            .plot { margin: 1em 0 } figcaption { font-weight: bold }
            .row { display: grid; grid-template-columns: 20em 1fr 6em; gap: .6em; margin: 2px 0 }
            .who { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; text-align: right }
            .track { background: #eee } .bar { display: block; height: 100%; background: #36c }
            </style></head><body><h1>Holdfast: benchmarks</h1>
            """);
    plots().forEach((title, bars) -> page.append(plot(title, bars)));
    page.append("<table><tr><th>What<th>Who<th>Figure<th><th>Goal</tr>\n");
    for (Measurement measurement : measurements) {
      Measurement.Goal goal = measurement.goal();
      String style = goal == null ? "" : goal.isMetBy(measurement.value()) ? "met" : "missed";
      page.append("<tr><td>")
          .append(escape(measurement.scenario()))
          .append("<td>")
          .append(escape(measurement.subject()))
          .append("<td class=\"n\">")
          .append(measurement.formatted())
          .append("<td>")
          .append(escape(measurement.unit()))
          .append("<td class=\"")
          .append(style)
          .append("\">")
          .append(escape(measurement.verdict()))
          .append("</tr>\n");
    }
    page.append("</table><ul>\n");
    notes.forEach(note -> page.append("<li>").append(escape(note)).append("\n"));
    return page.append("</ul></body></html>\n").toString();
  }

  /** Returns what several subjects did, by title. */
  private Map<String, List<Measurement>> plots() {
    Map<String, List<Measurement>> plots = new LinkedHashMap<>();
    for (Measurement measurement : measurements) {
      plots
          .computeIfAbsent(
              measurement.scenario() + " (" + measurement.unit() + ")", title -> new ArrayList<>())
          .add(measurement);
    }
    plots.values().removeIf(bars -> bars.size() < 2);
    return plots;
  }

  /** A bar for each subject, as long as its value is large. */
  private static String plot(String title, List<Measurement> bars) {
    double most =
        bars.stream().mapToDouble(Measurement::value).filter(Double::isFinite).max().orElse(0);
    StringBuilder out = new StringBuilder("<figure class=\"plot\"><figcaption>");
    out.append(escape(title)).append("</figcaption>\n");
    for (Measurement bar : bars) {
      double percent = most > 0 && bar.value() > 0 ? 100 * bar.value() / most : 0;
      out.append("<div class=\"row\"><span class=\"who\">")
          .append(escape(bar.subject()))
          .append("</span><span class=\"track\"><span class=\"bar\" style=\"width:")
          .append(String.format(Locale.ROOT, "%.1f", percent))
          .append("%\"></span></span><span class=\"n\">")
          .append(bar.formatted())
          .append("</span></div>\n");
    }
    return out.append("</figure>\n").toString();
  }

  private static String escape(String text) {
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;");
  }
}
