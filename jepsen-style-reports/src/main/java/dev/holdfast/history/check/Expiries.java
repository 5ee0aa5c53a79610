package dev.holdfast.history.check;

import dev.holdfast.history.Call;
import dev.holdfast.history.Operation;
import dev.holdfast.history.Vocabulary;
import dev.holdfast.history.Words;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Finds the ends of the leases on one lock that ended by themselves, or may have: one for each
 * acquisition that was not given back with an acknowledgement. Renewals, releases and notices
 * belong to the acquisition of the same client and fence; those without a fence, to the client's
 * last one.
 */
final class Expiries {

  /** An acquisition, and what became of it. */
  private static final class Grant {
    final Step acquire;
    Call last;
    long lostAt = Long.MAX_VALUE;
    boolean isReleased;

    Grant(Step acquire) {
      this.acquire = acquire;
      this.last = acquire.call();
    }

    /** From when on the lease may have ended. */
    long end() {
      OptionalLong until = TtlExpiryChecker.until(last);
      long ttl =
          last.number(Vocabulary.TTL).orElse(acquire.call().number(Vocabulary.TTL).orElse(-1));
      long end;
      if (until.isPresent()) {
        // One that had passed when its answer was recorded does not tell when.
        end = TtlExpiryChecker.wasOver(last) ? last.invokedAt() : until.getAsLong();
      } else {
        end =
            ttl < 0
                ? Long.MAX_VALUE
                : Words.plus(last.invokedAt(), TimeUnit.MILLISECONDS.toNanos(ttl));
      }
      return Math.min(end, lostAt);
    }
  }

  private record Name(String client, @Nullable Long fence) {}

  /**
   * By client and fence, and by client alone: the acquisitions by the times of their invocations.
   */
  private final Map<Name, TreeMap<Long, Grant>> grants = new HashMap<>();

  private final List<Grant> all = new ArrayList<>();

  private Expiries() {}

  /**
   * Finds the ends of leases.
   *
   * @param steps what may have happened to one lock
   * @param notices of that lock
   */
  static List<Step> of(List<Step> steps, List<Operation> notices) {
    Expiries expiries = new Expiries();
    steps.stream().filter(step -> step.f().equals(Vocabulary.ACQUIRE)).forEach(expiries::add);
    for (Step step : steps) {
      Grant grant = expiries.find(step.client(), step.fence(), step.from());
      if (grant != null && !step.open()) {
        if (step.f().equals(Vocabulary.RELEASE)) {
          grant.isReleased = true;
        } else if (step.f().equals(Vocabulary.RENEW) && step.from() >= grant.last.invokedAt()) {
          grant.last = step.call();
        }
      }
    }
    for (Operation notice : notices) {
      if (notice.f().equals(Vocabulary.LOST) || notice.f().equals(Vocabulary.EXPIRE)) {
        OptionalLong fence = notice.number(Vocabulary.FENCE);
        Grant grant =
            expiries.find(
                notice.client(),
                fence.isPresent() ? (Long) fence.getAsLong() : null,
                notice.time());
        if (grant != null) {
          grant.lostAt = Math.min(grant.lostAt, notice.time());
        }
      }
    }
    return expiries.all.stream()
        .filter(grant -> !grant.isReleased)
        .map(grant -> Step.expiry(grant.acquire, grant.end()))
        .toList();
  }

  private void add(Step acquire) {
    Grant grant = new Grant(acquire);
    all.add(grant);
    Name byClient = new Name(acquire.client(), null);
    grants.computeIfAbsent(byClient, n -> new TreeMap<>()).put(acquire.from(), grant);
    if (acquire.fence() != null) {
      Name byFence = new Name(acquire.client(), acquire.fence());
      grants.computeIfAbsent(byFence, n -> new TreeMap<>()).put(acquire.from(), grant);
    }
  }

  private @Nullable Grant find(String client, @Nullable Long fence, long nanos) {
    TreeMap<Long, Grant> candidates = grants.get(new Name(client, fence));
    Map.Entry<Long, Grant> before = candidates == null ? null : candidates.floorEntry(nanos);
    return before == null ? null : before.getValue();
  }
}
