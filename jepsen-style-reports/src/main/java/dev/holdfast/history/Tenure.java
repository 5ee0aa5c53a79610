package dev.holdfast.history;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * One grant of a lock and what became of it.
 *
 * @param acquire the call that was granted
 * @param confirmations the renewals and beliefs that have not failed, in order of their invocations
 * @param release the first call that gave the lock back, whatever the answer; {@code null} if there
 *     was none
 * @param loss the first notice that the lease had ended by itself; {@code null} if there was none
 * @param held when the client <em>certainly</em> held the lock, see {@link #of}; in order of time,
 *     without overlap
 */
public record Tenure(
    Call acquire,
    List<Call> confirmations,
    @Nullable Call release,
    @Nullable Operation loss,
    List<Span> held) {

  /**
   * A span of time.
   *
   * @param fromNanos its beginning
   * @param toNanos its end, later than its beginning; {@link Long#MAX_VALUE} if it never ended
   */
  public record Span(long fromNanos, long toNanos) {}

  /**
   * Two clients that held one lock at the same time.
   *
   * @param first who had it earlier
   * @param second who was granted it while the first still held it
   * @param fromNanos when both began to hold it
   * @param toNanos when the first of them ceased to
   */
  public record Overlap(Tenure first, Tenure second, long fromNanos, long toNanos) {

    /**
     * Names who had it earlier: the client; its process too, where both are of one client.
     *
     * @return for example {@code c1}, or {@code c1 (process 3)}
     */
    public String firstHolder() {
      return holder(first, second);
    }

    /**
     * Names who was granted it while the first still held it, as {@link #firstHolder} does.
     *
     * @return for example {@code c2}, or {@code c1 (process 7)}
     */
    public String secondHolder() {
      return holder(second, first);
    }

    private static String holder(Tenure tenure, Tenure other) {
      String process = "process " + tenure.acquire().invocation().process();
      return tenure.client().equals(other.client()) && !tenure.client().equals(process)
          ? tenure.client() + " (" + process + ")"
          : tenure.client();
    }

    /**
     * Says in words what happened.
     *
     * @return a sentence without its full stop
     */
    public String describe() {
      return String.format(
          "%s and %s both held lock \"%s\" from %s to %s",
          firstHolder(),
          secondHolder(),
          first.lock(),
          Formats.seconds(fromNanos),
          Formats.seconds(toNanos));
    }
  }

  /**
   * Finds the tenures of a history.
   *
   * <p>A client certainly holds a lock from the answer to its acquire until the earliest of: it
   * asked to release it; it was told that it had lost it; its lease ended. The lease ends at the
   * {@link Vocabulary#UNTIL} of the last answered acquire, renew or belief; where that is absent, a
   * {@link Vocabulary#TTL} after the call was made; where that is absent too, never. A renewal
   * granted after the lease had ended begins a second span. What may have been held, but was never
   * known to its holder to be so, does not count.
   *
   * <p>Renewals, beliefs, releases and notices belong to the grant of the same lock, client and
   * fence; one without a fence to the last grant before it.
   *
   * @param history the history
   * @return the tenures in order of the answers that granted them
   */
  public static List<Tenure> of(History history) {
    return history.tenures();
  }

  /** Does the work of {@link #of}, once for each history. */
  static List<Tenure> find(History history) {
    List<Builder> builders = new ArrayList<>();
    for (Call call : history.calls()) {
      if (call.f().equals(Vocabulary.ACQUIRE) && call.isOk()) {
        builders.add(new Builder(call));
      }
    }
    builders.sort(Comparator.comparingLong(builder -> builder.acquire.completedAt()));
    Map<List<Object>, TreeMap<Long, Builder>> grants = new HashMap<>();
    for (Builder each : builders) {
      Call call = each.acquire;
      grants
          .computeIfAbsent(key(call.invocation(), OptionalLong.empty()), k -> new TreeMap<>())
          .put(call.completedAt(), each);
      grants
          .computeIfAbsent(key(call.invocation(), call.fence()), k -> new TreeMap<>())
          .putIfAbsent(call.completedAt(), each);
    }
    for (Call call : history.calls()) {
      if (isConfirmation(call.f()) && !call.isFailed()) {
        Builder owner = find(grants, call.invocation(), call.fence());
        if (owner != null) {
          owner.confirmations.add(call);
        }
      } else if (call.f().equals(Vocabulary.RELEASE)) {
        Builder owner = find(grants, call.invocation(), call.fence());
        if (owner != null && owner.release == null) {
          owner.release = call;
        }
      } else if (isLoss(call.f()) && !call.isFailed()) {
        lose(grants, call.invocation());
      }
    }
    for (Operation notice : history.notices()) {
      if (isLoss(notice.f())) {
        lose(grants, notice);
      }
    }
    return builders.stream().map(Builder::build).toList();
  }

  /**
   * Finds the pairs of tenures of one lock that certainly overlap, each second one with the
   * latest-ending one before it.
   *
   * @param tenures the tenures of a history
   * @return the overlaps in order of lock and time; empty if exclusion held
   */
  public static List<Overlap> overlaps(List<Tenure> tenures) {
    record Piece(Tenure tenure, Span span) {}
    Map<String, List<Piece>> pieces = new TreeMap<>();
    for (Tenure tenure : tenures) {
      for (Span span : tenure.held) {
        pieces.computeIfAbsent(tenure.lock(), k -> new ArrayList<>()).add(new Piece(tenure, span));
      }
    }
    List<Overlap> overlaps = new ArrayList<>();
    for (List<Piece> ofLock : pieces.values()) {
      ofLock.sort(Comparator.comparingLong(piece -> piece.span.fromNanos));
      Piece latest = ofLock.get(0);
      for (Piece next : ofLock.subList(1, ofLock.size())) {
        long until = Math.min(latest.span.toNanos, next.span.toNanos);
        if (next.span.fromNanos < until) {
          overlaps.add(new Overlap(latest.tenure, next.tenure, next.span.fromNanos, until));
        }
        latest = next.span.toNanos > latest.span.toNanos ? next : latest;
      }
    }
    return overlaps;
  }

  /**
   * Sorts tenures into those of each lock, in the order in which they were granted: by fence where
   * all have one and that agrees with the times, else by the times of the answers.
   *
   * @param tenures the tenures of a history
   * @return the tenures by lock
   */
  public static Map<String, List<Tenure>> byLock(List<Tenure> tenures) {
    Map<String, List<Tenure>> byLock = new TreeMap<>();
    for (Tenure tenure : tenures) {
      byLock.computeIfAbsent(tenure.lock(), k -> new ArrayList<>()).add(tenure);
    }
    byLock.replaceAll((lock, ofLock) -> inOrder(ofLock));
    return byLock;
  }

  private static List<Tenure> inOrder(List<Tenure> byTime) {
    if (byTime.stream().anyMatch(tenure -> tenure.acquire.fence().isEmpty())) {
      return byTime;
    }
    List<Tenure> byFence = new ArrayList<>(byTime);
    byFence.sort(Comparator.comparingLong(tenure -> tenure.acquire.fence().orElseThrow()));
    long lastAsked = Long.MIN_VALUE;
    for (Tenure tenure : byFence) {
      lastAsked = Math.max(lastAsked, tenure.acquire.invokedAt());
      if (tenure.grantedAt() < lastAsked) {
        return byTime;
      }
    }
    return byFence;
  }

  /**
   * Returns the renewals among the {@link #confirmations}.
   *
   * @return those that have not failed, in order of their invocations
   */
  public List<Call> renewals() {
    return confirmations.stream().filter(call -> call.f().equals(Vocabulary.RENEW)).toList();
  }

  /**
   * Returns the lock.
   *
   * @return its name
   */
  public String lock() {
    return acquire.lock();
  }

  /**
   * Returns who held it.
   *
   * @return the client
   */
  public String client() {
    return acquire.client();
  }

  /**
   * Returns when its holder was told that it had it.
   *
   * @return the time of the answer to the acquire
   */
  public long grantedAt() {
    return acquire.completedAt();
  }

  /**
   * Tells whether its client certainly held the lock at a certain time.
   *
   * @param nanos the time
   * @return whether one of the spans of {@link #held} covers it
   */
  public boolean isHeldAt(long nanos) {
    return held.stream().anyMatch(span -> span.fromNanos <= nanos && nanos < span.toNanos);
  }

  /**
   * Tells whether it may have been released by a certain time.
   *
   * @param nanos the time
   * @return whether a release was asked for by then
   */
  public boolean isReleasedBy(long nanos) {
    return release != null && release.invokedAt() <= nanos;
  }

  /**
   * Returns until when its holder could count on it, had it neither released it nor been notified
   * of a loss.
   *
   * @return when the last lease that was granted or renewed ends, in nanoseconds; {@link
   *     Long#MAX_VALUE} if that is not known
   */
  public long validUntil() {
    long until = leaseEnd(acquire, acquire);
    for (Call call : confirmations) {
      until = call.isOk() ? Math.max(until, leaseEnd(acquire, call)) : until;
    }
    return until;
  }

  private static long leaseEnd(Call acquire, Call call) {
    OptionalLong until =
        call.completion() == null
            ? OptionalLong.empty()
            : call.completion().number(Vocabulary.UNTIL);
    if (until.isPresent()) {
      return until.getAsLong();
    }
    OptionalLong ttl = call.number(Vocabulary.TTL);
    if (ttl.isEmpty()) {
      ttl = acquire.number(Vocabulary.TTL);
    }
    return ttl.isEmpty()
        ? Long.MAX_VALUE
        : Formats.plus(call.invokedAt(), TimeUnit.MILLISECONDS.toNanos(ttl.getAsLong()));
  }

  private static boolean isConfirmation(String f) {
    return f.equals(Vocabulary.RENEW) || f.equals(Vocabulary.BELIEF);
  }

  private static boolean isLoss(String f) {
    return f.equals(Vocabulary.LOST) || f.equals(Vocabulary.EXPIRE);
  }

  private static void lose(Map<List<Object>, TreeMap<Long, Builder>> grants, Operation notice) {
    Builder owner = find(grants, notice, notice.number(Vocabulary.FENCE));
    if (owner != null && (owner.loss == null || notice.time() < owner.loss.time())) {
      owner.loss = notice;
    }
  }

  private static @Nullable Builder find(
      Map<List<Object>, TreeMap<Long, Builder>> grants, Operation operation, OptionalLong fence) {
    TreeMap<Long, Builder> candidates = grants.get(key(operation, fence));
    if (candidates == null) {
      return null;
    }
    var before = candidates.floorEntry(operation.time());
    // A loss may be told on another thread before the grant has been written down.
    return before != null
        ? before.getValue()
        : fence.isPresent() ? candidates.firstEntry().getValue() : null;
  }

  private static List<Object> key(Operation operation, OptionalLong fence) {
    return fence.isPresent()
        ? List.of(operation.lock(), operation.client(), fence.getAsLong())
        : List.of(operation.lock(), operation.client());
  }

  private static final class Builder {

    final Call acquire;
    final List<Call> confirmations = new ArrayList<>();
    @Nullable Call release;
    @Nullable Operation loss;

    Builder(Call acquire) {
      this.acquire = acquire;
    }

    Tenure build() {
      long stop = release == null ? Long.MAX_VALUE : release.invokedAt();
      if (loss != null) {
        stop = Math.min(stop, loss.time());
      }
      List<Call> confirmed = new ArrayList<>(confirmations);
      confirmed.removeIf(call -> !call.isOk());
      confirmed.sort(Comparator.comparingLong(Call::completedAt));
      List<Span> held = new ArrayList<>();
      long from = acquire.completedAt();
      long to = leaseEnd(acquire, acquire);
      for (Call call : confirmed) {
        long at = call.completedAt();
        if (at > to) {
          addSpan(held, from, Math.min(to, stop));
          from = at;
        }
        to = Math.max(at, leaseEnd(acquire, call));
      }
      addSpan(held, from, Math.min(to, stop));
      return new Tenure(acquire, List.copyOf(confirmations), release, loss, List.copyOf(held));
    }

    private static void addSpan(List<Span> held, long from, long to) {
      if (from < to) {
        held.add(new Span(from, to));
      }
    }
  }
}
