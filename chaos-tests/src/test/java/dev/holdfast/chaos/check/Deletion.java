package dev.holdfast.chaos.check;

import dev.holdfast.chaos.fault.IndexFaults;
import dev.holdfast.history.Call;
import dev.holdfast.history.FaultInterval;
import dev.holdfast.history.Formats;
import dev.holdfast.history.History;
import dev.holdfast.history.Operation;
import dev.holdfast.history.Tenure;
import dev.holdfast.history.Vocabulary;
import dev.holdfast.history.check.Checker;
import dev.holdfast.history.check.FencingChecker;
import dev.holdfast.history.check.Result;
import dev.holdfast.history.check.Verdict;
import dev.holdfast.history.check.Violation;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Checkers for the deletion of the lock index, which releases every lock by force. Stateless.
 *
 * <p>The lives of the index are checked one by one: a grant belongs to a life if its acquisition
 * was asked for and answered within it. The few that span a deletion are not checked, nor those
 * that a client may have handed off within itself from one that it was granted before: until it is
 * notified of the deletion, it knows nothing of it, and sends no request.
 */
public final class Deletion {

  private Deletion() {}

  /**
   * Has each life of the index checked by itself, as if there had been no other. Without a deletion
   * that is the whole history.
   */
  public static Checker inEachLife(Checker checker) {
    return new Checker() {
      @Override
      public String name() {
        return checker.name();
      }

      @Override
      public Result check(History history) {
        List<FaultInterval> deletions = deletions(history);
        if (deletions.isEmpty()) {
          return checker.check(history);
        }
        List<Tenure> tenures = Tenure.of(history);
        Set<Tenure> outlived = outlived(tenures, deletions);
        List<Result> results = new ArrayList<>();
        for (int life = 0; life <= deletions.size(); life++) {
          int each = life;
          Result result =
              checker.check(
                  without(
                      history,
                      tenures.stream()
                          .filter(
                              tenure ->
                                  lifeOf(tenure.acquire(), deletions) != each
                                      || outlived.contains(tenure))
                          .toList()));
          if (!result.nothingToCheck()) {
            results.add(result);
          }
        }
        if (results.isEmpty()) {
          return new Result(
              name(), Verdict.UNKNOWN, "Not checked: nothing in any life of the index.", List.of());
        }
        List<Result> broken =
            results.stream().filter(result -> result.verdict() == Verdict.INVALID).toList();
        // A life that the checker gave up on may have been broken.
        List<Result> unknown =
            results.stream().filter(result -> result.verdict() == Verdict.UNKNOWN).toList();
        if (broken.isEmpty() && !unknown.isEmpty()) {
          return new Result(
              name(),
              Verdict.UNKNOWN,
              "Not checked: %d of %d lives of the index in which there was something to be checked. In one: %s"
                  .formatted(unknown.size(), results.size(), unknown.get(0).summary()),
              unknown.stream().flatMap(result -> result.details().stream()).toList());
        }
        Result told = broken.isEmpty() ? results.get(results.size() - 1) : broken.get(0);
        return new Result(
            name(),
            told.verdict(),
            "In %d of %d lives of the index there was something to be checked, in %d it was broken. In one: %s"
                .formatted(results.size(), deletions.size() + 1, broken.size(), told.summary()),
            broken.stream().flatMap(result -> result.details().stream()).toList(),
            List.of(),
            broken.stream().flatMap(result -> result.violations().stream()).toList());
      }
    };
  }

  /** Without those grants, and what became of them. */
  private static History without(History history, List<Tenure> unwanted) {
    Set<Long> indices = new HashSet<>();
    for (Tenure tenure : unwanted) {
      add(indices, tenure.acquire());
      tenure.confirmations().forEach(call -> add(indices, call));
      add(indices, tenure.release());
      add(indices, tenure.loss());
    }
    return History.of(
        history.operations().stream().filter(each -> !indices.contains(each.index())).toList());
  }

  private static void add(Set<Long> indices, @Nullable Call call) {
    if (call != null) {
      add(indices, call.invocation());
      add(indices, call.completion());
    }
  }

  private static void add(Set<Long> indices, @Nullable Operation operation) {
    if (operation != null) {
      indices.add(operation.index());
    }
  }

  /**
   * Each client that held a lock when the index was deleted, and went on running, was told within
   * the grace period.
   */
  public static Checker told(Duration grace) {
    return new Named("told-of-deletion") {
      @Override
      Result check(History history, List<FaultInterval> deletions) {
        List<Violation> violations = new ArrayList<>();
        long slowest = 0;
        int told = 0;
        for (Tenure tenure : Tenure.of(history)) {
          for (FaultInterval deletion : deletions) {
            long end = deletion.toNanos() + grace.toNanos();
            Operation loss = tenure.loss();
            if (!tenure.isHeldAt(deletion.fromNanos())) {
              continue;
            }
            if (loss != null && loss.time() <= end) {
              told++;
              slowest = Math.max(slowest, loss.time() - deletion.toNanos());
            } else if (!tenure.isReleasedBy(end)) {
              violations.add(
                  Violation.of(
                      "Not told of the deletion at %s"
                          .formatted(Formats.seconds(deletion.fromNanos())),
                      tenure.acquire()));
            }
          }
        }
        if (told == 0 && violations.isEmpty()) {
          return nothing("no lock was held over a deletion");
        }
        return Result.of(
            name(),
            "%s told of the deletion, after at most %s."
                .formatted(Formats.count(told, "holder"), Formats.seconds(slowest)),
            "Holders were not told of the deletion.",
            violations);
      }
    };
  }

  /**
   * Nobody believes in a lease of a deleted index for longer than a TTL after it was gone, told or
   * not: nothing renews it any more. Where no index was deleted, that is so.
   */
  public static Checker outlivedBy(Duration ttl) {
    return new Checker() {
      @Override
      public String name() {
        return "outlived-deletion";
      }

      @Override
      public Result check(History history) {
        List<Violation> violations = new ArrayList<>();
        List<FaultInterval> deletions = deletions(history);
        for (Tenure tenure : Tenure.of(history)) {
          for (FaultInterval deletion : deletions) {
            long end = deletion.toNanos() + ttl.toNanos();
            if (tenure.grantedAt() < deletion.fromNanos()
                && tenure.held().stream().anyMatch(span -> span.toNanos() > end)) {
              violations.add(
                  Violation.of(
                      "Believed in for longer than a TTL after the deletion at %s"
                          .formatted(Formats.seconds(deletion.fromNanos())),
                      tenure.acquire()));
            }
          }
        }
        return Result.of(
            name(),
            "No lease outlived %s of the index by more than its TTL."
                .formatted(Formats.count(deletions.size(), "deletion")),
            "Leases outlived the index.",
            violations);
      }
    };
  }

  /**
   * Fencing within each life, and for what the locks protect over all of them: a write with a lower
   * token is never accepted after one with a higher one, though tokens begin low again.
   */
  public static Checker fencing() {
    return new Named("fencing-but-for-deletion") {
      @Override
      Result check(History history, List<FaultInterval> deletions) {
        Set<Call> outlived = outlivedAcquisitions(history, deletions);
        List<Violation> violations = new ArrayList<>();
        FencingChecker fencing = new FencingChecker();
        boolean isUnknown = false;
        for (int life = 0; life <= deletions.size(); life++) {
          int each = life;
          Result result =
              fencing.check(
                  only(
                      history,
                      call ->
                          call.f().equals(Vocabulary.WRITE)
                              || (call.f().equals(Vocabulary.ACQUIRE)
                                  && lifeOf(call, deletions) == each
                                  && !outlived.contains(call))));
          isUnknown |= result.verdict() == Verdict.UNKNOWN;
          violations.addAll(result.violations());
        }
        if (isUnknown && violations.isEmpty()) {
          return nothing("nothing was granted in one of the lives of the index");
        }
        return Result.of(
            name(),
            "Fences rose in each of %d lives of the index, and no stale write was accepted over all of them."
                .formatted(deletions.size() + 1),
            "Fencing was broken.",
            violations);
      }
    };
  }

  /**
   * Fencing over all lives, where each has a higher era than the one before it. Without a deletion
   * that is fencing.
   */
  public static Checker fencingThroughEras() {
    return new Checker() {
      @Override
      public String name() {
        return "fencing-through-eras";
      }

      @Override
      public Result check(History history) {
        List<FaultInterval> deletions = deletions(history);
        Set<Call> outlived = outlivedAcquisitions(history, deletions);
        Result result =
            new FencingChecker()
                .check(
                    only(
                        history,
                        call ->
                            !call.f().equals(Vocabulary.ACQUIRE)
                                || (lifeOf(call, deletions) >= 0 && !outlived.contains(call))));
        return new Result(
            name(),
            result.verdict(),
            "%s (%d lives of the index)".formatted(result.summary(), deletions.size() + 1),
            result.details(),
            List.of(),
            result.violations());
      }
    };
  }

  private static Set<Call> outlivedAcquisitions(History history, List<FaultInterval> deletions) {
    Set<Call> acquisitions = new HashSet<>();
    for (Tenure tenure : outlived(Tenure.of(history), deletions)) {
      acquisitions.add(tenure.acquire());
    }
    return acquisitions;
  }

  /**
   * Grants after a deletion that may be of the life before it: a client that held the lock then may
   * hand it over, to a call of its own that waits when it releases the lock; and so on, until it is
   * told, or nobody waits.
   */
  private static Set<Tenure> outlived(List<Tenure> tenures, List<FaultInterval> deletions) {
    List<Tenure> inOrder =
        tenures.stream().sorted(Comparator.comparingLong(Tenure::grantedAt)).toList();
    Set<Tenure> outlived = new HashSet<>();
    for (FaultInterval deletion : deletions) {
      List<Tenure> ofTheLifeBefore = new ArrayList<>();
      for (Tenure tenure : inOrder) {
        boolean before = tenure.acquire().invokedAt() < deletion.toNanos();
        if (before || ofTheLifeBefore.stream().anyMatch(each -> mayFollow(each, tenure))) {
          Call release = tenure.release();
          if (release != null && release.completedAt() >= deletion.toNanos()) {
            ofTheLifeBefore.add(tenure); // what was released before has no successor after
          }
          if (!before) {
            outlived.add(tenure);
          }
        }
      }
    }
    return outlived;
  }

  private static boolean mayFollow(Tenure holder, Tenure next) {
    Call release = holder.release();
    return release != null
        && holder.loss() == null
        && holder.lock().equals(next.lock())
        && holder.client().equals(next.client())
        && next.acquire().invokedAt() < release.completedAt()
        && next.grantedAt() > release.invokedAt();
  }

  private static History only(History history, Predicate<Call> wanted) {
    Set<Long> indices = new HashSet<>();
    for (Call call : history.calls()) {
      if (wanted.test(call)) {
        indices.add(call.invocation().index());
        Operation completion = call.completion();
        if (completion != null) {
          indices.add(completion.index());
        }
      }
    }
    return History.of(
        history.operations().stream().filter(each -> indices.contains(each.index())).toList());
  }

  private static List<FaultInterval> deletions(History history) {
    return FaultInterval.of(history).stream()
        .filter(fault -> fault.name().equals(IndexFaults.DELETED))
        .toList();
  }

  /** The number of the life in which a call was asked and answered; -1 if in more than one. */
  private static int lifeOf(Call call, List<FaultInterval> deletions) {
    for (int i = 0; i <= deletions.size(); i++) {
      long from = i == 0 ? Long.MIN_VALUE : deletions.get(i - 1).toNanos();
      long to = i == deletions.size() ? Long.MAX_VALUE : deletions.get(i).fromNanos();
      if (call.invokedAt() > from && call.completedAt() < to) {
        return i;
      }
    }
    return -1;
  }

  private abstract static class Named implements Checker {
    private final String name;

    Named(String name) {
      this.name = name;
    }

    abstract Result check(History history, List<FaultInterval> deletions);

    @Override
    public String name() {
      return name;
    }

    @Override
    public Result check(History history) {
      List<FaultInterval> deletions = deletions(history);
      return deletions.isEmpty() ? nothing("no index was deleted") : check(history, deletions);
    }

    Result nothing(String what) {
      return new Result(name, Verdict.UNKNOWN, "Not checked: " + what + ".", List.of());
    }
  }
}
