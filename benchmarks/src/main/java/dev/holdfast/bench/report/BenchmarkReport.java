package dev.holdfast.bench.report;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Figures as a Markdown table, and as one HTML page with plots that needs no network. */
public final class BenchmarkReport {
  private static final String CHARTS =
      "/META-INF/resources/webjars/echarts/5.3.1/dist/echarts.min.js";

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

  public String html() throws IOException {
    StringBuilder page =
        new StringBuilder(
            """
            <!DOCTYPE html>
            <html lang="en"><head><meta charset="utf-8"><title>Holdfast: benchmarks</title>
            <style>
            body { font: 15px/1.4 sans-serif; margin: 2em auto; max-width: 1100px; padding: 0 1em }
            table { border-collapse: collapse } td, th { border: 1px solid #bbb; padding: 3px 8px }
            td.n { text-align: right } .missed { color: #b00 } .met { color: #070 }
            .plot { margin: 1em 0 }
            </style></head><body><h1>Holdfast: benchmarks</h1>
            """);
    Map<String, List<Measurement>> plots = plots();
    for (int i = 0; i < plots.size(); i++) {
      page.append("<div class=\"plot\" id=\"plot").append(i).append("\"></div>\n");
    }
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
    page.append("</ul>\n<script>").append(library()).append("</script>\n<script>\n");
    int plot = 0;
    for (Map.Entry<String, List<Measurement>> entry : plots.entrySet()) {
      page.append(script(plot++, entry.getKey(), entry.getValue()));
    }
    return page.append("</script></body></html>\n").toString();
  }

  /** What several subjects did, by title. */
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

  private static String script(int plot, String title, List<Measurement> bars)
      throws JsonProcessingException {
    Map<String, Object> option =
        Map.of(
            "animation", false,
            "title", Map.of("text", title, "textStyle", Map.of("fontSize", 15)),
            "grid", Map.of("left", 320, "right", 90, "top", 40, "bottom", 30),
            "xAxis", Map.of("type", "value"),
            "yAxis",
                Map.of(
                    "type",
                    "category",
                    "inverse",
                    true,
                    "axisLabel",
                    Map.of("width", 300, "overflow", "truncate"),
                    "data",
                    bars.stream().map(Measurement::subject).toList()),
            "series",
                List.of(
                    Map.of(
                        "type",
                        "bar",
                        "label",
                        Map.of("show", true, "position", "right"),
                        "data",
                        bars.stream()
                            .map(
                                bar ->
                                    Map.of(
                                        "value",
                                        bar.value(),
                                        "label",
                                        Map.of("formatter", bar.formatted())))
                            .toList())));
    // A text in a script must not be able to end it.
    String json = new ObjectMapper().writeValueAsString(option).replace("<", "\\u003c");
    return """
        { const place = document.getElementById("plot%d");
          place.style.height = "%dpx";
          echarts.init(place, null, { renderer: "svg" }).setOption(%s); }
        """
        .formatted(plot, 80 + 34 * bars.size(), json);
  }

  private static String library() throws IOException {
    try (InputStream script = BenchmarkReport.class.getResourceAsStream(CHARTS)) {
      if (script == null) {
        throw new IOException("not on the class path: " + CHARTS);
      }
      return new String(script.readAllBytes(), StandardCharsets.UTF_8);
    }
  }

  private static String escape(String text) {
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;");
  }
}
