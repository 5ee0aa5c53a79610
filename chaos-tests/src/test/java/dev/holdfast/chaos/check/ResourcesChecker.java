package dev.holdfast.chaos.check;

import dev.holdfast.chaos.worker.ChaosVocabulary;
import dev.holdfast.history.Formats;
import dev.holdfast.history.History;
import dev.holdfast.history.Operation;
import dev.holdfast.history.Vocabulary;
import dev.holdfast.history.check.Checker;
import dev.holdfast.history.check.Result;
import dev.holdfast.history.check.Verdict;
import dev.holdfast.history.check.Violation;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A process that runs for long does not use more and more: of all that it records about itself, the
 * median of the last quarter of its samples is at most a quarter above that of the second one, and
 * some more, since faults come and go. The first quarter is for warming up.
 */
public final class ResourcesChecker implements Checker {

  private static final int FEWEST_SAMPLES = 4;

  private static final double MOST_GROWTH = 1.25;

  /** What may come beyond that: as much as the numbers differ between two faults. */
  private static final Map<String, Long> SLACK =
      Map.of(
          ChaosVocabulary.HEAP_KIB,
          4L * 1024,
          ChaosVocabulary.THREADS,
          10L,
          ChaosVocabulary.FILES,
          20L,
          ChaosVocabulary.SOCKETS,
          20L);

  private final Duration shortest;

  /** Makes a checker of processes that ran for at least so long. */
  public ResourcesChecker(Duration shortest) {
    this.shortest = shortest;
  }

  @Override
  public String name() {
    return "resources";
  }

  @Override
  public Result check(History history) {
    Map<String, List<Operation>> byClient = new LinkedHashMap<>();
    for (Operation notice : history.notices()) {
      if (notice.f().equals(Vocabulary.RESOURCES)) {
        byClient.computeIfAbsent(notice.client(), c -> new ArrayList<>()).add(notice);
      }
    }
    byClient.values().removeIf(samples -> !isLong(samples));
    List<Violation> violations = new ArrayList<>();
    List<String> details = new ArrayList<>();
    byClient.forEach(
        (client, samples) ->
            SLACK.forEach(
                (what, slack) -> {
                  long[] values =
                      samples.stream().flatMapToLong(each -> each.number(what).stream()).toArray();
                  if (values.length == samples.size()) {
                    long before = median(values, 1);
                    long after = median(values, 3);
                    String text =
                        "%s: %s %,d in the second quarter, %,d in the last"
                            .formatted(client, what, before, after);
                    details.add(text);
                    if (after > MOST_GROWTH * before + slack) {
                      violations.add(Violation.of(text));
                    }
                  }
                }));
    if (details.isEmpty()) {
      return new Result(
          name(),
          Verdict.UNKNOWN,
          "Not checked: no client recorded what it used for " + length() + ".",
          List.of());
    }
    return violations.isEmpty()
        ? new Result(
            name(),
            Verdict.VALID,
            "%s ran for %s or longer, without using more and more."
                .formatted(Formats.count(byClient.size(), "client"), length()),
            details)
        : Result.of(name(), "", "More and more was used.", violations);
  }

  private String length() {
    return Formats.seconds(shortest.toNanos());
  }

  private boolean isLong(Collection<Operation> samples) {
    long from = samples.stream().mapToLong(Operation::time).min().orElseThrow();
    long to = samples.stream().mapToLong(Operation::time).max().orElseThrow();
    return samples.size() >= FEWEST_SAMPLES && to - from >= shortest.toNanos();
  }

  /** Of the quarter of that number, from 0. */
  private static long median(long[] values, int quarter) {
    int from = quarter * values.length / 4;
    int to = (quarter + 1) * values.length / 4;
    long[] part = Arrays.copyOfRange(values, from, to);
    Arrays.sort(part);
    return part[part.length / 2];
  }
}
