package dev.holdfast.history.check;

import dev.holdfast.history.History;
import dev.holdfast.history.Words;
import java.util.ArrayList;
import java.util.List;

/** Puts checkers together. Stateless. */
public final class Checkers {

  private Checkers() {}

  /**
   * Makes one checker of several. It runs them all, whatever they find, and its result holds theirs
   * as parts; one that throws has said unknown. Its verdict is the one that beats all others.
   *
   * @param checkers at least one checker
   * @return the composition
   */
  public static Checker compose(Checker... checkers) {
    List<Checker> all = List.of(checkers);
    if (all.isEmpty()) {
      throw new IllegalArgumentException("no checkers, no verdict");
    }
    return new Composition(all);
  }

  /**
   * Runs one checker.
   *
   * @param checker the checker
   * @param history what it is to judge
   * @return its result; unknown, with the exception's text, if it throws
   */
  public static Result safely(Checker checker, History history) {
    try {
      return checker.check(history);
    } catch (Throwable e) { // whatever happened to this one, the others are to run
      return new Result(
          checker.name(),
          Verdict.UNKNOWN,
          "Not judged: the checker failed with " + e + ".",
          List.of());
    }
  }

  private record Composition(List<Checker> checkers) implements Checker {

    @Override
    public String name() {
      return "all";
    }

    @Override
    public Result check(History history) {
      List<Result> parts = new ArrayList<>();
      Verdict verdict = Verdict.VALID;
      for (Checker checker : checkers) {
        Result part = safely(checker, history);
        parts.add(part);
        verdict = verdict.and(part.verdict());
      }
      return new Result(name(), verdict, summary(verdict, parts), List.of(), parts);
    }

    private static String summary(Verdict verdict, List<Result> parts) {
      List<String> deciding =
          parts.stream().filter(part -> part.verdict() == verdict).map(Result::checker).toList();
      if (verdict == Verdict.VALID) {
        return "All " + Words.count(parts.size(), "check") + " passed.";
      }
      String what = verdict == Verdict.INVALID ? "Broken: " : "Not judged, and none seen broken: ";
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
