package dev.holdfast.history.check;

import dev.holdfast.history.Vocabulary;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.BiFunction;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What an object may do if one operation happens after the other: a first state, and for each state
 * and operation the next state, or null if the operation cannot happen then. States are immutable
 * and compare by value. Stateless, thread-safe.
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

  /** The state at the beginning. */
  Object initial();

  /** The state after that operation, or null. */
  @Nullable Object next(Object state, Step step);

  /** Whether leases end by themselves, so that their ends belong into the history. */
  default boolean hasExpiry() {
    return false;
  }

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

  private static Model of(Object initial, BiFunction<Object, Step, @Nullable Object> next) {
    return new Model() {
      @Override
      public Object initial() {
        return initial;
      }

      @Override
      public @Nullable Object next(Object state, Step step) {
        return next.apply(state, step);
      }
    };
  }

  /** At most so many permits are out. With one, a mutex that anybody may release. */
  private static Model semaphore(int permits) {
    return of(
        0,
        (state, step) -> {
          int out = (Integer) state;
          return switch (step.f()) {
            case Vocabulary.ACQUIRE -> out < permits ? (Object) (out + 1) : null;
            case Vocabulary.RELEASE -> out > 0 ? (Object) (out - 1) : null;
            default -> throw unknown(step);
          };
        });
  }

  /** Who holds it, and how often. */
  record Hold(String owner, int times) {
    @Override
    public String toString() {
      return times == 0 ? "free" : "held by " + owner + (times == 1 ? "" : " " + times + " times");
    }
  }

  /** One client holds it at a time, at most so many times, and only that one releases it. */
  private static Model reentrant(int most) {
    return of(
        new Hold("", 0),
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
   * Who holds it with which token.
   *
   * @param owner null if nobody does
   * @param fence of the owner's grant; null if it was not told
   * @param highest of all grants
   * @param grant which acquisition it was, where that makes a difference
   * @param supposed whether nothing that was answered shows that there was this grant
   */
  record Tenancy(
      @Nullable String owner, @Nullable Long fence, long highest, int grant, boolean supposed) {
    static final int NO_GRANT = -1;

    /** That nobody holds it. */
    static Tenancy free(long highest) {
      return new Tenancy(null, null, highest, NO_GRANT, false);
    }

    @Override
    public String toString() {
      String holder = owner == null ? "free" : "held by " + owner;
      return holder
          + (owner == null ? "" : fence == null ? " with an unknown fence" : " with fence " + fence)
          + (highest == Long.MIN_VALUE ? "" : " (highest fence " + highest + ")");
    }
  }

  /**
   * A mutex whose grants have rising tokens; as a lease, it may also end by itself.
   *
   * <p>A grant that is only supposed is given back or ends only when something answered has shown
   * it: without that, neither it nor its end need have happened, and to try all sets of such pairs
   * would take for ever.
   */
  record Fenced(boolean hasExpiry) implements Model {
    @Override
    public Object initial() {
      return Tenancy.free(Long.MIN_VALUE);
    }

    @Override
    public @Nullable Object next(Object state, Step step) {
      Tenancy tenancy = (Tenancy) state;
      Long fence = step.fence();
      boolean rises = fence == null || fence > tenancy.highest;
      // A grant of which no answer told has some token; it may be the one that is told of now.
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
                    hasExpiry ? step.grant() : Tenancy.NO_GRANT,
                    step.open())
                : null;
        case Vocabulary.RELEASE ->
            own && !(tenancy.supposed && step.open()) ? Tenancy.free(highest) : null;
        case Vocabulary.RENEW ->
            own
                ? new Tenancy(
                    tenancy.owner,
                    tenancy.fence == null ? fence : tenancy.fence,
                    highest,
                    tenancy.grant,
                    tenancy.supposed && step.open())
                : null;
        // One that comes late ends nobody else's lease.
        case Vocabulary.EXPIRE ->
            (step.isExpiryOf(tenancy.grant) || (own && !step.isDerived()))
                    && !(tenancy.supposed && step.open())
                ? Tenancy.free(highest)
                : tenancy;
        default -> throw unknown(step);
      };
    }
  }

  /** What a register holds. */
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
