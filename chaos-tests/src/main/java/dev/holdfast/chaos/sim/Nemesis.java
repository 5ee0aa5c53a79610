package dev.holdfast.chaos.sim;

import dev.holdfast.chaos.sim.Faults.FaultKind;
import dev.holdfast.lock.store.Incarnation;
import java.util.SplittableRandom;

/** Injects the faults of a schedule: all but those of single messages and of clock rates. */
final class Nemesis {
  private final SimRun run;
  private final Simulation simulation;

  /** Of the fault that is carried out now. */
  private SplittableRandom random = new SplittableRandom(0);

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

  private void inject(FaultKind kind) {
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
      default -> throw new IllegalArgumentException(kind + " is not of a schedule");
    }
    run.faultsInjected++;
  }

  private void partition(boolean bothWays) {
    int a = random.nextInt(run.endpoints());
    int b = random.nextInt(run.cluster.size());
    if (a != b) {
      simulation.log(() -> "CUT " + name(a) + (bothWays ? " <-> " : " -> ") + name(b), a, b);
      run.network.cut(a, b, true);
      run.network.cut(b, a, bothWays || run.network.isCut(b, a));
      run.cluster.somethingChanged();
      simulation.after(
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
    simulation.after(
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
      simulation.after(
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
      simulation.after(
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
    SimClient client = run.clients.get(random.nextInt(run.clients.size()));
    Host host = client.host;
    boolean sleeps = machineToo && !run.setsClocksBack;
    if (host.isRunning()) {
      simulation.log(() -> (sleeps ? "SUSPEND c" : "PAUSE c") + client.place, client.place);
      if (sleeps) {
        host.suspend();
      } else {
        host.pause();
      }
      simulation.after(
          between(0.05, 8),
          () -> {
            simulation.log(() -> "RESUME c" + client.place, client.place);
            host.resume();
          });
    }
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
    double rate = run.randomRate(random);
    simulation.log(() -> "CLOCKS of c" + client.place + " run at " + rate, client.place);
    client.host.slew(rate);
  }

  private void deleteIndex() {
    Incarnation gone = run.cluster.incarnation();
    if (gone != null) {
      run.invariants.indexDeleted(gone);
      run.cluster.raiseEra();
      run.cluster.deleteIndex();
    }
  }

  private String name(int endpoint) {
    return endpoint < run.cluster.size() ? "n" + endpoint : "c" + endpoint;
  }
}
