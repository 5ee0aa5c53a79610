package dev.holdfast.history.check;

import dev.holdfast.history.Edn;
import dev.holdfast.history.Vocabulary;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Finds contradictions to every order without a search, which would try very many orders before it
 * knew: values that nobody had written, values that were overwritten, tokens that did not rise, and
 * more grants than there can be. What is not seen here is found by the search. Each method takes
 * what happened, or may have, in order of the invocations, and returns the end of a sentence, or
 * null. Stateless.
 */
final class Contradictions {
  private Contradictions() {}

  // --- Registers

  /** Of one value: when it was written first, and until when it may have been written. */
  private static final class Writes {
    /** By the times of the invocations: the latest answer to any write up to that one. */
    final TreeMap<Long, Long> latestAnswer = new TreeMap<>();

    void add(long from, long to) {
      Map.Entry<Long, Long> before = latestAnswer.floorEntry(from);
      latestAnswer.put(from, before == null ? to : Math.max(to, before.getValue()));
    }

    /**
     * Returns when the last of those that were invoked by then was answered; null if there is none.
     */
    @Nullable Long latestAnswer(long by) {
      Map.Entry<Long, Long> before = latestAnswer.floorEntry(by);
      return before == null ? null : before.getValue();
    }
  }

  /** Two writes of different values, the ones that were invoked last; of all answered by a time. */
  private record Latest(long from, @Nullable Object value, long otherFrom) {
    static final Latest NONE = new Latest(Long.MIN_VALUE, null, Long.MIN_VALUE);

    Latest with(Step write) {
      Object written = write.f().equals("read") ? write.result() : written(write);
      if (Objects.equals(written, value)) {
        return new Latest(Math.max(from, write.from()), value, otherFrom);
      }
      return write.from() > from
          ? new Latest(write.from(), written, from)
          : new Latest(from, value, Math.max(otherFrom, write.from()));
    }

    /** Returns when the last write of anything else was invoked. */
    long otherThan(@Nullable Object expected) {
      return Objects.equals(expected, value) ? otherFrom : from;
    }
  }

  /** A value was seen that nobody had written, or that had been overwritten for certain. */
  static @Nullable String ofValues(List<Step> steps) {
    Map<@Nullable Object, Writes> byValue = new HashMap<>();
    byValue.computeIfAbsent(null, value -> new Writes()).add(Long.MIN_VALUE, Long.MIN_VALUE);
    List<Step> answered = new ArrayList<>();
    for (Step step : steps) {
      if (!step.f().equals("read")) {
        byValue.computeIfAbsent(written(step), value -> new Writes()).add(step.from(), step.to());
      }
      if (!step.open()) {
        answered.add(step); // what was read was there, as if it had been written
      }
    }
    answered.sort(Comparator.comparingLong(Step::to));
    Latest latest = Latest.NONE;
    int place = 0;
    for (Step step : steps) {
      if (step.open() || step.f().equals("write")) {
        continue;
      }
      while (place < answered.size() && answered.get(place).to() < step.from()) {
        latest = latest.with(answered.get(place++));
      }
      Object seen = step.f().equals("read") ? step.result() : expected(step);
      Writes writes = byValue.get(seen);
      Long lastAnswer = writes == null ? null : writes.latestAnswer(step.to());
      if (lastAnswer == null) {
        return "nobody had written " + Edn.text(seen);
      } else if (lastAnswer < latest.otherThan(seen)) {
        return (seen == null ? "the value at the beginning" : Edn.text(seen))
            + " had been overwritten";
      }
    }
    return null;
  }

  private static @Nullable Object written(Step step) {
    return step.argument() instanceof List<?> pair && step.f().equals("cas")
        ? pair.get(pair.size() - 1)
        : step.argument();
  }

  private static @Nullable Object expected(Step cas) {
    return cas.argument() instanceof List<?> pair ? pair.get(0) : null;
  }

  // --- Locks

  /** A grant, and what was answered for certain before it was asked for, are in the wrong order. */
  static @Nullable String ofFences(List<Step> steps) {
    List<Step> answered =
        new ArrayList<>(steps.stream().filter(s -> !s.open() && s.fence() != null).toList());
    answered.sort(Comparator.comparingLong(Step::to));
    Map<Long, Step> granted = new HashMap<>();
    long highest = Long.MIN_VALUE;
    int place = 0;
    for (Step step : steps) {
      Long fence = step.fence();
      if (step.open() || fence == null || !step.f().equals(Vocabulary.ACQUIRE)) {
        continue;
      }
      while (place < answered.size() && answered.get(place).to() < step.from()) {
        Long before = answered.get(place).fence();
        boolean counts = before != null && !answered.get(place).isLoss();
        highest = counts && before != null ? Math.max(highest, before) : highest;
        place++;
      }
      Step twin = granted.put(fence, step);
      if (twin != null) {
        return "the fence " + fence + " was granted twice";
      } else if (fence <= highest) {
        return "the fence " + fence + " was granted after " + highest;
      }
    }
    return null;
  }

  /** Counts of grants and releases that are certain, and that are possible. */
  private static final class Count {
    int granted;
    int mayBeGranted;
    int released;
    int mayBeReleased;
  }

  /** Something that changes a count at a time; invocations count before answers. */
  private record Change(long at, boolean isAnswer, Step step) {}

  /**
   * More was held than there is, or released than was held.
   *
   * @param most how many grants there can be at the same time, if they do not end by themselves
   * @param byClient whether only the client that holds one can release it
   */
  static @Nullable String ofCounts(List<Step> steps, int most, boolean byClient) {
    List<Change> changes = new ArrayList<>();
    for (Step step : steps) {
      if (step.f().equals(Vocabulary.ACQUIRE) || step.f().equals(Vocabulary.RELEASE)) {
        changes.add(new Change(step.from(), false, step));
        if (!step.open()) {
          changes.add(new Change(step.to(), true, step));
        }
      }
    }
    changes.sort(Comparator.comparingLong(Change::at).thenComparing(Change::isAnswer));
    Function<Step, String> owner = byClient ? Step::client : step -> "";
    Map<String, Count> counts = new HashMap<>();
    Count all = new Count();
    for (Change change : changes) {
      Step step = change.step;
      Count own = counts.computeIfAbsent(owner.apply(step), client -> new Count());
      for (Count count : List.of(all, own)) {
        if (step.f().equals(Vocabulary.ACQUIRE)) {
          count.granted += change.isAnswer ? 1 : 0;
          count.mayBeGranted += change.isAnswer ? 0 : 1;
        } else {
          count.released += change.isAnswer ? 1 : 0;
          count.mayBeReleased += change.isAnswer ? 0 : 1;
        }
      }
      if (own.released > own.mayBeGranted) {
        return (byClient ? step.client() + " released the lock" : "the lock was released")
            + " more often than it had been acquired";
      } else if ((long) all.granted - all.mayBeReleased > most) {
        return most == 1 ? "it was held already" : "it was held " + most + " times already";
      }
    }
    return null;
  }
}
