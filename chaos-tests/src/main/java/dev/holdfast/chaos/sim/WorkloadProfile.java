package dev.holdfast.chaos.sim;

import dev.holdfast.lock.LockOptions;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;

/** Ways in which a process uses locks. Stateless: random numbers come from the client. */
enum WorkloadProfile {
  /** Wants anything, for any time, and may lose patience. */
  ROVING {
    @Override
    long pause(SplittableRandom random) {
      return random.nextLong(500 * Simulation.MILLI);
    }

    @Override
    LockOptions options(SplittableRandom random) {
      Duration ttl = TTLS.get(random.nextInt(TTLS.size()));
      Duration wait = WAITS.get(random.nextInt(WAITS.size()));
      boolean renews = random.nextInt(4) != 0;
      LockOptions options =
          LockOptions.defaults().withTtl(ttl).withWaitTimeout(wait).withAutoRenew(renews);
      return switch (random.nextInt(6)) {
        case 0 -> options.withMaxHold(upTo(LONGEST_LIMIT, random));
        case 1 -> options.withHoldAtLeast(upTo(LONGEST_LIMIT, random));
        case 2, 3 -> options.withLinger(upTo(ttl.dividedBy(2), random));
        default -> options;
      };
    }

    @Override
    boolean losesPatience(SplittableRandom random) {
      return random.nextInt(10) == 0;
    }

    @Override
    int steps(SplittableRandom random) {
      return random.nextInt(4);
    }

    @Override
    long step(SplittableRandom random) {
      return random.nextLong(Simulation.SECOND);
    }

    @Override
    Optional<Limits> changedLimits(SplittableRandom random) {
      if (random.nextInt(8) != 0) {
        return Optional.empty();
      }
      Duration atLeast = random.nextBoolean() ? upTo(LONGEST_LIMIT, random) : Duration.ZERO;
      return Optional.of(new Limits(atLeast, atLeast.plus(upTo(LONGEST_LIMIT, random))));
    }
  },

  /** Wants the lock all the time, each time for a moment. */
  BUSY {
    @Override
    long pause(SplittableRandom random) {
      return 0;
    }

    @Override
    LockOptions options(SplittableRandom random) {
      return sometimesLingering(random);
    }

    @Override
    long step(SplittableRandom random) {
      return random.nextLong(MOMENT);
    }
  },

  /** Wants the lock again at once, and holds it so briefly that the next task gets it at once. */
  BRISK {
    @Override
    long pause(SplittableRandom random) {
      return random.nextInt(BURST) == 0 ? random.nextLong(10 * Simulation.SECOND) : 0;
    }

    @Override
    LockOptions options(SplittableRandom random) {
      return sometimesLingering(random);
    }

    @Override
    long step(SplittableRandom random) {
      return random.nextLong(Simulation.MILLI / 20);
    }
  },

  /** Wants the lock occasionally, waits for it, and must not wait long. */
  OCCASIONAL {
    @Override
    long pause(SplittableRandom random) {
      return random.nextLong(SERVED_WITHIN, 2 * SERVED_WITHIN);
    }

    @Override
    long step(SplittableRandom random) {
      return random.nextLong(MOMENT);
    }

    @Override
    Optional<Duration> servedWithin() {
      return Optional.of(Duration.ofNanos(SERVED_WITHIN));
    }
  };

  /** The number of processes that wait beside the busy one. */
  static final int WAITING = 3;

  private static final List<Duration> TTLS =
      List.of(
          Duration.ofMillis(300),
          Duration.ofSeconds(1),
          Duration.ofSeconds(2),
          Duration.ofSeconds(5));
  private static final List<Duration> WAITS =
      List.of(Duration.ZERO, Duration.ofMillis(200), Duration.ofSeconds(3), Duration.ofSeconds(30));

  /** The longest time for which a lock is to be held at least, or at most. */
  private static final Duration LONGEST_LIMIT = Duration.ofSeconds(3);

  private static final LockOptions PATIENT =
      LockOptions.defaults().withTtl(Duration.ofSeconds(5)).withWaitTimeout(Duration.ofSeconds(30));

  /**
   * The mean number of times that a brisk task wants the lock in a row: six of them hand it over
   * more often than there are numbers between two writes, which run out when a renewal is late or
   * lost.
   */
  private static final int BURST = 150;

  /** The longest use of a lock by tasks that use it for a moment. */
  private static final long MOMENT = 50 * Simulation.MILLI;

  /** The longest time that the requests of one turn take, where none is lost. */
  private static final long SOME_REQUESTS = 100 * Simulation.MILLI;

  /**
   * The longest wait beside a busy process. That process goes on for 2 s, and for the moment that
   * is under way then; it then pauses for 150 ms, longer than the longest pause of a client that
   * waits elsewhere (115 ms) and the requests that follow it (each some ms), so that one of them
   * gets the lock, and uses it for a moment. One who was served does not come again within this
   * time, so that each of the others comes first at most once.
   */
  private static final long SERVED_WITHIN =
      WAITING * (2 * Simulation.SECOND + 150 * Simulation.MILLI + 2 * MOMENT + SOME_REQUESTS);

  private static Duration upTo(Duration most, SplittableRandom random) {
    return Duration.ofMillis(1 + random.nextLong(most.toMillis()));
  }

  private static LockOptions sometimesLingering(SplittableRandom random) {
    return random.nextBoolean() ? PATIENT.withLinger(upTo(Duration.ofSeconds(1), random)) : PATIENT;
  }

  /** Returns for how long a task pauses before it acquires a lock. */
  abstract long pause(SplittableRandom random);

  /** Returns what it asks for. */
  LockOptions options(SplittableRandom random) {
    return PATIENT;
  }

  /** Returns whether it gives up by itself while it waits. */
  boolean losesPatience(SplittableRandom random) {
    return false;
  }

  /** How long a lock is held at least and at most, from the moment at which a holder says so. */
  record Limits(Duration atLeast, Duration atMost) {}

  /** Returns what a holder changes its limits to, if it does. */
  Optional<Limits> changedLimits(SplittableRandom random) {
    return Optional.empty();
  }

  /** Returns how many things it does under a lock. */
  int steps(SplittableRandom random) {
    return 1;
  }

  /** Returns how long one of them takes. */
  abstract long step(SplittableRandom random);

  /** Within which time it has to be granted the lock, if there is such a promise. */
  Optional<Duration> servedWithin() {
    return Optional.empty();
  }
}
