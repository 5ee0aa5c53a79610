package dev.holdfast.chaos.sim;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.PriorityQueue;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Time, chance, and what is to happen: one queue of events in the order of their times, and of
 * their scheduling where times are equal. Not thread-safe: all of a run is in one thread.
 */
final class Simulation {
  static final long MILLI = 1_000_000;
  static final long SECOND = 1_000 * MILLI;

  /** More events than this at one moment are an endless loop. */
  private static final long MAX_AT_ONCE = 100_000;

  /* FNV-1a with 64 bits. */
  private static final long HASH_START = 0xcbf29ce484222325L;
  private static final long HASH_PRIME = 0x100000001b3L;

  private final PriorityQueue<Event> events = new PriorityQueue<>();
  private final SplittableRandom random;
  private final boolean keepsTrace;
  private final Set<InvariantViolation.Invariant> checkedInvariants;
  private final List<String> trace = new ArrayList<>();
  private Runnable afterEach = () -> {};
  private @Nullable RuntimeException failure;
  private long now;
  private long scheduled;
  private long done;

  /** The number of events before time last advanced. */
  private long doneThen;

  private long hash = HASH_START;

  private record Event(long at, long order, Runnable task, BooleanSupplier over)
      implements Comparable<Event> {
    @Override
    public int compareTo(Event other) {
      return at != other.at ? Long.compare(at, other.at) : Long.compare(order, other.order);
    }
  }

  /**
   * A run that has not begun.
   *
   * @param checkedInvariants which invariants are to hold
   * @param keepsTrace whether what happens is kept as text; its hash is kept in any case
   */
  Simulation(long seed, Set<InvariantViolation.Invariant> checkedInvariants, boolean keepsTrace) {
    this.checkedInvariants = checkedInvariants;
    this.random = new SplittableRandom(seed);
    this.keepsTrace = keepsTrace;
  }

  /** True time since the start, in nanoseconds. */
  long now() {
    return now;
  }

  /** Returns how many events have happened. */
  long eventsDone() {
    return done;
  }

  /**
   * Returns a separate random source for one component, so that another's draws change nothing in
   * it.
   */
  SplittableRandom fork() {
    return random.split();
  }

  /** Schedules an event, a delay of nanoseconds from now. */
  void after(long delay, Runnable task) {
    after(delay, task, () -> false);
  }

  /**
   * Schedules an event that may become pointless.
   *
   * @param over whether it would do nothing any more, and for good
   */
  void after(long delay, Runnable task, BooleanSupplier over) {
    events.add(new Event(now + Math.max(0, delay), scheduled++, task, over));
  }

  /** Has this done after each event. */
  void afterEach(Runnable check) {
    afterEach = check;
  }

  /**
   * Notes that an invariant does not hold, which ends the run after this event. It is not thrown
   * here: who calls may be the library, which lets no exception of a callback through.
   */
  void violated(InvariantViolation.Invariant invariant, String message) {
    if (failure == null && checkedInvariants.contains(invariant)) {
      failure = new InvariantViolation(invariant, message);
    }
  }

  /** A task of the simulation itself has ended; if it failed, that ends the run too. */
  void ended(@Nullable Object result, @Nullable Throwable cause) {
    if (failure == null && cause != null) {
      failure = new IllegalStateException("the simulation is broken", cause);
    }
  }

  /**
   * Ends the run if something was noted that must not be.
   *
   * @throws InvariantViolation if an invariant does not hold
   */
  void check() {
    if (failure != null) {
      throw failure;
    }
  }

  /**
   * Lets all happen that is due until then.
   *
   * @throws InvariantViolation if an invariant does not hold
   */
  void runUntil(long end) {
    while (!events.isEmpty() && events.element().at <= end) {
      runNext();
    }
    now = Math.max(now, end);
  }

  /** Returns whether anything is still to happen. */
  boolean hasNext() {
    return !events.isEmpty();
  }

  /** Drops events that would do nothing, as far as they are next. */
  void dropPointless() {
    while (!events.isEmpty() && events.element().over.getAsBoolean()) {
      events.remove();
    }
  }

  /** Returns when the next thing is to happen; there must be one. */
  long nextAt() {
    return events.element().at;
  }

  /** Lets time go on, and nothing happen: what is due by then is still to come. */
  void advanceTo(long time) {
    if (time > now) {
      now = time;
      doneThen = done;
    }
  }

  /** Lets the next thing happen, and time go on until then. */
  void runNext() {
    Event event = events.remove();
    advanceTo(event.at);
    if (++done - doneThen > MAX_AT_ONCE) {
      throw new InvariantViolation(
          InvariantViolation.Invariant.BOUNDS, "events go on and on while no time passes");
    }
    event.task.run();
    afterEach.run();
    check();
  }

  /**
   * Notes what happens. Every part of it goes into the hash; the text is only made if a trace wants
   * to read it.
   *
   * @param facts numbers that tell this event from another at the same time
   */
  void log(Supplier<String> text, long... facts) {
    mix(now);
    for (long fact : facts) {
      mix(fact);
    }
    if (keepsTrace) {
      trace.add(String.format(Locale.ROOT, "%12.6f  %s", now / 1e9, text.get()));
    }
  }

  /** FNV-1a over the bytes of a number (Fowler, Noll, Vo). */
  private void mix(long fact) {
    for (int shift = 0; shift < Long.SIZE; shift += Byte.SIZE) {
      hash = (hash ^ ((fact >>> shift) & 0xff)) * HASH_PRIME;
    }
  }

  /** Returns what happened, as one number. */
  long hash() {
    return hash;
  }

  /** Returns what happened, a line each, oldest first; empty unless it was to be kept. */
  List<String> trace() {
    return trace;
  }
}
