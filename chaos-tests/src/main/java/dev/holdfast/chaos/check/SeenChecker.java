package dev.holdfast.chaos.check;

import dev.holdfast.history.Call;
import dev.holdfast.history.History;
import dev.holdfast.history.Vocabulary;
import dev.holdfast.history.check.Checker;
import dev.holdfast.history.check.Result;
import dev.holdfast.history.check.Verdict;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/** The run showed what it is there to show. Otherwise it is invalid: it proved nothing. */
public final class SeenChecker implements Checker {

  /** Something that a scenario is to bring about. */
  public enum Sight {
    /** A holder was told that it had lost its lease. */
    LOSS,
    /** A lock that was not released was granted to another. */
    TAKEOVER,
    /** A write of a late holder was refused. */
    REFUSED_WRITE,
    /** An acquisition got no answer. */
    UNANSWERED
  }

  private final Set<Sight> expected;

  /** Makes a checker. */
  public SeenChecker(Set<Sight> expected) {
    this.expected = EnumSet.copyOf(expected);
  }

  @Override
  public String name() {
    return "seen";
  }

  @Override
  public Result check(History history) {
    Figures figures = Figures.of(history);
    List<String> seen = new ArrayList<>();
    List<String> missing = new ArrayList<>();
    for (Sight sight : expected) {
      long count =
          switch (sight) {
            case LOSS -> figures.losses();
            case TAKEOVER -> figures.takeoverNanos().size();
            case REFUSED_WRITE -> figures.refusedWrites();
            case UNANSWERED -> history.calls().stream().filter(SeenChecker::isUnanswered).count();
          };
      (count > 0 ? seen : missing).add(text(sight) + " " + count);
    }
    return missing.isEmpty()
        ? new Result(name(), Verdict.VALID, "Seen: " + String.join(", ", seen) + ".", List.of())
        : new Result(
            name(),
            Verdict.INVALID,
            "The run did not show what it was to show: " + String.join(", ", missing) + ".",
            List.of());
  }

  private static boolean isUnanswered(Call call) {
    return call.f().equals(Vocabulary.ACQUIRE) && !call.isOk() && !call.isFailed();
  }

  private static String text(Sight sight) {
    return switch (sight) {
      case LOSS -> "leases lost";
      case TAKEOVER -> "locks taken over";
      case REFUSED_WRITE -> "late writes refused";
      case UNANSWERED -> "acquisitions unanswered";
    };
  }
}
