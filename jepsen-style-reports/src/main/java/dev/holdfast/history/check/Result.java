package dev.holdfast.history.check;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * The result of a checker. Immutable.
 *
 * @param checker the checker's name
 * @param verdict its verdict
 * @param summary the verdict in a sentence
 * @param details what in particular is wrong or worth knowing, a sentence each; at most {@link
 *     #MAX_DETAILS} and one that says how many were left out
 * @param parts the results of the checkers that this one is composed of; empty for a single one
 * @param violations those of the details that name operations or say what is wrong, with the
 *     operations; at most {@link #MAX_DETAILS}
 * @param nothingToCheck whether the verdict is unknown because the history has nothing that the
 *     checker is about, and not because the checker gave up
 */
public record Result(
    String checker,
    Verdict verdict,
    String summary,
    List<String> details,
    List<Result> parts,
    List<Violation> violations,
    boolean nothingToCheck) {

  /** The most details that a result holds. */
  public static final int MAX_DETAILS = 100;

  /** Validates, copies, and bounds the details. */
  public Result {
    Objects.requireNonNull(checker);
    Objects.requireNonNull(verdict);
    Objects.requireNonNull(summary);
    if (details.size() > MAX_DETAILS + 1) {
      List<String> bounded = new ArrayList<>(details.subList(0, MAX_DETAILS));
      bounded.add("and " + (details.size() - MAX_DETAILS) + " more");
      details = bounded;
    }
    details = List.copyOf(details);
    parts = List.copyOf(parts);
    violations = List.copyOf(violations.subList(0, Math.min(violations.size(), MAX_DETAILS)));
  }

  /**
   * Makes a result of a history with something to check.
   *
   * @param checker the checker's name
   * @param verdict its verdict
   * @param summary the verdict in a sentence
   * @param details what in particular, a sentence each
   * @param parts the results of the checkers that this one is composed of
   * @param violations those of the details that name operations or say what is wrong
   */
  public Result(
      String checker,
      Verdict verdict,
      String summary,
      List<String> details,
      List<Result> parts,
      List<Violation> violations) {
    this(checker, verdict, summary, details, parts, violations, false);
  }

  /**
   * Makes a result that names no operations.
   *
   * @param checker the checker's name
   * @param verdict its verdict
   * @param summary the verdict in a sentence
   * @param details what in particular, a sentence each
   * @param parts the results of the checkers that this one is composed of
   */
  public Result(
      String checker, Verdict verdict, String summary, List<String> details, List<Result> parts) {
    this(checker, verdict, summary, details, parts, List.of());
  }

  /**
   * Makes the result of a single checker.
   *
   * @param checker the checker's name
   * @param verdict its verdict
   * @param summary the verdict in a sentence
   * @param details what in particular, a sentence each
   */
  public Result(String checker, Verdict verdict, String summary, List<String> details) {
    this(checker, verdict, summary, details, List.of());
  }

  /**
   * Makes the result of a checker that looks for violations: invalid if it found any.
   *
   * @param checker the checker's name
   * @param held the sentence to say if there are none
   * @param broken the sentence to say if there are some
   * @param violations the violations
   * @return the result
   */
  public static Result of(String checker, String held, String broken, List<Violation> violations) {
    return violations.isEmpty()
        ? new Result(checker, Verdict.VALID, held, List.of())
        : new Result(
            checker,
            Verdict.INVALID,
            broken,
            violations.stream().map(Violation::detail).toList(),
            List.of(),
            violations);
  }

  /** Makes the result of a checker that saw nothing to check. */
  static Result nothingSeen(String checker, String what) {
    return new Result(
        checker,
        Verdict.UNKNOWN,
        "Not checked: " + what + " in this history.",
        List.of(),
        List.of(),
        List.of(),
        true);
  }
}
