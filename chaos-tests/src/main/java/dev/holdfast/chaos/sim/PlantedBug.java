package dev.holdfast.chaos.sim;

import static dev.holdfast.chaos.sim.ForwardingStore.map;

import dev.holdfast.chaos.sim.InvariantViolation.Invariant;
import dev.holdfast.lock.LockManager;
import dev.holdfast.lock.Scheduler;
import dev.holdfast.lock.Ticker;
import dev.holdfast.lock.internal.CancellableFuture;
import dev.holdfast.lock.store.Incarnation;
import dev.holdfast.lock.store.LockRecord;
import dev.holdfast.lock.store.LockStore;
import dev.holdfast.lock.store.ReadResult;
import dev.holdfast.lock.store.Version;
import dev.holdfast.lock.store.WriteResult;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Stores, clocks, settings and clusters that are wrong in one way each, to show that the invariants
 * can fail. Bugs inside the engine itself are planted by the tests, which change its bytecode.
 */
enum PlantedBug implements Planted {
  /** A renewal or a takeover replaces whatever is there. */
  REPLACE_WITHOUT_CONDITION(
      SimScenario.ALL,
      Invariant.RECORD_OF_ANOTHER,
      Invariant.MUTUAL_EXCLUSION,
      Invariant.HOLD_LIMITS,
      Invariant.LINEARIZABLE) {
    @Override
    public LockStore store(LockStore real, Host host) {
      return new ForwardingStore(real) {
        @Override
        public CompletableFuture<WriteResult> replace(LockRecord record, Version expected) {
          return withCurrent(real, record.lockId(), expected, now -> real.replace(record, now));
        }
      };
    }
  },

  /** A release deletes whatever is there (as ShedLock on Elasticsearch does). */
  RELEASE_WITHOUT_CONDITION(SimScenario.ALL, Invariant.RECORD_OF_ANOTHER) {
    @Override
    public LockStore store(LockStore real, Host host) {
      return new ForwardingStore(real) {
        @Override
        public CompletableFuture<WriteResult> delete(String lockId, Version expected) {
          return withCurrent(real, lockId, expected, now -> real.delete(lockId, now));
        }
      };
    }
  },

  /** A renewal that met a conflict counts as a success (as Kibana's extendTtl did). */
  CONFLICT_IS_SUCCESS(
      SimScenario.ALL, Invariant.BELIEF, Invariant.TOKENS_RISE, Invariant.RECORD_OF_ANOTHER) {
    @Override
    public LockStore store(LockStore real, Host host) {
      return new ForwardingStore(real) {
        @Override
        public CompletableFuture<WriteResult> replace(LockRecord record, Version expected) {
          return map(
              real.replace(record, expected),
              result ->
                  result instanceof WriteResult.Conflict
                      ? new WriteResult.Applied(expected)
                      : result);
        }
      };
    }
  },

  /** A renewal that was not answered counts as a success. */
  SILENCE_IS_SUCCESS(SimScenario.NODES, Invariant.TOKENS_RISE, Invariant.BELIEF) {
    @Override
    public LockStore store(LockStore real, Host host) {
      return new ForwardingStore(real) {
        @Override
        public CompletableFuture<WriteResult> replace(LockRecord record, Version expected) {
          return map(
              real.replace(record, expected),
              result ->
                  result instanceof WriteResult.Unknown
                      ? new WriteResult.Applied(expected)
                      : result);
        }
      };
    }
  },

  /** A client that finds a record overwrites it. */
  CREATE_OVERWRITES(
      SimScenario.CALM, Invariant.RECORD_OF_ANOTHER, Invariant.TOKENS_RISE, Invariant.HOLD_LIMITS) {
    @Override
    public LockStore store(LockStore real, Host host) {
      return new ForwardingStore(real) {
        @Override
        public CompletableFuture<WriteResult> create(LockRecord record) {
          return CancellableFuture.of(
              real.create(record),
              result ->
                  result instanceof WriteResult.Conflict
                      ? withCurrent(real, record.lockId(), null, now -> real.replace(record, now))
                      : CompletableFuture.completedFuture(result));
        }
      };
    }
  },

  /** A record whose date has passed by one's own clock is overwritten, skew or not. */
  OWN_CLOCK_DECIDES(SimScenario.CLOCKS, Invariant.RECORD_OF_ANOTHER) {
    @Override
    public LockStore store(LockStore real, Host host) {
      return new ForwardingStore(real) {
        @Override
        public CompletableFuture<WriteResult> create(LockRecord record) {
          return CancellableFuture.of(
              real.create(record),
              result ->
                  result instanceof WriteResult.Conflict
                      ? replaceIfPast(real, record, host.instant())
                      : CompletableFuture.completedFuture(result));
        }
      };
    }
  },

  /** A read that shows one's own token counts as an acknowledgement. */
  READ_IS_PROOF(SimScenario.ALL, Invariant.BELIEF, Invariant.RECORD_OF_ANOTHER) {
    @Override
    public LockStore store(LockStore real, Host host) {
      return new ForwardingStore(real) {
        @Override
        public CompletableFuture<WriteResult> replace(LockRecord record, Version expected) {
          return CancellableFuture.of(
              real.read(record.lockId()),
              read ->
                  read instanceof ReadResult.Found found
                          && found.record().token().equals(record.token())
                      ? CompletableFuture.completedFuture(new WriteResult.Applied(found.version()))
                      : real.replace(record, expected));
        }
      };
    }
  },

  /** Every acquisition of a process has the same token. */
  TOKEN_IS_REUSED(SimScenario.ALL, Invariant.MUTUAL_EXCLUSION, Invariant.LINEARIZABLE) {
    @Override
    public Supplier<String> tokens(Supplier<String> realTokens) {
      String always = realTokens.get();
      return () -> always;
    }
  },

  /** Tokens start again when the index is re-created, as if no operator had raised the era. */
  FENCING_RESET_WITH_THE_INDEX(SimScenario.INDEX, Invariant.TOKENS_RISE) {
    @Override
    public LockStore store(LockStore real, Host host) {
      Map<String, Integer> eras = new HashMap<>();
      return new Versions(
          real,
          shown -> {
            Incarnation incarnation = shown.incarnation();
            eras.put(incarnation.id(), incarnation.era());
            return new Version(
                new Incarnation(incarnation.id(), 0), shown.primaryTerm(), shown.seqNo());
          },
          held ->
              new Version(
                  new Incarnation(
                      held.incarnation().id(), eras.getOrDefault(held.incarnation().id(), 0)),
                  held.primaryTerm(),
                  held.seqNo()));
    }
  },

  /** Versions of an index and of the next are compared: a coincidence is a match. */
  INCARNATION_IS_IGNORED(SimScenario.INDEX, Invariant.TOKENS_RISE) {
    @Override
    public LockStore store(LockStore real, Host host) {
      Incarnation any = new Incarnation("any", 0);
      Map<String, Incarnation> last = new HashMap<>();
      return new Versions(
          real,
          shown -> {
            last.put("", shown.incarnation());
            return new Version(any, shown.primaryTerm(), shown.seqNo());
          },
          held ->
              new Version(
                  last.getOrDefault("", held.incarnation()), held.primaryTerm(), held.seqNo()));
    }
  },

  /** Dates of a holder whose clock is wrong are trusted although it says not to. */
  DATES_TRUSTED_AGAINST_THE_HOLDERS_WILL(SimScenario.CLOCKS, Invariant.RECORD_OF_ANOTHER) {
    @Override
    public LockStore store(LockStore real, Host host) {
      return new ForwardingStore(real) {
        @Override
        public CompletableFuture<ReadResult> read(String lockId) {
          return map(real.read(lockId), PlantedBug::trusting);
        }
      };
    }

    @Override
    public LockManager.Builder settings(LockManager.Builder builder) {
      return builder.calendarTakeover(true);
    }
  },

  /** The skew between wall clocks is ignored. */
  SKEW_IS_IGNORED(SimScenario.CLOCKS, Invariant.RECORD_OF_ANOTHER) {
    @Override
    public LockManager.Builder settings(LockManager.Builder builder) {
      return builder.maxClockSkew(Duration.ZERO).calendarTakeover(true);
    }
  },

  /**
   * The margin is for the drift of clocks that are left alone; daemons slew them by four times
   * that. Without the padding of the wall clock, which would hide it in most runs.
   */
  DRIFT_MARGIN_TOO_SMALL(SimScenario.DRIFT, Invariant.MUTUAL_EXCLUSION) {
    @Override
    public LockManager.Builder settings(LockManager.Builder builder) {
      return builder.maxClockDrift(0.02).calendarTakeover(false).maxClockSkew(Duration.ofMillis(2));
    }

    @Override
    public Set<Invariant> checkedInvariants() {
      return EnumSet.of(Invariant.MUTUAL_EXCLUSION);
    }
  },

  /** A lease counts by the wall clock alone. */
  WALL_CLOCK_ALONE(
      SimScenario.CLOCKS,
      Invariant.HOLD_LIMITS,
      Invariant.LOSS_TOLD_ONCE,
      Invariant.RECORD_OF_ANOTHER) {
    @Override
    public Ticker ticker(Host host) {
      return () -> Duration.between(Instant.EPOCH, host.instant()).toNanos();
    }
  },

  /** A lease counts by the monotonic clock alone, which stops while the machine sleeps. */
  MONOTONIC_CLOCK_ALONE(SimScenario.CLIENTS, Invariant.RECORD_OF_ANOTHER, Invariant.BELIEF) {
    @Override
    public InstantSource wallClock(Host host) {
      Instant start = host.instant();
      long nanos = host.nanos();
      return () -> start.plusNanos(host.nanos() - nanos);
    }
  },

  /** A machine's clocks are slower by far than the margin allows for. */
  CLOCKS_BEYOND_THE_MARGIN(
      SimScenario.ALL, Invariant.HOLD_LIMITS, Invariant.BELIEF, Invariant.RECORD_OF_ANOTHER) {
    private static final double RATE = 0.8;

    @Override
    public Ticker ticker(Host host) {
      return () -> (long) (host.nanos() * RATE);
    }

    @Override
    public InstantSource wallClock(Host host) {
      Instant start = host.instant();
      long nanos = host.nanos();
      return () -> start.plusNanos((long) ((host.nanos() - nanos) * RATE));
    }
  },

  /** A daemon slews a machine's clocks by far more than the margin allows for. */
  CLOCKS_SLEWED_BEYOND_THE_MARGIN(
      SimScenario.DRIFT, Invariant.BELIEF, Invariant.RECORD_OF_ANOTHER) {
    @Override
    public double slewed(double rate) {
      return rate * 0.8;
    }
  },

  /** A hypervisor pauses a machine for long, and nothing sets its clocks when it resumes. */
  MACHINE_RESUMES_IN_THE_PAST(SimScenario.MACHINES, Invariant.RECORD_OF_ANOTHER, Invariant.BELIEF) {
    @Override
    public boolean clocksStayBehind() {
      return true;
    }
  },

  /** A store does not notice that the alias leads to another index, while the old one is there. */
  REPLACED_INDEX_IS_NOT_NOTICED(SimScenario.REPLACED, Invariant.LIVENESS) {
    @Override
    public boolean verifiesTheIndex() {
      return false;
    }
  },

  /** An operator goes on with an index that was restored from a snapshot. */
  RESTORED_INDEX_IS_KEPT(SimScenario.REPLACED, Invariant.TOKENS_RISE) {
    @Override
    public boolean deletesWhatWasRestored() {
      return false;
    }
  },

  /** An operator replaces the index, or deletes one that was restored, with the era of before. */
  ERA_IS_NOT_RAISED(SimScenario.REPLACED, Invariant.TOKENS_RISE) {
    @Override
    public boolean raisesTheEra() {
      return false;
    }
  },

  /** A request that met a dead connection is not sent again. */
  DEAD_CONNECTION_IS_AN_OUTAGE(SimScenario.PROXIES, Invariant.LIVENESS) {
    @Override
    public boolean recognisesDeadConnections() {
      return false;
    }
  },

  /** Where one connection is dead, the others are used until each is found to be. */
  DEAD_CONNECTIONS_ARE_KEPT(SimScenario.PROXIES, Invariant.LIVENESS) {
    @Override
    public boolean keepsDeadConnections() {
      return true;
    }
  },

  /** Timers that the user's scheduler rejects never run. */
  REJECTED_TIMERS_ARE_DROPPED(SimScenario.EXECUTORS, Invariant.LIVENESS) {
    @Override
    public Scheduler spareScheduler(Host host) {
      return (task, delayNanos) -> () -> {};
    }
  },

  /** Callbacks that the user's executor rejects never run. */
  REJECTED_CALLBACKS_ARE_DROPPED(SimScenario.EXECUTORS, Invariant.LIVENESS) {
    @Override
    public Executor spareExecutor(Host host) {
      return callback -> {};
    }
  },

  /** The cluster acknowledges a write before its replicas have it (durability: async). */
  CLUSTER_ACKNOWLEDGES_EARLY(
      SimScenario.NODES,
      Invariant.TOKENS_RISE,
      Invariant.LOSS_TOLD_ONCE,
      Invariant.MUTUAL_EXCLUSION) {
    @Override
    public boolean acknowledgesEarly() {
      return true;
    }
  },

  /** The results of operations that left together are mixed up. */
  BATCH_ANSWERS_MIXED_UP(
      SimScenario.ALL, Invariant.MUTUAL_EXCLUSION, Invariant.HOLD_LIMITS, Invariant.LINEARIZABLE) {
    @Override
    public List<SimCluster.Written> answers(List<SimCluster.Written> real) {
      List<SimCluster.Written> turned = new ArrayList<>(real);
      Collections.rotate(turned, 1);
      return turned;
    }
  },

  /** Operations that left together have succeeded when one of them has. */
  BATCH_SUCCEEDS_AS_A_WHOLE(
      SimScenario.ALL,
      Invariant.MUTUAL_EXCLUSION,
      Invariant.HOLD_LIMITS,
      Invariant.LOSS_TOLD_ONCE) {
    @Override
    public List<SimCluster.Written> answers(List<SimCluster.Written> real) {
      return real.stream()
          .filter(written -> written.answer() == SimCluster.WriteAnswer.APPLIED)
          .findFirst()
          .map(applied -> Collections.nCopies(real.size(), applied))
          .orElse(real);
    }
  },

  /** A request that is not answered in time has been carried out, with all that is in it. */
  BATCH_WITHOUT_AN_ANSWER_IS_APPLIED(
      SimScenario.ALL,
      Invariant.TOKENS_RISE,
      Invariant.LOSS_TOLD_ONCE,
      Invariant.MUTUAL_EXCLUSION) {
    @Override
    public boolean trustsSilence() {
      return true;
    }
  },

  /** The resource takes a write under any token. */
  RESOURCE_TAKES_ANYTHING(SimScenario.CLIENTS, Invariant.FENCING) {
    @Override
    public boolean resourceIgnoresTokens() {
      return true;
    }
  },

  /** The cluster compares sequence numbers only. */
  CLUSTER_IGNORES_TERMS(
      SimScenario.NODES,
      Invariant.RECORD_OF_ANOTHER,
      Invariant.MUTUAL_EXCLUSION,
      Invariant.LOSS_TOLD_ONCE) {
    @Override
    public boolean ignoresTerms() {
      return true;
    }
  };

  private final SimScenario scenario;

  @SuppressWarnings("ImmutableEnumChecker") // Never changed.
  private final Set<Invariant> caughtBy;

  PlantedBug(SimScenario scenario, Invariant first, Invariant... others) {
    this.scenario = scenario;
    this.caughtBy = EnumSet.of(first, others);
  }

  /** Returns the invariants that it breaks; one that another catches first is not understood. */
  Set<Invariant> caughtBy() {
    return caughtBy;
  }

  @Override
  public SimScenario scenario() {
    return scenario;
  }

  @Override
  public String text() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  /** Shows versions in another way than the store does. */
  private static final class Versions extends ForwardingStore {
    private final Function<Version, Version> shown;
    private final Function<Version, Version> meant;

    Versions(LockStore real, Function<Version, Version> shown, Function<Version, Version> meant) {
      super(real);
      this.shown = shown;
      this.meant = meant;
    }

    private WriteResult shown(WriteResult result) {
      return result instanceof WriteResult.Applied applied
          ? new WriteResult.Applied(shown.apply(applied.version()))
          : result;
    }

    @Override
    public CompletableFuture<WriteResult> create(LockRecord record) {
      return map(super.create(record), this::shown);
    }

    @Override
    public CompletableFuture<WriteResult> replace(LockRecord record, Version expected) {
      return map(super.replace(record, meant.apply(expected)), this::shown);
    }

    @Override
    public CompletableFuture<WriteResult> delete(String lockId, Version expected) {
      return map(super.delete(lockId, meant.apply(expected)), this::shown);
    }

    @Override
    public CompletableFuture<ReadResult> read(String lockId) {
      return map(
          super.read(lockId),
          read ->
              read instanceof ReadResult.Found found
                  ? new ReadResult.Found(found.record(), shown.apply(found.version()))
                  : read);
    }
  }

  /** Reads, and writes to the version that is there, or else to the one that was meant. */
  private static CompletableFuture<WriteResult> withCurrent(
      LockStore store,
      String lockId,
      @Nullable Version meant,
      Function<Version, CompletableFuture<WriteResult>> write) {
    return CancellableFuture.of(
        store.read(lockId),
        read -> {
          Version version = read instanceof ReadResult.Found found ? found.version() : meant;
          return version == null
              ? CompletableFuture.completedFuture(new WriteResult.Conflict())
              : write.apply(version);
        });
  }

  private static CompletableFuture<WriteResult> replaceIfPast(
      LockStore store, LockRecord record, Instant now) {
    return CancellableFuture.of(
        store.read(record.lockId()),
        read -> {
          if (read instanceof ReadResult.Found found) {
            Instant expiresAt = found.record().expiresAt();
            if (expiresAt != null && now.isAfter(expiresAt)) {
              return store.replace(record, found.version());
            }
          }
          return CompletableFuture.completedFuture(new WriteResult.Conflict());
        });
  }

  private static ReadResult trusting(ReadResult read) {
    if (read instanceof ReadResult.Found found) {
      LockRecord r = found.record();
      return new ReadResult.Found(
          new LockRecord(
              r.lockId(),
              r.token(),
              r.owner(),
              r.createdAt(),
              r.expiresAt(),
              r.ttlMillis(),
              0L,
              r.metadata()),
          found.version());
    }
    return read;
  }
}
