package dev.holdfast.chaos.check;

import dev.holdfast.chaos.worker.ChaosVocabulary;
import dev.holdfast.history.Call;
import dev.holdfast.history.FaultInterval;
import dev.holdfast.history.History;
import dev.holdfast.history.Operation;
import dev.holdfast.history.Tenure;
import dev.holdfast.history.Vocabulary;
import dev.holdfast.history.check.Checker;
import dev.holdfast.history.check.Result;
import dev.holdfast.history.check.Verdict;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Checks that the faults of a run had their expected effects, at least one of them. A run without
 * them is invalid: it proved nothing.
 *
 * <p>Leases are a fault's victims if they were held when it began, by the client that its target
 * names or, where it names none, by any client. It counts what became of them from then until the
 * next fault began.
 */
public final class ExpectedEffectChecker implements Checker {

  /** An effect that a fault is expected to have. */
  public enum ExpectedEffect {
    /** A victim whose lease was renewed was told that it had lost it. */
    LOSS("leases lost"),
    /** A victim's lock, not released, was granted to another before the fault was over. */
    TAKEOVER("locks taken over meanwhile"),
    /** A write of a victim was refused. */
    REFUSED_WRITE("stale writes refused"),
    /** A victim could not renew. */
    REFUSED_RENEWAL("stale renewals refused"),
    /** A victim had nothing to release. */
    REFUSED_RELEASE("stale releases without effect"),
    /** An acquisition of the client that was asked for before the fault was over got no answer. */
    UNANSWERED("acquisitions unanswered"),
    /**
     * An acquisition was given up after an answer of 429: Elasticsearch had no room in a queue. One
     * that succeeded in the end does not tell what was tried before.
     */
    REJECTED("acquisitions rejected with 429"),
    /** A write was refused of a client, any client, that asked for the lock after the fault. */
    NEWCOMER_REFUSED("writes of new holders refused");

    private final String text;

    ExpectedEffect(String text) {
      this.text = text;
    }
  }

  private final Set<ExpectedEffect> expected;

  /** Makes a checker. */
  public ExpectedEffectChecker(Set<ExpectedEffect> expected) {
    this.expected = EnumSet.copyOf(expected);
  }

  @Override
  public String name() {
    return "expected-effects";
  }

  @Override
  public Result check(History history) {
    List<FaultInterval> faults = FaultInterval.of(history);
    Evidence evidence = new Evidence(history);
    List<String> seen = new ArrayList<>();
    List<String> missing = new ArrayList<>();
    for (ExpectedEffect effect : expected) {
      long times = 0;
      int in = 0;
      for (int i = 0; i < faults.size(); i++) {
        long next = i + 1 < faults.size() ? faults.get(i + 1).fromNanos() : Long.MAX_VALUE;
        long count = evidence.count(effect, new Window(faults.get(i), next));
        times += count;
        in += count > 0 ? 1 : 0;
      }
      String text = "%s %,d (in %d of %d faults)".formatted(effect.text, times, in, faults.size());
      (times > 0 ? seen : missing).add(text);
    }
    return missing.isEmpty()
        ? new Result(name(), Verdict.VALID, "Seen: " + String.join(", ", seen) + ".", List.of())
        : new Result(
            name(),
            Verdict.INVALID,
            "The run did not show the expected effects: " + String.join(", ", missing) + ".",
            List.of());
  }

  /** A fault, and when its consequences cannot be told from those of the next any more. */
  private record Window(FaultInterval fault, long toNanos) {

    boolean has(long nanos) {
      return nanos > fault.fromNanos() && nanos <= toNanos;
    }
  }

  private static final class Evidence {
    private final List<Call> calls;
    private final Set<String> clients;
    private final Map<String, List<Tenure>> byLock;

    Evidence(History history) {
      calls = history.calls();
      clients = calls.stream().map(Call::client).collect(Collectors.toSet());
      byLock = Tenure.byLock(Tenure.of(history));
    }

    long count(ExpectedEffect effect, Window window) {
      return switch (effect) {
        case LOSS ->
            victims(window)
                .filter(Evidence::isRenewed)
                .map(Tenure::loss)
                .filter(loss -> loss != null && window.has(loss.time()))
                .count();
        case TAKEOVER -> victims(window).filter(victim -> isTakenOver(victim, window)).count();
        case REFUSED_WRITE -> refused(Vocabulary.WRITE, victims(window), window);
        case REFUSED_RENEWAL -> refused(Vocabulary.RENEW, victims(window), window);
        case REFUSED_RELEASE -> refused(Vocabulary.RELEASE, victims(window), window);
        case UNANSWERED -> unanswered(window).count();
        case REJECTED -> unanswered(window).filter(Evidence::isRejected).count();
        case NEWCOMER_REFUSED ->
            refused(
                Vocabulary.WRITE,
                tenures().filter(tenure -> window.has(tenure.acquire().invokedAt())),
                window);
      };
    }

    private Stream<Call> unanswered(Window window) {
      return calls.stream()
          .filter(call -> call.f().equals(Vocabulary.ACQUIRE))
          .filter(call -> !call.isOk() && !call.isFailed())
          .filter(call -> isTarget(window.fault, call.client()))
          .filter(call -> call.invokedAt() < window.fault.toNanos())
          .filter(call -> call.completedAt() > window.fault.fromNanos());
    }

    private static boolean isRejected(Call call) {
      return ChaosVocabulary.REJECTED.equals(reason(call));
    }

    private Stream<Tenure> tenures() {
      return byLock.values().stream().flatMap(List::stream);
    }

    private Stream<Tenure> victims(Window window) {
      return tenures()
          .filter(tenure -> isTarget(window.fault, tenure.client()))
          .filter(tenure -> tenure.isHeldAt(window.fault.fromNanos()));
    }

    private boolean isTarget(FaultInterval fault, String client) {
      List<String> words = List.of(fault.target().split("[ ,]+"));
      return words.contains(client) || words.stream().noneMatch(clients::contains);
    }

    private static boolean isRenewed(Tenure tenure) {
      return Boolean.TRUE.equals(
          tenure.acquire().invocation().value().get(ChaosVocabulary.RENEWED));
    }

    private boolean isTakenOver(Tenure victim, Window window) {
      List<Tenure> ofLock = byLock.getOrDefault(victim.lock(), List.of());
      int next = ofLock.indexOf(victim) + 1;
      return next < ofLock.size()
          && !ofLock.get(next).client().equals(victim.client())
          && ofLock.get(next).grantedAt() <= window.fault.toNanos()
          && !victim.isReleasedBy(ofLock.get(next).grantedAt());
    }

    /** Counts the calls of those grants that were refused. */
    private long refused(String f, Stream<Tenure> grants, Window window) {
      Map<List<Object>, Long> grantedAt =
          grants.collect(
              Collectors.toMap(grant -> key(grant.acquire()), Tenure::grantedAt, Math::min));
      return calls.stream()
          .filter(call -> call.f().equals(f) && isRefused(call) && window.has(call.invokedAt()))
          .filter(call -> grantedAt.getOrDefault(key(call), Long.MAX_VALUE) <= call.invokedAt())
          .count();
    }

    private static boolean isRefused(Call call) {
      return call.isFailed() || ChaosVocabulary.NOT_HELD.equals(reason(call));
    }

    private static @Nullable Object reason(Call call) {
      Operation completion = call.completion();
      return completion == null ? null : completion.value().get(ChaosVocabulary.REASON);
    }

    private static List<Object> key(Call call) {
      return List.of(call.lock(), call.client(), call.fence());
    }
  }
}
