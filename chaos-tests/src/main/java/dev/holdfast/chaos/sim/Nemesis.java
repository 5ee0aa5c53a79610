package dev.holdfast.chaos.sim;

import dev.holdfast.chaos.sim.Faults.FaultKind;
import dev.holdfast.lock.store.Incarnation;
import java.util.SplittableRandom;

/** Injects the faults of a schedule: all but those of single messages and of clock rates. */
final class Nemesis {
  /** Any operation passes alone; not always two of them do. */
  private static final long MIN_BODY_BYTES = SimulatedStore.WRITE_BYTES;

  private static final long MAX_BODY_BYTES = 2 * MIN_BODY_BYTES + 100;

  /** As {@link dev.holdfast.lock.FencingToken#toLong} has room for. */
  private static final int MAX_ERA = 15;

  /**
   * Within what time of the end of an index its leases are lost: it is verified every 5 s while it
   * is used, and a lease is renewed every third of its TTL (1.7 s of 5 s, on a clock that may be
   * slow by a tenth); requests take some milliseconds.
   */
  private static final long INDEX_LEFT_WITHIN =
      SimulatedStore.VERIFICATION_INTERVAL + 2 * Simulation.SECOND;

  /** The longest time until an operator deletes what was restored. */
  private static final int RESTORED_SECONDS = 4;

  /** The same, and until all processes have noticed. */
  static final long RESTORED_LEFT_WITHIN = RESTORED_SECONDS * Simulation.SECOND + INDEX_LEFT_WITHIN;

  private final SimRun run;
  private final Simulation simulation;

  /** Of the fault that is carried out now. */
  private SplittableRandom random = new SplittableRandom(0);

  /** Whether it lasts: it ends some time after it began. */
  private boolean lasts;

  Nemesis(SimRun run) {
    this.run = run;
    this.simulation = run.simulation;
  }

  /** Schedules the fault. */
  void plan(ScheduledFault fault) {
    simulation.after(
        fault.atMillis() * Simulation.MILLI,
        () -> {
          random = new SplittableRandom(fault.dice());
          inject(fault.kind());
        });
  }

  private long between(double fromSeconds, double toSeconds) {
    double seconds = fromSeconds + random.nextDouble() * (toSeconds - fromSeconds);
    return (long) (seconds * Simulation.SECOND);
  }

  /** The fault ends after so long, by this. */
  private void endsAfter(long nanos, Runnable end) {
    lasts = true;
    simulation.after(
        nanos,
        () -> {
          end.run();
          run.progress.faultEnds();
        });
  }

  private void inject(FaultKind kind) {
    run.progress.faultBegins();
    lasts = false;
    switch (kind) {
      case PARTITION -> partition(true);
      case ONE_WAY -> partition(false);
      case NODE_CUT_OFF -> cutOff();
      case NODE_CRASH -> crashNode();
      case NODE_PAUSE -> pauseNode();
      case CLIENT_CRASH -> crashClient();
      case CLIENT_PAUSE -> stopClient(false);
      case SUSPEND -> stopClient(true);
      case WALL_JUMP -> jump();
      case SLEW -> slew();
      case INDEX_DELETED -> deleteIndex();
      case VM_PAUSE -> pauseMachine();
      case INDEX_SWAPPED -> swapIndex();
      case INDEX_RESTORED -> restoreIndex();
      case BODY_LIMIT -> limitBodies();
      case IDLE_DROP -> dropIdle();
      case OVERLOAD -> overload();
      case EXECUTORS_REJECT -> rejectTasks();
      default -> throw new IllegalArgumentException(kind + " is not of a schedule");
    }
    run.faultsInjected++;
    if (!lasts) {
      run.progress.faultEnds();
    }
  }

  private void partition(boolean bothWays) {
    int a = random.nextInt(run.endpoints());
    int b = random.nextInt(run.cluster.size());
    if (a != b) {
      simulation.log(() -> "CUT " + name(a) + (bothWays ? " <-> " : " -> ") + name(b), a, b);
      run.network.cut(a, b, true);
      run.network.cut(b, a, bothWays || run.network.isCut(b, a));
      run.cluster.somethingChanged();
      endsAfter(
          between(0.1, 12),
          () -> {
            simulation.log(() -> "HEAL " + name(a) + " " + name(b), a, b);
            run.network.cut(a, b, false);
            run.network.cut(b, a, false);
            run.cluster.somethingChanged();
          });
    }
  }

  private void cutOff() {
    int node = random.nextInt(run.cluster.size());
    simulation.log(() -> "CUT n" + node + " from the other nodes", node);
    cutFromNodes(node, true);
    endsAfter(
        between(0.5, 12),
        () -> {
          simulation.log(() -> "HEAL n" + node, node);
          cutFromNodes(node, false);
        });
  }

  private void cutFromNodes(int node, boolean isCut) {
    for (int other = 0; other < run.cluster.size(); other++) {
      if (other != node) {
        run.network.cut(node, other, isCut);
        run.network.cut(other, node, isCut);
      }
    }
    run.cluster.somethingChanged();
  }

  private void crashNode() {
    int node = random.nextInt(run.cluster.size());
    if (run.cluster.isUp(node)) {
      simulation.log(() -> "CRASH n" + node, node);
      run.cluster.crash(node);
      endsAfter(
          between(2.5, 10),
          () -> {
            if (!run.cluster.isUp(node)) {
              simulation.log(() -> "RESTART n" + node, node);
              run.cluster.restart(node);
            }
          });
    }
  }

  private void pauseNode() {
    int node = random.nextInt(run.cluster.size());
    if (run.cluster.isUp(node) && !run.cluster.isPaused(node)) {
      simulation.log(() -> "PAUSE n" + node, node);
      run.cluster.pause(node);
      endsAfter(
          between(0.2, 8),
          () -> {
            if (run.cluster.isPaused(node)) {
              simulation.log(() -> "RESUME n" + node, node);
              run.cluster.resume(node);
            }
          });
    }
  }

  private void crashClient() {
    int number = random.nextInt(run.clients.size());
    SimClient client = run.clients.get(number);
    simulation.log(() -> "CRASH c" + client.place, client.place);
    run.crashClient(number);
  }

  private void stopClient(boolean machineToo) {
    stop(run.clients.get(random.nextInt(run.clients.size())), machineToo);
  }

  private void stop(SimClient client, boolean machineToo) {
    Host host = client.host;
    boolean sleeps = machineToo && !run.setsClocksBack;
    if (host.isRunning()) {
      simulation.log(() -> (sleeps ? "SUSPEND c" : "PAUSE c") + client.place, client.place);
      if (sleeps) {
        host.suspend();
      } else {
        host.pause();
      }
      endsAfter(
          between(0.05, 8),
          () -> {
            simulation.log(() -> "RESUME c" + client.place, client.place);
            host.resume();
          });
    }
  }

  private void pauseMachine() {
    SimClient client = run.clients.get(random.nextInt(run.clients.size()));
    if (run.planted.clocksStayBehind()) {
      freeze(client, between(0.05, 8));
    } else if (!run.hasRoomForPauses) {
      // What sets wall clocks does so before anything else runs on the machine.
      stop(client, true);
    } else if (!client.host.wasFrozenWithin(SimRun.VM_PAUSE_APART)) {
      freeze(client, 1 + random.nextLong(SimRun.SHORT_VM_PAUSE));
    }
  }

  /** Both clocks stand still, and the wall clock is behind until it is set some time later. */
  private void freeze(SimClient client, long nanos) {
    Host host = client.host;
    if (!host.isRunning()) {
      return;
    }
    long later = between(0, 3);
    simulation.log(() -> "FREEZE c" + client.place + " for " + nanos, client.place, nanos);
    host.freeze();
    endsAfter(
        nanos,
        () -> {
          simulation.log(() -> "RESUME c" + client.place, client.place);
          host.resume();
          simulation.after(later, host::catchUp);
        });
  }

  private void rejectTasks() {
    SimClient client = run.clients.get(random.nextInt(run.clients.size()));
    simulation.log(() -> "EXECUTORS of c" + client.place + " reject", client.place);
    client.host.reject(true);
    endsAfter(
        between(0.5, 8),
        () -> {
          simulation.log(() -> "EXECUTORS of c" + client.place + " accept", client.place);
          client.host.reject(false);
        });
  }

  private void limitBodies() {
    long bytes = random.nextLong(MIN_BODY_BYTES, MAX_BODY_BYTES);
    simulation.log(() -> "BODIES of more than " + bytes + " bytes are rejected", bytes);
    Runnable end = run.network.limitBodies(bytes);
    endsAfter(between(2, 15), end);
  }

  private void dropIdle() {
    Network.IdleDrop drop = new Network.IdleDrop(between(0.5, 3), random.nextBoolean());
    simulation.log(() -> "CONNECTIONS die: " + drop, drop.afterNanos());
    Runnable end = run.network.dropIdle(drop);
    endsAfter(between(5, 20), end);
  }

  private void overload() {
    simulation.log(() -> "OVERLOAD", 0);
    Runnable end = run.network.overload();
    endsAfter(
        between(0.5, 6),
        () -> {
          simulation.log(() -> "OVERLOAD is over", 0);
          end.run();
        });
  }

  private void jump() {
    SimClient client = run.clients.get(random.nextInt(run.clients.size()));
    // From anywhere in the allowed range to anywhere in it.
    long anywhere = run.randomWallOffset(random);
    long offset = run.setsClocksBack ? anywhere : Math.max(anywhere, client.host.wallOffset());
    simulation.log(() -> "CLOCK of c" + client.place + " is off by " + offset, offset);
    client.host.setWallOffset(offset);
  }

  private void slew() {
    SimClient client = run.clients.get(random.nextInt(run.clients.size()));
    double rate = run.planted.slewed(run.randomRate(random));
    simulation.log(() -> "CLOCKS of c" + client.place + " run at " + rate, client.place);
    client.host.slew(rate);
  }

  private void deleteIndex() {
    Incarnation gone = run.cluster.incarnation();
    if (gone != null && run.cluster.era() < MAX_ERA) {
      ended(gone);
      raiseEra();
      run.cluster.deleteIndex();
    }
  }

  private void ended(Incarnation index) {
    run.invariants.indexEnded(index);
    // When this fault has ended too.
    simulation.after(
        0,
        () ->
            run.progress.ifUndisturbed(
                INDEX_LEFT_WITHIN, since -> run.invariants.checkLeft(index, since)));
  }

  private void raiseEra() {
    if (run.planted.raisesTheEra()) {
      run.cluster.raiseEra();
    }
  }

  private void swapIndex() {
    boolean keepsOld = random.nextBoolean();
    if (run.cluster.era() == MAX_ERA) {
      return;
    }
    // The next index has the raised era, as its mapping says.
    raiseEra();
    Incarnation old = run.cluster.swapIndex(keepsOld);
    if (old != null) {
      ended(old);
    }
  }

  /** Back to what it was some seconds ago; and then, as operators are told to, to a new one. */
  private void restoreIndex() {
    SimCluster.Snapshot snapshot = run.cluster.snapshot();
    long restoredAfter = between(0.1, 4);
    long deletedAfter = between(0.1, RESTORED_SECONDS);
    if (snapshot == null) {
      return;
    }
    lasts = true;
    simulation.after(
        restoredAfter,
        () -> {
          restore(snapshot);
          simulation.after(
              deletedAfter,
              () -> {
                deleteRestored(snapshot);
                run.progress.faultEnds();
              });
        });
  }

  private void restore(SimCluster.Snapshot snapshot) {
    Incarnation made = run.cluster.era() == MAX_ERA ? null : run.cluster.restore(snapshot);
    if (made != null) {
      run.invariants.indexEnded(snapshot.incarnation());
      if (run.planted.deletesWhatWasRestored()) {
        run.invariants.indexRestored(made);
      }
    }
  }

  private void deleteRestored(SimCluster.Snapshot snapshot) {
    if (run.planted.deletesWhatWasRestored() && run.cluster.isRestoredFrom(snapshot)) {
      deleteIndex();
    }
  }

  private String name(int endpoint) {
    return endpoint < run.cluster.size() ? "n" + endpoint : "c" + endpoint;
  }
}
