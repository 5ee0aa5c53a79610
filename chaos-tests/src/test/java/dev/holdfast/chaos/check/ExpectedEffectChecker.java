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
import java.util.concurrent.TimeUnit;
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
    NEWCOMER_REFUSED("writes of new holders refused"),
    /** An acquisition was given up because the index was blocked for writes. */
    BLOCKED("acquisitions blocked"),
    /** The fault hit something; it counted that itself. */
    HIT("hits counted by the fault"),
    /** A release, which waits for nobody, took half a second or longer. */
    SLOWED("releases that took 0.5 s or longer"),
    /**
     * A lock that the client had released was granted to it again, although it could reach no node.
     */
    LINGERED("grants of lingering locks while cut off"),
    /** After such a grant, the lock was granted to another before the fault was over. */
    LINGERING_TAKEN_OVER("lingering locks taken over meanwhile"),
    /** A leader was notified of its loss, and another one led before the fault was over. */
    LEADER_REPLACED("leaders replaced meanwhile");

    private final String text;

    ExpectedEffect(String text) {
      this.text = text;
    }
  }

  /** What the names of locks begin with that leaders hold. */
  private static final String ELECTIONS = "e";

  /** The time within which all links of a client are cut, once that has begun. */
  private static final long CUT_NANOS = TimeUnit.MILLISECONDS.toNanos(300);

  /** Longer than a release takes on a cluster that nothing is done to, but for a busy machine. */
  private static final long SLOW_NANOS = TimeUnit.MILLISECONDS.toNanos(500);

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
    private final History history;
    private final List<Call> calls;
    private final Set<String> clients;
    private final Map<String, List<Tenure>> byLock;

    Evidence(History history) {
      this.history = history;
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
        case REJECTED ->
            unanswered(window).filter(call -> isGivenUp(call, ChaosVocabulary.REJECTED)).count();
        case NEWCOMER_REFUSED ->
            refused(
                Vocabulary.WRITE,
                tenures().filter(tenure -> window.has(tenure.acquire().invokedAt())),
                window);
        case BLOCKED ->
            unanswered(window).filter(call -> isGivenUp(call, ChaosVocabulary.BLOCKED)).count();
        case HIT -> hits(window.fault);
        case SLOWED -> slowed(window.fault).count();
        case LINGERED -> lingered(window.fault).count();
        case LINGERING_TAKEN_OVER -> lingeringTakenOver(window.fault);
        case LEADER_REPLACED ->
            victims(window)
                .filter(victim -> victim.lock().startsWith(ELECTIONS))
                .filter(victim -> isReplaced(victim, window.fault))
                .count();
      };
    }

    /** A fault counts what it does where the history cannot tell. */
    private long hits(FaultInterval fault) {
      return history.nemesis().stream()
          .filter(act -> act.f().equals("stop-" + fault.name()))
          .filter(act -> act.time() == fault.toNanos())
          .map(act -> act.value().get(ChaosVocabulary.HITS))
          .filter(Number.class::isInstance)
          .mapToLong(hits -> ((Number) hits).longValue())
          .sum();
    }

    private Stream<Call> slowed(FaultInterval fault) {
      return calls.stream()
          .filter(call -> call.f().equals(Vocabulary.RELEASE) && call.completion() != null)
          .filter(call -> isTarget(fault, call.client()))
          .filter(call -> isWithin(call, fault.fromNanos(), fault))
          .filter(call -> call.completedAt() - call.invokedAt() >= SLOW_NANOS);
    }

    private static boolean isWithin(Call call, long fromNanos, FaultInterval fault) {
      return call.invokedAt() > fromNanos && call.completedAt() <= fault.toNanos();
    }

    /** The grants for which no request can have left, since the client had been cut off before. */
    private Stream<Tenure> lingered(FaultInterval fault) {
      return tenures()
          .filter(tenure -> isTarget(fault, tenure.client()))
          .filter(tenure -> isWithin(tenure.acquire(), fault.fromNanos() + CUT_NANOS, fault))
          .filter(
              tenure -> {
                List<Tenure> ofLock = byLock.getOrDefault(tenure.lock(), List.of());
                int place = ofLock.indexOf(tenure);
                Tenure before = place > 0 ? ofLock.get(place - 1) : null;
                Call release = before == null ? null : before.release();
                return before != null
                    && release != null
                    && before.client().equals(tenure.client())
                    // Not handed off: nobody held it when it was asked for.
                    && release.completedAt() < tenure.acquire().invokedAt();
              });
    }

    private long lingeringTakenOver(FaultInterval fault) {
      return lingered(fault)
          .map(Tenure::lock)
          .distinct()
          .filter(
              lock ->
                  byLock.getOrDefault(lock, List.of()).stream()
                      .filter(next -> !isTarget(fault, next.client()))
                      .anyMatch(
                          next ->
                              next.grantedAt() > fault.fromNanos() + CUT_NANOS
                                  && next.grantedAt() <= fault.toNanos()))
          .count();
    }

    private boolean isReplaced(Tenure victim, FaultInterval fault) {
      List<Tenure> ofLock = byLock.getOrDefault(victim.lock(), List.of());
      int place = ofLock.indexOf(victim) + 1;
      Operation loss = victim.loss();
      return place < ofLock.size()
          && loss != null
          && !ofLock.get(place).client().equals(victim.client())
          && loss.time() < ofLock.get(place).grantedAt()
          && ofLock.get(place).grantedAt() <= fault.toNanos();
    }

    private Stream<Call> unanswered(Window window) {
      return calls.stream()
          .filter(call -> call.f().equals(Vocabulary.ACQUIRE))
          .filter(call -> !call.isOk() && !call.isFailed())
          .filter(call -> isTarget(window.fault, call.client()))
          .filter(call -> call.invokedAt() < window.fault.toNanos())
          .filter(call -> call.completedAt() > window.fault.fromNanos());
    }

    private static boolean isGivenUp(Call call, String reason) {
      return reason.equals(reason(call));
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
