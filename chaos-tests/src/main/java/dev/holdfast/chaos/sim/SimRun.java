package dev.holdfast.chaos.sim;

import dev.holdfast.chaos.sim.Faults.FaultKind;
import dev.holdfast.chaos.sim.InvariantViolation.Invariant;
import dev.holdfast.lock.Lease;
import dev.holdfast.lock.LeaseLostException;
import dev.holdfast.lock.LockManagerStats;
import dev.holdfast.lock.LockOptions;
import dev.holdfast.lock.ReleaseResult;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * One simulated run: a cluster, some clients, faults for a while, then none, and then everything
 * must come to rest. Each run is a function of its seed.
 */
final class SimRun {
  /** The largest difference between wall clocks that the managers are configured for. */
  static final long MAX_SKEW = 400 * Simulation.MILLI;

  /** The margin for drift that the managers have. */
  static final double MAX_DRIFT = 0.10;

  /**
   * Where the calendar is not used, so small a padding of the wall clock that the margin for drift
   * is alone; but more than the grain of wall clocks.
   */
  private static final long SMALL_SKEW = 2 * Simulation.MILLI;

  /**
   * The most by which a machine's clock may be slower than another: nearly as much as the margin
   * covers.
   */
  private static final double DRIFT = MAX_DRIFT - 0.0005;

  /**
   * The longest pause of a machine whose clocks are behind then, once within {@link
   * #VM_PAUSE_APART}. In runs with such pauses drift uses half of the margin. The other half of the
   * shortest TTL (300 ms) is 15 ms on a clock that is right, and 14 ms on one that is fast by 5 %.
   */
  static final long SHORT_VM_PAUSE = 12 * Simulation.MILLI;

  /** Longer than any lease lasts between two renewals, on any clock. */
  static final long VM_PAUSE_APART = 6 * Simulation.SECOND;

  /** The most by which wall clocks may be wrong that are not set. */
  private static final long WILD = 20 * Simulation.SECOND;

  /** One seed in this many has its history checked by the lease model too. */
  private static final int CHECKED_EXTERNALLY = 4;

  /** The name of the semaphore, if there is one. */
  static final String SEMAPHORE = "permits";

  private static final int NODES = 3;

  /** The most tasks of a process at a time; more where there are many locks. */
  private static final int FEW_TASKS = 3;

  private static final int MANY_TASKS = 8;
  private static final long FAULTY = Plan.FAULTY_MILLIS * Simulation.MILLI;

  /** The longest TTL of all clients. */
  private static final long MAX_TTL = 5 * Simulation.SECOND;

  final Plan plan;
  final Simulation simulation;
  final Faults faults;
  final Network network;
  final SimCluster cluster;
  final InvariantChecker invariants;
  final ProgressChecker progress;
  final Recording recording;
  final FencedResource resource;
  final Planted planted;
  final List<SimClient> clients = new ArrayList<>();
  final int locks;
  final boolean calendarTakeover;

  /** The configured difference between wall clocks in this run. */
  final Duration maxClockSkew;

  /**
   * Whether wall clocks may be set back; then no machine sleeps. A machine that does both during
   * one lease is what the library says it does not cover.
   */
  final boolean setsClocksBack;

  /** Whether drift leaves a part of the margin to the pauses of virtual machines. */
  final boolean hasRoomForPauses;

  long operations;
  long grants;
  long handoffs;
  long losses;

  /** Operations that left together with others. */
  long batched;

  long faultsInjected;

  private final SplittableRandom random;
  private final int places;

  /**
   * Between what rates all monotonic clocks run. Right ones would be there too: a wall clock that
   * is right is what counts for a machine that sleeps. At one end of it all machines but those that
   * slew slowly are right, at the other all but those that slew fast.
   */
  private final double slowest;

  private final double fastest;

  /** The number of tasks of the first process that always want the lock; 0 if there is none. */
  private final int busyTasks;

  /** The same, of tasks that hand it over at once. */
  private final int briskTasks;

  /** How many candidates of an election each process has; 0 if there are tasks instead. */
  private final int candidates;

  /** How many permits there are; 0 if locks are wanted instead. */
  final int permits;

  private final List<Host> crashed = new ArrayList<>();

  /**
   * The result of a run.
   *
   * @param violation null if every invariant held
   * @param nanos of simulated time
   * @param hash of all that happened
   */
  record SimResult(
      Plan plan,
      @Nullable InvariantViolation violation,
      long operations,
      long grants,
      long handoffs,
      long losses,
      long batched,
      long faults,
      long events,
      long nanos,
      long hash,
      List<String> trace) {}

  private SimRun(Plan plan, Planted planted, boolean keepsTrace) {
    this.plan = plan;
    this.simulation = new Simulation(plan.seed(), planted.checkedInvariants(), keepsTrace);
    this.random = simulation.fork();
    this.faults = plan.faults();
    this.planted = planted;
    int some = 2 + random.nextInt(3);
    // Few, to be fought for; or many, so that something is left over somewhere if it can be.
    int few = random.nextInt(4) == 0 ? 8 : 1 + random.nextInt(2);
    this.busyTasks = (int) faults.rate(FaultKind.BUSY);
    this.briskTasks = (int) faults.rate(FaultKind.BRISK);
    this.places = busyTasks > 0 ? 1 + WorkloadProfile.WAITING : some;
    this.candidates = (int) faults.rate(FaultKind.CANDIDATES);
    this.permits = (int) faults.rate(FaultKind.PERMITS);
    boolean oneLock = busyTasks + briskTasks + candidates > 0;
    this.locks = permits > 0 ? permits : oneLock ? 1 : few;
    this.calendarTakeover = random.nextInt(3) != 0;
    this.setsClocksBack = random.nextBoolean();
    this.hasRoomForPauses = random.nextInt(3) == 0;
    boolean padded = calendarTakeover || random.nextBoolean();
    this.maxClockSkew = Duration.ofNanos(padded ? MAX_SKEW : SMALL_SKEW);
    double drift = hasRoomForPauses ? DRIFT / 2 : DRIFT;
    this.slowest = 1 - random.nextDouble() * drift;
    this.fastest = slowest / (1 - drift);
    // One place more: for the one who looks whether all is well in the end.
    this.network = new Network(simulation, faults, NODES + places + 1);
    this.invariants =
        new InvariantChecker(
            simulation,
            plan.cutsOrStopsNodes(),
            plan.renewalsSucceed(),
            permits > 0 ? permits : Integer.MAX_VALUE);
    // Who waits for a permit, or leads, is not known by the lock.
    this.progress =
        new ProgressChecker(simulation, plan.answersOtherwise() && permits == 0 && candidates == 0);
    // What lock a permit will be is not known when it is asked for.
    this.recording =
        new Recording(simulation, permits == 0 && plan.seed() % CHECKED_EXTERNALLY == 0);
    this.cluster = new SimCluster(simulation, network, NODES, planted, invariants::executed);
    this.resource = new FencedResource(invariants, planted.resourceIgnoresTokens());
  }

  /** Runs the plan of that seed. */
  static SimResult of(long seed, Faults faults, Planted planted, boolean keepsTrace) {
    return of(Plan.of(seed, faults), planted, keepsTrace);
  }

  /** Runs that plan. */
  static SimResult of(Plan plan, Planted planted, boolean keepsTrace) {
    SimRun run = new SimRun(plan, planted, keepsTrace);
    InvariantViolation violation = null;
    try {
      run.run();
    } catch (InvariantViolation found) {
      violation = found;
      run.simulation.log(() -> "VIOLATION " + found.getMessage(), -1);
    }
    return new SimResult(
        plan,
        violation,
        run.operations,
        run.grants,
        run.handoffs,
        run.losses,
        run.batched,
        run.faultsInjected,
        run.simulation.eventsDone(),
        run.simulation.now(),
        run.simulation.hash(),
        run.simulation.trace());
  }

  int endpoints() {
    return NODES + places;
  }

  String lock(int number) {
    return permits > 0 ? SEMAPHORE + "#" + number : "lock-" + number;
  }

  long randomWallOffset(SplittableRandom drawn) {
    return drawn.nextLong(-maxWallOffset(), maxWallOffset());
  }

  /**
   * Two clocks differ by at most the skew if each is off by at most half of it, together with what
   * it misses while its machine is paused.
   */
  private long maxWallOffset() {
    return MAX_SKEW / 2 - (hasRoomForPauses ? SHORT_VM_PAUSE : 0);
  }

  /** Of a monotonic clock; the extremes as often as all between them. */
  double randomRate(SplittableRandom drawn) {
    return switch (drawn.nextInt(4)) {
      case 0 -> slowest;
      case 1 -> fastest;
      default -> slowest + drawn.nextDouble() * (fastest - slowest);
    };
  }

  private Host host() {
    double rate = faults.rate(FaultKind.DRIFT) > 0 ? randomRate(random) : 1;
    long offset = faults.rate(FaultKind.WALL_OFFSET) > 0 ? randomWallOffset(random) : 0;
    // Without the calendar rule, clocks need not be set.
    long base = calendarTakeover || offset == 0 ? 0 : random.nextLong(-WILD, WILD);
    // Nor keep them right.
    long most = calendarTakeover ? maxWallOffset() : Long.MAX_VALUE;
    return new Host(simulation, random.nextLong(), rate, base, offset, most);
  }

  /** That client's process ends at once; after a while another begins in its place. */
  void crashClient(int number) {
    SimClient old = clients.get(number);
    old.host.crash();
    crashed.add(old.host);
    SimClient next = new SimClient(this, old.place, host());
    clients.set(number, next);
    simulation.after(
        random.nextLong(2 * Simulation.SECOND),
        () -> {
          if (candidates > 0) {
            next.campaign(candidates);
          } else {
            next.start(1 + random.nextInt(2));
          }
        });
  }

  private void run() {
    simulation.afterEach(invariants::look);
    for (int i = 0; i < places; i++) {
      SimClient client = new SimClient(this, NODES + i, host());
      clients.add(client);
      if (candidates > 0) {
        client.campaign(candidates);
      } else if (briskTasks > 0 && i == 0) {
        client.start(briskTasks, WorkloadProfile.BRISK);
      } else if (busyTasks == 0) {
        client.start(1 + random.nextInt(locks > 2 ? MANY_TASKS : FEW_TASKS));
      } else if (i == 0) {
        client.start(busyTasks, WorkloadProfile.BUSY);
      } else {
        client.start(1, WorkloadProfile.OCCASIONAL);
      }
    }
    Nemesis nemesis = new Nemesis(this);
    plan.schedule().forEach(nemesis::plan);
    simulation.runUntil(FAULTY);
    heal();
    if (planted.checkedInvariants().contains(Invariant.LIVENESS)) {
      rest();
    }
    // When the index is deleted, all locks are free at once: the model knows no such thing.
    boolean keepsItsIndex =
        plan.schedule().stream()
            .noneMatch(
                fault ->
                    switch (fault.kind()) {
                      case INDEX_DELETED, INDEX_SWAPPED, INDEX_RESTORED -> true;
                      default -> false;
                    });
    if (keepsItsIndex && planted.checkedInvariants().contains(Invariant.LINEARIZABLE)) {
      recording.check();
    }
  }

  private void heal() {
    simulation.log(() -> "HEAL", FAULTY);
    network.heal();
    for (int node = 0; node < NODES; node++) {
      if (!cluster.isUp(node)) {
        cluster.restart(node);
      } else if (cluster.isPaused(node)) {
        cluster.resume(node);
      }
    }
    cluster.somethingChanged();
    clients.forEach(
        client -> {
          client.host.resume();
          client.stop();
        });
  }

  /**
   * After the faults: all calls end, a new client gets each lock in time, each other client one of
   * them, and nothing is left.
   */
  private void rest() {
    // The longest wait is 30 s; a call then ends at once. What it leaves behind takes the longest
    // message (12 s) to arrive, and a TTL to be cleaned up after it was sent.
    simulation.runUntil(simulation.now() + 60 * Simulation.SECOND);
    for (SimClient client : clients) {
      if (client.callsOut() != 0) {
        throw new InvariantViolation(
            Invariant.LIVENESS, "c" + client.place + " has calls that do not end");
      }
    }
    if (plan.leavesNothing()
        && cluster.all().stream().anyMatch(found -> !found.record().isUnheld())) {
      throw new InvariantViolation(
          Invariant.RECORDS, "left behind by processes that never crashed: " + cluster.all());
    }
    SimClient last = new SimClient(this, NODES + places, host());
    // A client that waits alone for a lock that is not held any more has it when a record that was
    // left has stood for its TTL since the first look (MAX_TTL, on a clock that may be slow by a
    // tenth), or has been out of date for the skew (MAX_SKEW); at the next poll (0.12 s), after a
    // read and a write (a few milliseconds each, from now on). 2 s are enough for the last three,
    // and for the slow clock. Twice all that, since a record seen for the first time begins a new
    // count.
    long bound = 2 * (MAX_TTL + MAX_SKEW + 2 * Simulation.SECOND);
    for (int number = 0; number < locks; number++) {
      assertServed(last, lock(number), bound);
    }
    for (SimClient client : clients) {
      // Those who have been through it all can still do what the newcomer can.
      if (!client.host.isCrashed()) {
        assertServed(client, lock(client.place % locks), bound);
      }
    }
    simulation.runUntil(simulation.now() + 10 * Simulation.SECOND);
    if (!cluster.all().isEmpty()) {
      throw new InvariantViolation(Invariant.RECORDS, "left over: " + cluster.all());
    }
    invariants.end();
    simulation.check();
    List<SimClient> all = new ArrayList<>(clients);
    all.add(last);
    for (SimClient client : all) {
      LockManagerStats stats = client.manager.stats();
      // No answer tells a client that the record which it observed last is gone.
      boolean isIdle = stats.held() == 0 && stats.waiting() == 0 && stats.lingering() == 0;
      boolean isAtRest =
          isIdle && stats.locks() == 0 && stats.cleanUps() == 0 && stats.observed() <= locks;
      if (!client.host.isCrashed() && !isAtRest) {
        throw new InvariantViolation(
            Invariant.BOUNDS, "c" + client.place + " has not let go: " + stats);
      }
      if (client.host.timers() != 0) {
        throw new InvariantViolation(
            Invariant.BOUNDS, "c" + client.place + " has " + client.host.timers() + " left");
      }
    }
  }

  /** That process is granted the lock within the bound, and can release it. */
  private void assertServed(SimClient client, String lock, long bound) {
    // A process that has slept since the index was replaced, while the old one was kept, notices it
    // when it holds its next lease, which it loses. It knows then.
    boolean served = isServed(client, lock, bound);
    if (!served) {
      served = isServed(client, lock, bound);
    }
    if (!served) {
      throw new InvariantViolation(
          Invariant.LIVENESS, "c" + client.place + " loses " + lock + " to an old index again");
    }
  }

  /** False if the lease was lost because the index has been replaced. */
  private boolean isServed(SimClient client, String lock, long bound) {
    String who = "c" + client.place;
    LockOptions patient = LockOptions.defaults().withWaitTimeout(Duration.ofNanos(bound));
    CompletableFuture<Lease> future = client.manager.acquireAsync(lock, patient);
    Set<LeaseLostException.Reason> losses = EnumSet.noneOf(LeaseLostException.Reason.class);
    var unused = future.thenAccept(lease -> lease.onLost(loss -> losses.add(loss.reason())));
    simulation.runUntil(simulation.now() + bound + Simulation.SECOND);
    if (!future.isDone() || future.isCompletedExceptionally()) {
      throw new InvariantViolation(
          Invariant.LIVENESS, who + " cannot have " + lock + ": " + future);
    }
    CompletableFuture<ReleaseResult> release = future.join().releaseAsync();
    simulation.runUntil(simulation.now() + Simulation.SECOND);
    if (losses.equals(EnumSet.of(LeaseLostException.Reason.INDEX_REPLACED))) {
      return false;
    }
    if (!release.isDone() || release.join() != ReleaseResult.RELEASED) {
      throw new InvariantViolation(
          Invariant.LIVENESS, who + " cannot give " + lock + " back: " + release);
    }
    return true;
  }
}
