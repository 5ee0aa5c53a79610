package dev.holdfast.history.check;

import dev.holdfast.history.Formats;
import dev.holdfast.history.Vocabulary;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A sequential specification: a first state, and for each state and operation the next state, or
 * null if the operation cannot happen then. States are immutable and compare by value. Stateless,
 * thread-safe.
 */
interface Model {
  /** The names of all models, as users write them. */
  List<String> NAMES =
      List.of(
          "mutex",
          "owner-mutex",
          "reentrant-mutex:N",
          "fenced-mutex",
          "semaphore:N",
          "lease",
          "register",
          "cas-register");

  /** The operations of a mutex or semaphore. */
  Set<String> OF_MUTEXES = Set.of(Vocabulary.ACQUIRE, Vocabulary.RELEASE);

  /** The state at the beginning. */
  Object initial();

  /** The state after that operation, or null. */
  @Nullable Object next(Object state, Step step);

  /**
   * The state after the lease that is held has ended by itself.
   *
   * @param latest when that must have happened
   * @return null if no lease is held, or the one that is held cannot have ended by then
   */
  default @Nullable Object afterExpiry(Object state, long latest) {
    return null;
  }

  /** Returns whether leases end by themselves. */
  default boolean hasExpiry() {
    return false;
  }

  /** The operations that the object has. */
  Set<String> operations();

  /**
   * Returns what cannot be in any order, if that is seen at a glance: in time near-linear in the
   * number of operations.
   *
   * @param steps what happened, or may have, in order of the invocations
   * @return why there is no order, as the end of a sentence; null if that is not seen
   */
  @Nullable String contradiction(List<Step> steps);

  /**
   * The model of that name.
   *
   * @throws IllegalArgumentException if there is none, with the names that there are
   */
  static Model named(String name) {
    Matcher sized = Pattern.compile("(reentrant-mutex|semaphore):([1-9]\\d{0,8})").matcher(name);
    if (sized.matches()) {
      int n = Integer.parseInt(sized.group(2));
      return sized.group(1).equals("semaphore") ? semaphore(n) : reentrant(n);
    }
    Map<String, Supplier<Model>> others =
        Map.of(
            "mutex", () -> semaphore(1),
            "owner-mutex", () -> reentrant(1),
            "fenced-mutex", () -> new Fenced(false),
            "lease", () -> new Fenced(true),
            "register", () -> register(false),
            "cas-register", () -> register(true));
    Supplier<Model> model = others.get(name);
    if (model == null) {
      throw new IllegalArgumentException(
          "there is no model \"" + name + "\"; there are " + String.join(", ", NAMES));
    }
    return model.get();
  }

  private static Model of(
      Object initial,
      Set<String> operations,
      Function<List<Step>, @Nullable String> contradiction,
      BiFunction<Object, Step, @Nullable Object> next) {
    return new Model() {
      @Override
      public Object initial() {
        return initial;
      }

      @Override
      public @Nullable Object next(Object state, Step step) {
        return next.apply(state, step);
      }

      @Override
      public Set<String> operations() {
        return operations;
      }

      @Override
      public @Nullable String contradiction(List<Step> steps) {
        return contradiction.apply(steps);
      }
    };
  }

  /** At most N permits are held. With one, a mutex that any client may release. */
  private static Model semaphore(int permits) {
    return of(
        0,
        OF_MUTEXES,
        steps -> Contradictions.ofCounts(steps, permits, false),
        (state, step) -> {
          int out = (Integer) state;
          return switch (step.f()) {
            case Vocabulary.ACQUIRE -> out < permits ? (Object) (out + 1) : null;
            case Vocabulary.RELEASE -> out > 0 ? (Object) (out - 1) : null;
            default -> throw unknown(step);
          };
        });
  }

  /** The holder, and how often it holds it. */
  record Hold(String owner, int times) {
    @Override
    public String toString() {
      return times == 0 ? "free" : "held by " + owner + (times == 1 ? "" : " " + times + " times");
    }
  }

  /** One client holds it at a time, at most N times, and only that one releases it. */
  private static Model reentrant(int most) {
    return of(
        new Hold("", 0),
        OF_MUTEXES,
        steps -> Contradictions.ofCounts(steps, most, true),
        (state, step) -> {
          Hold hold = (Hold) state;
          boolean own = hold.times > 0 && hold.owner.equals(step.client());
          return switch (step.f()) {
            case Vocabulary.ACQUIRE ->
                hold.times == 0 || (own && hold.times < most)
                    ? new Hold(step.client(), hold.times + 1)
                    : null;
            case Vocabulary.RELEASE ->
                !own
                    ? null
                    : hold.times == 1 ? new Hold("", 0) : new Hold(hold.owner, hold.times - 1);
            default -> throw unknown(step);
          };
        });
  }

  /**
   * The time for which a grant lasts if nothing ends it earlier.
   *
   * @param since when its acquisition was invoked
   * @param ttl the acquisition's TTL; {@link Step#NONE} if it is not known
   * @param renewed when its last renewal was invoked, or its acquisition
   * @param end from when on it may have ended
   */
  record Lease(long since, long ttl, long renewed, long end) {
    /** Of all grants of a mutex that has no leases, which are so told apart by tokens alone. */
    static final Lease ENDLESS =
        new Lease(Long.MIN_VALUE, Step.NONE, Long.MIN_VALUE, Long.MAX_VALUE);

    static Lease of(Step acquire) {
      return new Lease(
          acquire.from(), acquire.ttl(), acquire.from(), acquire.leaseEnd(acquire.ttl()));
    }

    /** Of renewals that overlap in time, the one that was invoked last decides, in any order. */
    Lease renewedBy(Step renewal) {
      return renewal.from() < renewed
          ? this
          : new Lease(since, ttl, renewal.from(), renewal.leaseEnd(ttl));
    }
  }

  /**
   * The holder and its token.
   *
   * @param owner null if nobody does
   * @param fence of the owner's grant; null if it was not told
   * @param highest of all grants
   * @param lease how long the owner's grant lasts
   * @param supposed whether nothing that was answered shows that there was this grant
   */
  record Tenancy(
      @Nullable String owner, @Nullable Long fence, long highest, Lease lease, boolean supposed) {

    /** That nobody holds it. */
    static Tenancy free(long highest) {
      return new Tenancy(null, null, highest, Lease.ENDLESS, false);
    }

    @Override
    public String toString() {
      String holder = owner == null ? "free" : "held by " + owner;
      return holder
          + (owner == null ? "" : fence == null ? " with an unknown fence" : " with fence " + fence)
          + (lease.end == Long.MAX_VALUE ? "" : " until " + Formats.seconds(lease.end))
          + (highest == Long.MIN_VALUE ? "" : " (highest fence " + highest + ")");
    }
  }

  /**
   * A mutex whose grants have rising tokens; as a lease, it may also end by itself.
   *
   * <p>Which grant it is that a renewal, a release or a loss is about is not looked for beforehand:
   * it is the one that its client holds when it takes effect. So where several threads share a
   * client and no token tells, the search tries whatever there may have been.
   *
   * <p>A grant that is only supposed is released or ends only when something answered has shown it:
   * without that, neither it nor its end need have happened, and to try all sets of such pairs
   * would take exponential time.
   */
  record Fenced(boolean hasExpiry) implements Model {
    private static final Set<String> OF_FENCED =
        Set.of(Vocabulary.ACQUIRE, Vocabulary.RENEW, Vocabulary.BELIEF, Vocabulary.RELEASE);
    private static final Set<String> OF_LEASES =
        Set.of(
            Vocabulary.ACQUIRE,
            Vocabulary.RENEW,
            Vocabulary.BELIEF,
            Vocabulary.RELEASE,
            Vocabulary.LOST,
            Vocabulary.EXPIRE);

    @Override
    public Object initial() {
      return Tenancy.free(Long.MIN_VALUE);
    }

    @Override
    public Set<String> operations() {
      return hasExpiry ? OF_LEASES : OF_FENCED;
    }

    @Override
    public @Nullable String contradiction(List<Step> steps) {
      String fences = Contradictions.ofFences(steps);
      return fences != null
          ? fences
          : Contradictions.ofCounts(steps, hasExpiry ? Integer.MAX_VALUE : 1, true);
    }

    @Override
    public @Nullable Object next(Object state, Step step) {
      Tenancy tenancy = (Tenancy) state;
      Long fence = step.fence();
      boolean rises = fence == null || fence > tenancy.highest;
      // A grant of which no answer told has some token; it may be the one that this answer names.
      boolean own =
          step.client().equals(tenancy.owner)
              && (fence == null || (tenancy.fence == null ? rises : fence.equals(tenancy.fence)));
      long highest = fence == null ? tenancy.highest : Math.max(fence, tenancy.highest);
      return switch (step.f()) {
        case Vocabulary.ACQUIRE ->
            tenancy.owner == null && rises
                ? new Tenancy(
                    step.client(),
                    fence,
                    highest,
                    hasExpiry ? Lease.of(step) : Lease.ENDLESS,
                    step.open())
                : null;
        case Vocabulary.RELEASE ->
            own && !(tenancy.supposed && step.open()) ? Tenancy.free(highest) : null;
        // A belief shows that the lease lasted, as the answer to a renewal does.
        case Vocabulary.RENEW, Vocabulary.BELIEF -> own ? renewed(tenancy, step, highest) : null;
        case Vocabulary.LOST, Vocabulary.EXPIRE -> {
          if (step.open()) {
            boolean mayBeIt = own && !tenancy.supposed && tenancy.lease.since <= step.to();
            yield mayBeIt ? Tenancy.free(highest) : null;
          }
          // One that comes late ends nobody else's lease. Without a token it may come late, too.
          boolean isIt = own && fence != null && fence.equals(tenancy.fence);
          yield isIt ? Tenancy.free(highest) : tenancy;
        }
        default -> throw unknown(step);
      };
    }

    private Tenancy renewed(Tenancy tenancy, Step step, long highest) {
      return new Tenancy(
          tenancy.owner,
          tenancy.fence == null ? step.fence() : tenancy.fence,
          highest,
          hasExpiry && !step.open() ? tenancy.lease.renewedBy(step) : tenancy.lease,
          tenancy.supposed && step.open());
    }

    @Override
    public @Nullable Object afterExpiry(Object state, long latest) {
      Tenancy tenancy = (Tenancy) state;
      boolean mayHaveEnded =
          hasExpiry && tenancy.owner != null && !tenancy.supposed && tenancy.lease.end <= latest;
      return mayHaveEnded ? Tenancy.free(tenancy.highest) : null;
    }
  }

  /** The content of a register. */
  record Content(@Nullable Object value) {
    @Override
    public String toString() {
      return value == null ? "nil" : value.toString();
    }
  }

  /** Holds a value, at first none. */
  private static Model register(boolean hasCas) {
    return of(
        new Content(null),
        hasCas ? Set.of("read", "write", "cas") : Set.of("read", "write"),
        Contradictions::ofValues,
        (state, step) -> {
          Content content = (Content) state;
          return switch (step.f()) {
            // One whose answer was not told says nothing.
            case "read" ->
                step.open() || Objects.equals(step.result(), content.value) ? state : null;
            case "write" -> new Content(step.argument());
            case "cas" -> {
              if (!hasCas || !(step.argument() instanceof List<?> pair) || pair.size() != 2) {
                throw unknown(step);
              }
              yield Objects.equals(pair.get(0), content.value) ? new Content(pair.get(1)) : null;
            }
            default -> throw unknown(step);
          };
        });
  }

  private static IllegalArgumentException unknown(Step step) {
    return new IllegalArgumentException("the model does not know " + step.call().describe());
  }
}
