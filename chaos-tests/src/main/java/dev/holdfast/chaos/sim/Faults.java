package dev.holdfast.chaos.sim;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/**
 * Which faults there are in a run, and how often.
 *
 * <p>For faults of messages the rate is the probability for each message; for the others how many
 * there are in a minute of simulated time, on average.
 */
record Faults(Map<FaultKind, Double> rates) {

  private static final Set<FaultKind> WORKLOADS =
      EnumSet.of(FaultKind.BUSY, FaultKind.BRISK, FaultKind.PERMITS, FaultKind.CANDIDATES);

  /** Kinds of faults. */
  enum FaultKind {
    /** A message takes up to several TTLs. */
    DELAY(0.01),
    /** A client's request is lost. */
    REQUEST_LOST(0.01),
    /** The answer to a client is lost. */
    REPLY_LOST(0.01),
    /** A client's request is sent twice, to different nodes; either may arrive much later. */
    DUPLICATE(0.01),
    /** A node rejects one operation of a request, since too many wait (429). */
    WRITE_REFUSED(0.01),
    /** Two nodes, or a client and a node, cannot reach each other for a while. */
    PARTITION(6),
    /** Messages pass one way only. */
    ONE_WAY(3),
    /** One node is cut off from all others, but not from clients. */
    NODE_CUT_OFF(3),
    /** A node crashes and comes back. */
    NODE_CRASH(2),
    /**
     * A node pauses, for longer than its cluster waits for it, and resumes as if nothing had
     * happened.
     */
    NODE_PAUSE(2),
    /** A process crashes; another starts in its place. */
    CLIENT_CRASH(3),
    /** A process pauses, often for longer than its TTL. */
    CLIENT_PAUSE(6),
    /** A client's machine sleeps: its monotonic clock stops. */
    SUSPEND(3),
    /** Wall clocks are wrong from the start, within the skew that is allowed. */
    WALL_OFFSET(1),
    /** A wall clock is set, within the skew that is allowed. */
    WALL_JUMP(3),
    /** Monotonic clocks run fast or slow from the start, within the margin. */
    DRIFT(1),
    /** A machine's clocks are slewed from now on: they run faster or slower, within the margin. */
    SLEW(3),
    /** The lock index is deleted. */
    INDEX_DELETED(1),
    /**
     * A hypervisor pauses a client's machine, and both clocks stand still. The wall clock is behind
     * until it is set again. As short as the margins cover; longer, the wall clock is right when
     * the machine resumes.
     */
    VM_PAUSE(3),
    /** An operator makes the next lock index and moves the alias to it; the old one may stay. */
    INDEX_SWAPPED(0.25),
    /**
     * An operator restores the lock index from a snapshot, and then deletes it and raises the era.
     */
    INDEX_RESTORED(0.25),
    /** For a while, a proxy rejects requests that are larger than one or two operations (413). */
    BODY_LIMIT(1),
    /** For a while, connections that are idle die: silently, or with a reset. */
    IDLE_DROP(1),
    /** For some seconds, nearly all requests are rejected, as too many wait (429). */
    OVERLOAD(1),
    /** For some seconds, a client's scheduler and callback executor reject what they are given. */
    EXECUTORS_REJECT(1),
    /** No fault, but hard on others: one process has this many tasks that always want one lock. */
    BUSY(0),
    /**
     * No fault either: one process has this many tasks that hand one lock from each to the next at
     * once, in bursts, so that the handoff numbers run out while a renewal is out.
     */
    BRISK(0),
    /** No fault either: tasks want one of this many permits of a semaphore, instead of locks. */
    PERMITS(0),
    /** No fault either: each process has this many candidates of one leader election, no tasks. */
    CANDIDATES(0);

    private final double usual;

    FaultKind(double usual) {
      this.usual = usual;
    }

    /**
     * Returns whether it comes at moments of a schedule, and is no property of messages or clocks.
     */
    boolean isScheduled() {
      return switch (this) {
        case DELAY,
            REQUEST_LOST,
            REPLY_LOST,
            DUPLICATE,
            WRITE_REFUSED,
            WALL_OFFSET,
            DRIFT,
            BUSY,
            BRISK,
            PERMITS,
            CANDIDATES ->
            false;
        default -> true;
      };
    }

    /** As users write it. */
    String text() {
      return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
  }

  /** None. */
  static Faults none() {
    return new Faults(Map.of());
  }

  /** All of them, at their usual rates. */
  static Faults all() {
    Map<FaultKind, Double> rates = new EnumMap<>(FaultKind.class);
    for (FaultKind kind : FaultKind.values()) {
      rates.put(kind, kind.usual);
    }
    return new Faults(rates);
  }

  /** These, at their usual rates. */
  static Faults of(FaultKind... kinds) {
    Map<FaultKind, Double> rates = new EnumMap<>(FaultKind.class);
    for (FaultKind kind : kinds) {
      rates.put(kind, kind.usual);
    }
    return new Faults(rates);
  }

  /**
   * Reads {@code all}, {@code none}, or a list such as {@code delay,partition=12}.
   *
   * @throws IllegalArgumentException if there is no such fault, a rate is no number of 0 or more,
   *     or a workload has none, or two workloads are given
   */
  static Faults parse(String text) {
    if (text.equals("all")) {
      return all();
    } else if (text.equals("none")) {
      return none();
    }
    Map<FaultKind, Double> rates = new EnumMap<>(FaultKind.class);
    for (String part : text.split(",", -1)) {
      String[] halves = part.split("=", 2);
      FaultKind kind = kind(halves[0].strip());
      if (halves.length == 1 && kind.usual == 0) {
        throw new IllegalArgumentException(
            "\"" + part + "\" needs a number, such as " + kind.text() + "=12");
      }
      rates.put(kind, halves.length == 1 ? kind.usual : rate(part, halves[1].strip()));
    }
    Faults faults = new Faults(rates);
    if (WORKLOADS.stream().filter(kind -> faults.rate(kind) > 0).count() > 1) {
      throw new IllegalArgumentException(
          "only one of busy, brisk, permits and candidates is possible");
    }
    return faults;
  }

  /**
   * The fault of that name.
   *
   * @throws IllegalArgumentException if there is none, with the names that there are
   */
  static FaultKind kind(String name) {
    List<String> names = new ArrayList<>();
    for (FaultKind kind : FaultKind.values()) {
      if (kind.text().equals(name)) {
        return kind;
      }
      names.add(kind.text());
    }
    throw new IllegalArgumentException(
        "there is no fault \"" + name + "\"; there are all, none, " + String.join(", ", names));
  }

  private static double rate(String part, String number) {
    try {
      double rate = Double.parseDouble(number);
      if (rate >= 0 && rate <= 10_000) {
        return rate;
      }
    } catch (NumberFormatException e) {
      // Said below.
    }
    throw new IllegalArgumentException(
        "a rate must be from 0 to 10000, but there is \"" + part + "\"");
  }

  /** These but that one. */
  Faults without(FaultKind kind) {
    Map<FaultKind, Double> rest = new EnumMap<>(FaultKind.class);
    rest.putAll(rates);
    rest.remove(kind);
    return new Faults(rest);
  }

  /** As {@link #parse} reads it. */
  String text() {
    List<String> parts = new ArrayList<>();
    rates.forEach((kind, rate) -> parts.add(kind.text() + "=" + rate));
    return parts.isEmpty() ? "none" : String.join(",", parts);
  }

  double rate(FaultKind kind) {
    Double rate = rates.get(kind);
    return rate == null ? 0 : rate;
  }
}
