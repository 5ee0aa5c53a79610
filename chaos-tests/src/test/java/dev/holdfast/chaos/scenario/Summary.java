package dev.holdfast.chaos.scenario;

import dev.holdfast.chaos.check.HistoryStats;
import dev.holdfast.history.Formats;
import java.util.ArrayList;
import java.util.List;

/** The table of what came out of all scenarios, as Markdown that is good to read as it is. */
public final class Summary {

  private static final List<String> HEAD =
      List.of(
          "scenario",
          "verdict",
          "lock operations",
          "faults",
          "longest time without a grant",
          "takeovers: number, median, longest",
          "stale writes refused",
          "unfenced updates lost");

  private Summary() {}

  /** Returns the table, with a line of totals. */
  public static String table(List<ScenarioOutcome> outcomes) {
    List<List<String>> rows = new ArrayList<>();
    rows.add(HEAD);
    long operations = 0;
    long faults = 0;
    long refused = 0;
    long lost = 0;
    long increments = 0;
    for (ScenarioOutcome outcome : outcomes) {
      HistoryStats stats = outcome.stats();
      if (stats == null) {
        rows.add(List.of(outcome.scenario(), outcome.verdict(), "", "", "", "", "", ""));
      } else {
        operations += stats.lockOperations();
        faults += stats.faults();
        refused += stats.refusedWrites();
        lost += stats.lostIncrements();
        increments += stats.increments();
        rows.add(
            List.of(
                outcome.scenario(),
                outcome.verdict(),
                Formats.number(stats.lockOperations()),
                Formats.number(stats.faults()),
                Formats.roundSeconds(stats.longestGapNanos()),
                takeovers(stats.takeoverNanos()),
                Formats.number(stats.refusedWrites()),
                Formats.number(stats.lostIncrements())
                    + " of "
                    + Formats.number(stats.increments())));
      }
    }
    rows.add(
        List.of(
            outcomes.size() + " scenarios",
            outcomes.stream().filter(ScenarioOutcome::isValid).count() + " valid",
            Formats.number(operations),
            Formats.number(faults),
            "",
            "",
            Formats.number(refused),
            Formats.number(lost) + " of " + Formats.number(increments)));
    return layOut(rows);
  }

  private static String takeovers(List<Long> nanos) {
    return nanos.isEmpty()
        ? "none"
        : nanos.size()
            + ", "
            + Formats.roundSeconds(nanos.get(nanos.size() / 2))
            + ", "
            + Formats.roundSeconds(nanos.get(nanos.size() - 1));
  }

  private static String layOut(List<List<String>> rows) {
    StringBuilder out = new StringBuilder();
    for (int row = 0; row < rows.size(); row++) {
      out.append('|');
      for (int column = 0; column < HEAD.size(); column++) {
        out.append(' ').append(padded(rows, row, column, ' ')).append(" |");
      }
      out.append('\n');
      if (row == 0) {
        out.append('|');
        for (int column = 0; column < HEAD.size(); column++) {
          out.append(' ').append("-".repeat(width(rows, column))).append(" |");
        }
        out.append('\n');
      }
    }
    return out.toString();
  }

  private static String padded(List<List<String>> rows, int row, int column, char with) {
    String cell = rows.get(row).get(column);
    return cell + String.valueOf(with).repeat(width(rows, column) - cell.length());
  }

  private static int width(List<List<String>> rows, int column) {
    return rows.stream().mapToInt(row -> row.get(column).length()).max().orElse(0);
  }
}
