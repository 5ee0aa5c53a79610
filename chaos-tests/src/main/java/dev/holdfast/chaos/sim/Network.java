package dev.holdfast.chaos.sim;

import dev.holdfast.chaos.sim.Faults.FaultKind;
import java.util.Arrays;
import java.util.SplittableRandom;

/**
 * The network between machines: every message takes its time, some take long, some are lost.
 * Endpoints are numbers: first the nodes, then the clients' places.
 */
final class Network {
  /* Latencies as of a node that is not busy: from a tenth of a millisecond to about two. */
  private static final long FASTEST = Simulation.MILLI / 10;
  private static final long USUAL_SPREAD = 2 * Simulation.MILLI;

  /** Beyond all TTLs of a run. */
  private static final long SLOWEST = 12 * Simulation.SECOND;

  private final Simulation simulation;
  private final SplittableRandom random;
  private final boolean[][] cut;
  private Faults faults;

  Network(Simulation simulation, Faults faults, int endpoints) {
    this.simulation = simulation;
    this.random = simulation.fork();
    this.faults = faults;
    this.cut = new boolean[endpoints][endpoints];
  }

  void cut(int from, int to, boolean isCut) {
    cut[from][to] = isCut;
  }

  boolean isCut(int from, int to) {
    return cut[from][to];
  }

  /** Returns whether both can talk to each other. */
  boolean areConnected(int a, int b) {
    return !cut[a][b] && !cut[b][a];
  }

  /** From now on messages arrive quickly, and all of them. */
  void heal() {
    for (boolean[] row : cut) {
      Arrays.fill(row, false);
    }
    faults = Faults.none();
  }

  /** Sends a message between nodes, which is lost only if the way is cut. */
  void send(int from, int to, Runnable arrives) {
    simulation.after(
        delay(),
        () -> {
          if (!cut[from][to]) {
            arrives.run();
          }
        });
  }

  /** Sends a client's request. */
  void request(int from, int to, Runnable arrives) {
    if (!happens(FaultKind.REQUEST_LOST)) {
      send(from, to, arrives);
    }
  }

  /** Sends the answer to a client. */
  void reply(int from, int to, Runnable arrives) {
    if (!happens(FaultKind.REPLY_LOST)) {
      send(from, to, arrives);
    }
  }

  /** Returns whether this message is sent twice. */
  boolean duplicates() {
    return happens(FaultKind.DUPLICATE);
  }

  /** Returns whether a node rejects one operation of a request. */
  boolean refusesOne() {
    return happens(FaultKind.WRITE_REFUSED);
  }

  private boolean happens(FaultKind kind) {
    double rate = faults.rate(kind);
    return rate > 0 && random.nextDouble() < rate;
  }

  /** Returns how long something may take that takes another path, drawn from another source. */
  long someDelay(SplittableRandom drawn) {
    return drawn.nextInt(20) == 0
        ? drawn.nextLong(SLOWEST)
        : FASTEST + drawn.nextLong(USUAL_SPREAD);
  }

  private long delay() {
    if (happens(FaultKind.DELAY)) {
      return random.nextLong(SLOWEST);
    }
    double u = random.nextDouble();
    return FASTEST + (long) (u * u * USUAL_SPREAD);
  }
}
