package dev.holdfast.history.report;

import dev.holdfast.history.FaultInterval;
import dev.holdfast.history.Formats;
import dev.holdfast.history.check.Result;
import java.util.List;

/** A summary of a run in Markdown, for the page of a CI. Stateless. */
final class Markdown {

  private static final int MAX_DETAILS = 5;
  private static final int MAX_FAULTS = 50;

  private Markdown() {}

  static String of(RunInfo info, RunAnalysis analysis, Result result) {
    StringBuilder out = new StringBuilder();
    out.append("## ").append(escape(info.test())).append(": ").append(info.verdict().text());
    out.append("\n\n").append(escape(info.summary())).append("\n\n");
    if (info.intent().isControl()) {
      out.append("Control run, expected invalid by ").append(escape(info.intent().invalidBy()));
      out.append(info.detected() ? ": detected.\n\n" : ": not detected.\n\n");
    }
    List<String> warnings = info.intent().reading().warnings();
    warnings.forEach(each -> out.append("- Warning: ").append(escape(each)).append(".\n"));
    out.append(warnings.isEmpty() ? "" : "\n");
    if (!info.intent().about().isEmpty()) {
      out.append(escape(info.intent().about())).append("\n\n");
    }
    out.append("Run of ").append(Html.WHEN.format(info.startedAt())).append(": ");
    out.append(Formats.seconds(info.durationNanos())).append(", ");
    out.append(Formats.count(info.operations(), "operation")).append(", ");
    out.append(Formats.count(analysis.tenures().size(), "lease")).append(" on ");
    out.append(Formats.count(analysis.locks(), "lock")).append(", ");
    out.append(Formats.count(info.overlaps(), "overlap")).append(", ");
    out.append(Formats.count(info.faults(), "fault")).append(".\n\n");
    row(out, "check", "verdict", "why");
    row(out, "---", "---", "---");
    List<Result> parts = result.parts().isEmpty() ? List.of(result) : result.parts();
    for (Result part : parts) {
      String verdict = part.nothingToCheck() ? "not applicable" : part.verdict().text();
      row(out, escape(part.checker()), verdict, escape(part.summary()));
    }
    for (Result part : parts) {
      if (!part.details().isEmpty()) {
        out.append("\n").append(escape(part.checker())).append(":\n\n");
        part.details().stream()
            .limit(MAX_DETAILS)
            .forEach(detail -> out.append("- ").append(escape(detail)).append('\n'));
        if (part.details().size() > MAX_DETAILS) {
          out.append("- and ").append(part.details().size() - MAX_DETAILS).append(" more\n");
        }
      }
    }
    if (!analysis.faults().isEmpty()) {
      out.append('\n');
      row(out, "fault", "target", "from", "to");
      row(out, "---", "---", "---", "---");
      for (FaultInterval fault : analysis.faults().stream().limit(MAX_FAULTS).toList()) {
        row(
            out,
            escape(fault.name()),
            escape(fault.target()),
            Formats.seconds(fault.fromNanos()),
            fault.healed() ? Formats.seconds(fault.toNanos()) : "never healed");
      }
      if (analysis.faults().size() > MAX_FAULTS) {
        out.append("\nand ").append(analysis.faults().size() - MAX_FAULTS).append(" more faults\n");
      }
    }
    if (!info.intent().reproduce().isEmpty()) {
      out.append("\nTo repeat it:\n\n    ");
      out.append(info.intent().reproduce().replaceAll("\\R", "\n    ")).append('\n');
    }
    return out.toString();
  }

  private static void row(StringBuilder out, String... cells) {
    out.append("| ").append(String.join(" | ", cells)).append(" |\n");
  }

  /** Makes any text stand for itself, on one line. */
  static String escape(String text) {
    return text.replaceAll("\\R", " ").replaceAll("([\\\\`*_{}\\[\\]()<>#|~&!])", "\\\\$1");
  }
}
