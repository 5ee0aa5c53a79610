package dev.holdfast.chaos.sim;

import dev.holdfast.chaos.sim.Faults.FaultKind;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

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

  /** Of the requests while the cluster is overloaded. */
  private static final double REJECTED = 0.9;

  private final Simulation simulation;
  private final SplittableRandom random;
  private final boolean[][] cut;
  private final List<Long> bodyLimits = new ArrayList<>();
  private final List<IdleDrop> idleDrops = new ArrayList<>();
  private int overloads;
  private Faults faults;

  /**
   * What drops connections.
   *
   * @param afterNanos that were idle for longer
   * @param resets whether it tells, as soon as one is used
   */
  record IdleDrop(long afterNanos, boolean resets) {}

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

  // --- Proxies, and rejections

  /** A proxy rejects larger requests, until this is run. */
  Runnable limitBodies(long bytes) {
    Long limit = bytes;
    bodyLimits.add(limit);
    return () -> bodyLimits.remove(limit);
  }

  /** The largest request that passes now. */
  long maxBytes() {
    long most = Long.MAX_VALUE;
    for (long limit : bodyLimits) {
      most = Math.min(most, limit);
    }
    return most;
  }

  /** Connections that are idle die, until this is run. */
  Runnable dropIdle(IdleDrop drop) {
    idleDrops.add(drop);
    return () -> idleDrops.remove(drop);
  }

  /** What has dropped a connection that was idle for so long; null if it is alive. */
  @Nullable IdleDrop droppedBy(long idleNanos) {
    for (IdleDrop drop : idleDrops) {
      if (idleNanos > drop.afterNanos) {
        return drop;
      }
    }
    return null;
  }

  /** Nearly all requests are rejected, until this is run. */
  Runnable overload() {
    overloads++;
    return () -> overloads = Math.max(0, overloads - 1);
  }

  /** Returns whether this request is rejected, as too many wait. */
  boolean rejects() {
    return overloads > 0 && random.nextDouble() < REJECTED;
  }

  /** From now on messages arrive quickly, and all of them. */
  void heal() {
    bodyLimits.clear();
    idleDrops.clear();
    overloads = 0;
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
