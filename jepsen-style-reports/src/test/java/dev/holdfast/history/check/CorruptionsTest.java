package dev.holdfast.history.check;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.history.Call;
import dev.holdfast.history.History;
import dev.holdfast.history.Operation;
import dev.holdfast.history.SampleHistory;
import dev.holdfast.history.Tenure;
import dev.holdfast.history.Vocabulary;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * One thing at a time is put wrong in a valid history, and the checkers that are there for it say
 * so.
 */
class CorruptionsTest {

  private static final int OPERATIONS = 6_000;
  private static final int SEEDS = 3;
  private static final double DRIFT = 0.02;
  private static final Duration LIMIT = Duration.ofMinutes(2);

  private static final Map<String, Checker> CHECKERS =
      Map.of(
          "mutual-exclusion", new MutualExclusionChecker(),
          "fencing", new FencingChecker(),
          "ttl-expiry", new TtlExpiryChecker(DRIFT),
          "loss-notice", new LossNoticeChecker(),
          "renewal", new RenewalChecker(true),
          "availability", new AvailabilityChecker(0.5, Duration.ofSeconds(10)),
          "coverage", new CoverageChecker(Set.of("acquire", "renew", "release", "write"), true),
          "lease", new LinearizabilityChecker("lease", LIMIT));

  /** A corruption of a history, and the checkers that must find it. */
  private enum Corruption {
    SWAPPED_HOLDERS("lease", "mutual-exclusion") {
      @Override
      void apply(Bench bench) {
        // The answers of two clients that waited at the same time, each with the other's value.
        Call first = bench.any(call -> isGrant(call) && bench.isFollowed(call));
        Call second = bench.next(first);
        bench.replace(first, second.completion(), first.completedAt());
        bench.replace(second, first.completion(), second.completedAt());
      }
    },
    SWAPPED_RELEASE_AND_NEXT_GRANT("lease", "mutual-exclusion", "ttl-expiry") {
      @Override
      void apply(Bench bench) {
        Tenure tenure = bench.releasedAndFollowed();
        Call release = bench.release(tenure);
        Call next = bench.next(tenure.acquire());
        bench.remove(release);
        bench.addCall(release, next.completedAt() + 1, next.completedAt() + 2);
      }
    },
    DROPPED_RELEASE("lease", "mutual-exclusion", "ttl-expiry") {
      @Override
      void apply(Bench bench) {
        bench.remove(bench.release(bench.releasedAndFollowed()));
      }
    },
    REUSED_FENCE("lease", "fencing") {
      @Override
      void apply(Bench bench) {
        Tenure tenure = bench.releasedAndFollowed();
        long fence = tenure.acquire().fence().orElseThrow();
        bench.refence(bench.next(tenure.acquire()), fence);
      }
    },
    FENCE_THAT_WENT_BACK("lease", "fencing") {
      @Override
      void apply(Bench bench) {
        Tenure tenure = bench.releasedAndFollowed();
        bench.refence(bench.next(tenure.acquire()), 0);
      }
    },
    STALE_WRITE_ACCEPTED("fencing") {
      @Override
      void apply(Bench bench) {
        Call write = bench.any(call -> call.f().equals("write") && bench.laterWrite(call) != null);
        Call later = Objects.requireNonNull(bench.laterWrite(write));
        bench.addCall(write, later.completedAt() + 1, later.completedAt() + 2);
      }
    },
    GRANT_SHIFTED_BEFORE_THE_RELEASE("lease", "mutual-exclusion", "ttl-expiry") {
      @Override
      void apply(Bench bench) {
        Tenure tenure = bench.releasedAndFollowed();
        Call next = bench.next(tenure.acquire());
        bench.remove(next);
        bench.addCall(next, tenure.grantedAt() + 1, tenure.grantedAt() + 2);
      }
    },
    TAKEOVER_SHIFTED_BEFORE_THE_END("lease", "mutual-exclusion", "ttl-expiry") {
      @Override
      void apply(Bench bench) {
        Tenure tenure = bench.takenOver();
        Call next = bench.next(tenure.acquire());
        bench.remove(next);
        bench.addCall(next, tenure.grantedAt() + 1, tenure.grantedAt() + 2);
      }
    },
    CLOCK_OF_A_CLIENT_SHIFTED("lease", "mutual-exclusion", "ttl-expiry") {
      @Override
      void apply(Bench bench) {
        // All that one tenure's holder recorded from its grant on comes later than it was.
        Tenure tenure = bench.releasedAndFollowed();
        Call release = bench.release(tenure);
        long shift = bench.next(tenure.acquire()).completedAt() - release.invokedAt() + 1;
        bench.remove(release);
        bench.addCall(release, release.invokedAt() + shift, release.completedAt() + shift);
      }
    },
    RELEASE_OF_ANOTHERS_LOCK("lease") {
      @Override
      void apply(Bench bench) {
        Tenure tenure = bench.releasedAndFollowed();
        Call release = bench.release(tenure);
        Call next = bench.next(tenure.acquire());
        bench.addCall(release, next.completedAt() + 1, next.completedAt() + 2);
      }
    },
    DROPPED_GRANT("lease") {
      @Override
      void apply(Bench bench) {
        bench.remove(bench.releasedAndFollowed(bench::wasAlwaysAnswered).acquire());
      }
    },
    RENEWAL_AFTER_THE_RELEASE("lease", "renewal") {
      @Override
      void apply(Bench bench) {
        Tenure tenure = bench.releasedAndFollowed();
        Call release = bench.release(tenure);
        bench.addRenewal(tenure, release.completedAt() + 1);
      }
    },
    RENEWAL_AFTER_THE_LOSS("renewal") {
      @Override
      void apply(Bench bench) {
        Tenure tenure = bench.lost();
        bench.addRenewal(tenure, Objects.requireNonNull(tenure.loss()).time() + 1);
      }
    },
    RENEWAL_AFTER_THE_TAKEOVER("lease", "renewal", "mutual-exclusion") {
      @Override
      void apply(Bench bench) {
        Tenure tenure = bench.takenOver();
        bench.addRenewal(tenure, bench.next(tenure.acquire()).completedAt() + 1);
      }
    },
    DROPPED_LOSS_NOTICE("loss-notice") {
      @Override
      void apply(Bench bench) {
        Operation loss = Objects.requireNonNull(bench.lost().loss());
        assertThat(bench.operations.remove(loss)).isTrue();
      }
    },
    LATE_LOSS_NOTICE("loss-notice") {
      @Override
      void apply(Bench bench) {
        Tenure tenure = bench.lost();
        Operation loss = Objects.requireNonNull(tenure.loss());
        bench.operations.remove(loss);
        bench.add(loss, bench.next(tenure.acquire()).completedAt() + 1);
      }
    },
    NO_RENEWALS("coverage") {
      @Override
      void apply(Bench bench) {
        bench.operations.removeIf(operation -> operation.f().equals(Vocabulary.RENEW));
      }
    },
    NO_NEMESIS("coverage") {
      @Override
      void apply(Bench bench) {
        bench.operations.removeIf(Operation::isNemesis);
      }
    },
    UNANSWERED("availability") {
      @Override
      void apply(Bench bench) {
        bench.operations.removeIf(
            operation ->
                operation.f().equals(Vocabulary.ACQUIRE)
                    && operation.type() != Operation.Type.INVOKE
                    && operation.index() > OPERATIONS / 4);
        bench.operations.removeIf(
            operation ->
                operation.index() > OPERATIONS / 4 && !operation.f().equals(Vocabulary.ACQUIRE));
        bench.giveProcessesAnew();
      }
    };

    private final String foundBy;

    Corruption(String... foundBy) {
      this.foundBy = String.join(",", foundBy);
    }

    abstract void apply(Bench bench);
  }

  private static boolean isGrant(Call call) {
    return call.f().equals(Vocabulary.ACQUIRE) && call.isOk();
  }

  /** A history on which one works. */
  private static final class Bench {
    final List<Operation> operations;
    private final History history;
    private final List<Tenure> tenures;
    private final SplittableRandom random;

    /** By the index of an acquisition: who had the lock next. */
    private final Map<Long, Tenure> followers = new HashMap<>();

    private long processes = 1_000_000;

    Bench(History history, SplittableRandom random) {
      this.history = history;
      this.operations = new ArrayList<>(history.operations());
      this.tenures = Tenure.of(history);
      this.random = random;
      for (List<Tenure> ofLock : Tenure.byLock(tenures).values()) {
        for (int i = 0; i + 1 < ofLock.size(); i++) {
          followers.put(ofLock.get(i).acquire().invocation().index(), ofLock.get(i + 1));
        }
      }
    }

    History result() {
      operations.sort(Comparator.comparingLong(Operation::time));
      operations.replaceAll(
          new UnaryOperator<>() {
            private long index;

            @Override
            public Operation apply(Operation operation) {
              return operation.withIndex(index++);
            }
          });
      return History.of(operations);
    }

    private <T> T pick(List<T> all) {
      assertThat(all).isNotEmpty();
      return all.get(random.nextInt(all.size()));
    }

    Call any(Predicate<Call> which) {
      return pick(history.calls().stream().filter(which).toList());
    }

    private @Nullable Tenure follower(Call grant) {
      return followers.get(grant.invocation().index());
    }

    /** Returns whether no grant to its holder can be but supposed. */
    boolean wasAlwaysAnswered(Tenure tenure) {
      return history.calls().stream()
          .filter(call -> call.client().equals(tenure.client()))
          .allMatch(call -> call.isOk() || call.isFailed());
    }

    /**
     * Returns whether another client has it next, which had been waiting before this one was
     * answered.
     */
    boolean isFollowed(Call grant) {
      Tenure next = follower(grant);
      return next != null
          && !next.client().equals(grant.client())
          && next.acquire().invokedAt() < grant.completedAt();
    }

    Call next(Call grant) {
      return Objects.requireNonNull(follower(grant)).acquire();
    }

    Call release(Tenure tenure) {
      return Objects.requireNonNull(tenure.release());
    }

    /** A tenure that was released at once, after which another client had it. */
    Tenure releasedAndFollowed() {
      return releasedAndFollowed(tenure -> true);
    }

    Tenure releasedAndFollowed(Predicate<Tenure> which) {
      return pick(
          tenures.stream()
              .filter(which)
              .filter(
                  tenure -> {
                    Tenure next = follower(tenure.acquire());
                    return tenure.release() != null
                        && tenure.release().isOk()
                        && tenure.renewals().isEmpty()
                        && next != null
                        && !next.client().equals(tenure.client())
                        && next.release() != null
                        && next.grantedAt() + 5 < next.release().invokedAt()
                        && next.grantedAt() - tenure.grantedAt() < 500_000_000;
                  })
              .toList());
    }

    /** A tenure that ended by itself, after which another client had it. */
    Tenure takenOver() {
      return pick(
          tenures.stream()
              .filter(
                  tenure -> {
                    Tenure next = follower(tenure.acquire());
                    return tenure.release() == null
                        && tenure.loss() == null
                        && next != null
                        && next.grantedAt() > tenure.grantedAt() + 500_000_000;
                  })
              .toList());
    }

    /** A tenure whose holder was notified of its loss, and went on, while another client had it. */
    Tenure lost() {
      return pick(
          tenures.stream()
              .filter(tenure -> tenure.loss() != null && follower(tenure.acquire()) != null)
              .filter(
                  tenure ->
                      operations.stream()
                          .anyMatch(
                              operation ->
                                  operation.client().equals(tenure.client())
                                      && operation.time()
                                          > next(tenure.acquire()).completedAt() + 10))
              .toList());
    }

    @Nullable Call laterWrite(Call write) {
      return history.calls().stream()
          .filter(call -> call.f().equals("write") && call.isOk())
          .filter(call -> call.lock().equals(write.lock()))
          .filter(call -> call.fence().orElseThrow() > write.fence().orElseThrow())
          .findFirst()
          .orElse(null);
    }

    void remove(Call call) {
      operations.remove(call.invocation());
      operations.remove(Objects.requireNonNull(call.completion()));
    }

    void add(Operation operation, long time) {
      operations.add(with(operation, time, operation.process(), operation.value()));
    }

    void addCall(Call call, long from, long to) {
      long process = processes++;
      Operation completion = Objects.requireNonNull(call.completion());
      operations.add(with(call.invocation(), from, process, call.invocation().value()));
      operations.add(with(completion, to, process, completion.value()));
    }

    void addRenewal(Tenure tenure, long from) {
      Map<String, Object> value = new LinkedHashMap<>();
      value.put("lock", tenure.lock());
      value.put("client", tenure.client());
      value.put("fence", tenure.acquire().fence().orElseThrow());
      long process = processes++;
      operations.add(
          new Operation(-1, from, Operation.Type.INVOKE, process, Vocabulary.RENEW, value));
      operations.add(
          new Operation(-1, from + 1, Operation.Type.OK, process, Vocabulary.RENEW, value));
    }

    /** Puts another answer's value in the place of a call's, and its holder's name. */
    void replace(Call call, @Nullable Operation answer, long time) {
      Operation own = Objects.requireNonNull(call.completion());
      Map<String, Object> value = new LinkedHashMap<>(own.value());
      value.putAll(Objects.requireNonNull(answer).value());
      value.put("client", call.client());
      operations.remove(own);
      operations.add(with(own, time, own.process(), value));
    }

    /** Gives a grant, and all that was done with it, another fence. */
    void refence(Call grant, long fence) {
      long old = grant.fence().orElseThrow();
      operations.replaceAll(
          operation ->
              operation.lock().equals(grant.lock())
                      && operation.client().equals(grant.client())
                      && operation.number("fence").orElse(-1) == old
                  ? with(
                      operation,
                      operation.time(),
                      operation.process(),
                      fenced(operation.value(), fence))
                  : operation);
    }

    private static Map<String, Object> fenced(Map<String, Object> value, long fence) {
      Map<String, Object> changed = new LinkedHashMap<>(value);
      changed.put("fence", fence);
      return changed;
    }

    /** Since those that were never answered go on under another process. */
    void giveProcessesAnew() {
      operations.replaceAll(
          operation ->
              operation.type() == Operation.Type.INVOKE && operation.index() > OPERATIONS / 4
                  ? with(operation, operation.time(), processes++, operation.value())
                  : operation);
    }

    private static Operation with(
        Operation operation, long time, long process, Map<String, Object> value) {
      return new Operation(
          operation.index(), time, operation.type(), process, operation.f(), value);
    }
  }

  private static History sample(long seed) {
    List<Operation> operations = new ArrayList<>();
    SampleHistory.make(OPERATIONS, 3, seed, operations::add);
    return History.of(operations);
  }

  @Test
  void check_historyThatIsRight_isValid() {
    for (long seed = 1; seed <= SEEDS; seed++) {
      History history = sample(seed);
      CHECKERS.forEach(
          (name, checker) ->
              assertThat(checker.check(history))
                  .as(name)
                  .extracting(Result::verdict)
                  .isEqualTo(Verdict.VALID));
    }
  }

  @ParameterizedTest
  @EnumSource(Corruption.class)
  void check_historyWithACorruption_isInvalid(Corruption corruption) {
    for (long seed = 1; seed <= SEEDS; seed++) {
      Bench bench = new Bench(sample(seed), new SplittableRandom(seed));
      corruption.apply(bench);
      History corrupted = bench.result();
      for (String name : corruption.foundBy.split(",", -1)) {
        Result result = Objects.requireNonNull(CHECKERS.get(name)).check(corrupted);
        assertThat(result.verdict())
            .as("%s by %s, seed %d: %s", corruption, name, seed, result)
            .isEqualTo(Verdict.INVALID);
      }
    }
  }
}
