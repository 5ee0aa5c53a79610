package dev.holdfast.history.check;

import dev.holdfast.history.Formats;
import dev.holdfast.history.History;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;

/** Puts checkers together. Stateless. */
public final class Checkers {

  /** The default time limit for the checkers of a composition. */
  public static final Duration DEFAULT_LIMIT = Duration.ofMinutes(10);

  private Checkers() {}

  /**
   * Makes one checker of several, that may take {@link #DEFAULT_LIMIT}.
   *
   * @param checkers at least one checker
   * @return the composition, see {@link #compose(Duration, Checker...)}
   */
  public static Checker compose(Checker... checkers) {
    return compose(DEFAULT_LIMIT, checkers);
  }

  /**
   * Makes one checker of several. It runs them all, at the same time, whatever they find, and its
   * result holds theirs as parts; one that throws, or is not done in time, has said unknown. Its
   * verdict is the one that beats all others.
   *
   * @param limit how long all of them together may take; positive. What is not done by then is
   *     interrupted, and not waited for
   * @param checkers at least one checker
   * @return the composition
   */
  public static Checker compose(Duration limit, Checker... checkers) {
    return compose(limit, false, checkers);
  }

  private static Checker compose(Duration limit, boolean isLenient, Checker... checkers) {
    List<Checker> all = List.of(checkers);
    if (all.isEmpty()) {
      throw new IllegalArgumentException("no checkers, no verdict");
    }
    if (limit.isNegative() || limit.isZero()) {
      throw new IllegalArgumentException("the limit must be positive, but is " + limit);
    }
    return new Composition(all, limit, isLenient);
  }

  /**
   * Makes one checker of several, for a history of which it is not known what it should have: as
   * {@link #compose(Duration, Checker...)}, but a checker that finds nothing to check counts only
   * if none of them does.
   *
   * @param limit how long all of them together may take; positive
   * @param checkers at least one checker
   * @return the composition
   */
  public static Checker composeApplicable(Duration limit, Checker... checkers) {
    return compose(limit, true, checkers);
  }

  /**
   * Runs one checker.
   *
   * @param checker the checker
   * @param history what it is to check
   * @return its result; unknown, with the exception's text, if it throws
   */
  public static Result safely(Checker checker, History history) {
    try {
      return checker.check(history);
    } catch (Throwable e) { // whatever happened to this one, the others are to run
      return unknown(checker, "the checker failed with " + e);
    }
  }

  private static Result unknown(Checker checker, String why) {
    return new Result(checker.name(), Verdict.UNKNOWN, "Not checked: " + why + ".", List.of());
  }

  /**
   * Several checkers as one.
   *
   * @param isLenient whether one that finds nothing to check does not count
   */
  private record Composition(List<Checker> checkers, Duration limit, boolean isLenient)
      implements Checker {

    @Override
    public String name() {
      return "all";
    }

    @Override
    public Result check(History history) {
      List<Callable<Result>> tasks = new ArrayList<>();
      for (Checker checker : checkers) {
        tasks.add(() -> safely(checker, history));
      }
      List<Result> parts =
          Parallel.run(
              tasks,
              limit.toNanos(),
              late ->
                  unknown(
                      checkers.get(late), "not done within " + Formats.seconds(limit.toNanos())));
      List<Result> counted =
          parts.stream().filter(part -> !isLenient || !part.nothingToCheck()).toList();
      counted = counted.isEmpty() ? parts : counted;
      Verdict verdict = counted.stream().map(Result::verdict).reduce(Verdict.VALID, Verdict::and);
      String summary = summary(verdict, counted);
      int left = parts.size() - counted.size();
      if (left > 0) {
        summary += " " + Formats.count(left, "other") + (left == 1 ? " has" : " have");
        summary += " nothing to check in this history.";
      }
      return new Result(name(), verdict, summary, List.of(), parts);
    }

    private static String summary(Verdict verdict, List<Result> parts) {
      List<String> deciding =
          parts.stream().filter(part -> part.verdict() == verdict).map(Result::checker).toList();
      if (verdict == Verdict.VALID) {
        return "All " + Formats.count(parts.size(), "check") + " passed.";
      }
      String what = verdict == Verdict.INVALID ? "Broken: " : "Not checked, and none seen broken: ";
      return what
          + String.join(", ", deciding)
          + " ("
          + deciding.size()
          + " of "
          + parts.size()
          + ").";
    }
  }
}
