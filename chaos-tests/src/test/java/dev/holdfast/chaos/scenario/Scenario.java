package dev.holdfast.chaos.scenario;

import dev.holdfast.chaos.arena.Arena;
import dev.holdfast.chaos.check.Deletion;
import dev.holdfast.chaos.check.ExpectedEffectChecker;
import dev.holdfast.chaos.check.ExpectedEffectChecker.ExpectedEffect;
import dev.holdfast.chaos.check.LostUpdatesChecker;
import dev.holdfast.chaos.check.RecoveryChecker;
import dev.holdfast.chaos.fault.Fault;
import dev.holdfast.chaos.worker.Defect;
import dev.holdfast.chaos.worker.Workload;
import dev.holdfast.history.Vocabulary;
import dev.holdfast.history.check.AvailabilityChecker;
import dev.holdfast.history.check.Checker;
import dev.holdfast.history.check.CoverageChecker;
import dev.holdfast.history.check.FencingChecker;
import dev.holdfast.history.check.LinearizabilityChecker;
import dev.holdfast.history.check.LossNoticeChecker;
import dev.holdfast.history.check.MutualExclusionChecker;
import dev.holdfast.history.check.RenewalChecker;
import dev.holdfast.history.check.TtlExpiryChecker;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.random.RandomGenerator;

/** A fault-injection scenario: its purpose, its faults and its checkers. Immutable. */
public final class Scenario {

  /**
   * The delay after another's grant within which a holder must be notified of its loss: its lease
   * is <em>over</em> before that at any speed, which is what the other checkers check; being told
   * takes a thread that runs.
   */
  private static final Duration NOTICE_GRACE = Duration.ofSeconds(20);

  /** By how much monotonic clocks may disagree. */
  private static final double DRIFT = 0.02;

  /** A search that takes longer is a history that the model does not fit. */
  private static final Duration SEARCH_LIMIT = Duration.ofMinutes(2);

  private final Builder parts;

  private Scenario(Builder parts) {
    this.parts = parts;
  }

  /** For a scenario of that name, in lower-case words joined by hyphens. */
  static Builder named(String name) {
    return new Builder(name);
  }

  /** Returns the name. */
  public String name() {
    return parts.name;
  }

  /** Returns what it is for, in a sentence. */
  public String purpose() {
    return parts.purpose;
  }

  /** Returns what it proves, in words. */
  public String bound() {
    return parts.bound;
  }

  /** Returns whether it runs only where it is asked for, as every night. */
  public boolean isNightly() {
    return parts.nightly;
  }

  /** Returns what kind of cluster it needs. */
  public Ground ground() {
    return parts.ground;
  }

  /**
   * Returns what its clients do. Where the index may be deleted, no lock lingers: one that does is
   * granted again in its client until that has noticed, which in the history is a grant in the next
   * life of the index, beside another's.
   */
  public Workload workload() {
    return parts.acrossDeletion
        ? parts.workload.withoutLingering().withoutElection()
        : parts.workload;
  }

  /** Returns by how much the wall clock of the client in the slot is wrong, in milliseconds. */
  public long wallOffsetMillis(int slot) {
    return parts.wallOffsetsMillis.get(slot);
  }

  /** Makes the faults; the same randomness makes the same. */
  public Schedule schedule(RandomGenerator random) {
    return parts.faults.apply(random);
  }

  /**
   * Returns why this machine does not allow it; empty if it does, or if what it does not allow can
   * be {@linkplain #leftOut left out}.
   */
  public Optional<String> missing(Arena arena, RandomGenerator random) {
    return parts.asFarAsPossible
        ? Optional.empty()
        : schedule(random).steps().stream()
            .map(Schedule.PlannedFault::what)
            .map((Fault each) -> each.missing(arena))
            .flatMap(Optional::stream)
            .findFirst();
  }

  /** Returns the kinds of faults that this machine does not allow, each with the reason. */
  public List<String> leftOut(Arena arena, RandomGenerator random) {
    return schedule(random).steps().stream()
        .map(Schedule.PlannedFault::what)
        .filter(each -> each.missing(arena).isPresent())
        .map(each -> each.name() + ", because " + each.missing(arena).orElseThrow())
        .distinct()
        .toList();
  }

  /** Returns whether the index may be deleted in it. */
  public boolean isAcrossDeletion() {
    return parts.acrossDeletion;
  }

  /** Returns what checks it. */
  public List<Checker> checkers() {
    boolean faults = !schedule(new java.util.Random(0)).steps().isEmpty();
    List<Checker> all = new ArrayList<>();
    all.add(Deletion.inEachLife(new MutualExclusionChecker()));
    if (!parts.acrossDeletion) {
      all.add(new FencingChecker());
    }
    all.add(Deletion.inEachLife(new TtlExpiryChecker(DRIFT)));
    all.add(Deletion.inEachLife(new LossNoticeChecker(NOTICE_GRACE)));
    all.add(Deletion.inEachLife(new RenewalChecker()));
    all.add(Deletion.inEachLife(new LinearizabilityChecker("lease", SEARCH_LIMIT)));
    all.add(new AvailabilityChecker());
    all.addAll(parts.checkers);
    all.add(new LostUpdatesChecker(!faults));
    all.add(new RecoveryChecker());
    if (!parts.expectedEffects.isEmpty()) {
      all.add(new ExpectedEffectChecker(parts.expectedEffects));
    }
    all.add(
        new CoverageChecker(
            Set.of(Vocabulary.ACQUIRE, Vocabulary.RELEASE, Vocabulary.WRITE), faults));
    return all;
  }

  /**
   * Returns this scenario with clients that make a mistake, and with only the first of its faults.
   */
  public Scenario with(Defect defect, int firstFaults) {
    return broken(defect, firstFaults).build();
  }

  /** As {@link #with}, to be run only where it is asked for. */
  Scenario nightlyWith(Defect defect, int firstFaults) {
    return broken(defect, firstFaults).nightly().build();
  }

  private Builder broken(Defect defect, int firstFaults) {
    Builder broken = new Builder(parts.name + "-" + defect.text());
    broken.purpose = "Detects deliberately broken clients: " + defect.text() + ".";
    broken.bound = "the checker " + defect.caughtBy() + " says invalid";
    broken.ground = parts.ground;
    broken.workload = parts.workload.with(defect);
    broken.wallOffsetsMillis = parts.wallOffsetsMillis;
    broken.checkers = parts.checkers;
    broken.faults = random -> schedule(random).first(firstFaults);
    return broken;
  }

  @Override
  public String toString() {
    return parts.name;
  }

  /** The kinds of clusters. */
  public enum Ground {
    /** Notices faults of nodes within seconds. */
    QUICK,
    /** Notices them when Elasticsearch does by default, which takes half a minute and more. */
    DEFAULT_DETECTION,
    /** Has short queues for writes. */
    SHORT_QUEUES
  }

  /** Makes a scenario. Not thread-safe. */
  static final class Builder {
    private final String name;
    private String purpose = "";
    private String bound = "";
    private Ground ground = Ground.QUICK;
    private Workload workload = Workload.standard();
    private List<Long> wallOffsetsMillis = List.of(0L, 0L, 0L);
    private Function<RandomGenerator, Schedule> faults = random -> Schedule.quiet(Duration.ZERO);
    private List<Checker> checkers = List.of();
    private Set<ExpectedEffect> expectedEffects = Set.of();
    private boolean acrossDeletion;
    private boolean asFarAsPossible;
    private boolean nightly;

    private Builder(String name) {
      this.name = name;
    }

    Builder purpose(String sentence) {
      purpose = sentence;
      return this;
    }

    Builder bound(String words) {
      bound = words;
      return this;
    }

    Builder on(Ground needed) {
      ground = needed;
      return this;
    }

    Builder workload(Workload what) {
      workload = what;
      return this;
    }

    Builder wallOffsetsMillis(long... millis) {
      wallOffsetsMillis = java.util.Arrays.stream(millis).boxed().toList();
      return this;
    }

    Builder faults(Function<RandomGenerator, Schedule> schedule) {
      faults = schedule;
      return this;
    }

    Builder checkedBy(Checker... more) {
      checkers = List.of(more);
      return this;
    }

    Builder shows(ExpectedEffect... expected) {
      expectedEffects = Set.of(expected);
      return this;
    }

    /** The index may be deleted meanwhile: one of the given checkers stands in for fencing. */
    Builder acrossDeletion() {
      acrossDeletion = true;
      return this;
    }

    /** Kinds of faults that a machine does not allow are left out, and said to be. */
    Builder asFarAsPossible() {
      asFarAsPossible = true;
      return this;
    }

    /** It runs only where it is asked for, as every night. */
    Builder nightly() {
      nightly = true;
      return this;
    }

    Scenario build() {
      return new Scenario(this);
    }
  }
}
