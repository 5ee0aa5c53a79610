package dev.holdfast.bench.ttl;

import dev.holdfast.cluster.Cluster;
import dev.holdfast.cluster.ElasticsearchNode;
import dev.holdfast.cluster.Partitions;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Measures how long renewals wait when the node with the primary of the lock index goes: measured
 * on a cluster of three nodes on this machine, with Elasticsearch's default fault detection. How
 * long it takes is mostly a matter of those settings, so it tells about other clusters with the
 * same.
 */
final class Failover {
  /**
   * The time that Elasticsearch takes to drop a silent node at its defaults, roughly: three checks
   * of 10 s, a second apart, and the publication of the new state.
   */
  static final Duration SILENT_NODE = Duration.ofSeconds(35);

  private static final Duration BEFORE = Duration.ofSeconds(3);

  /** A second without an acknowledgement is a part of the failover. */
  private static final Duration STALL = Duration.ofSeconds(1);

  /** So long must renewals be acknowledged again until the failover counts as over. */
  private static final Duration AFTER = Duration.ofSeconds(10);

  private static final Duration LIMIT = Duration.ofMinutes(2);
  private static final Duration GREEN_LIMIT = Duration.ofMinutes(3);

  /** About what a hundred leases of 30 s need. */
  private static final int MAX_PER_SECOND = 10;

  /** Kinds of failure of a node. */
  enum FailoverKind {
    /** Its process is gone, and its connections are reset. */
    KILLED,
    /** It is paused (SIGSTOP), its connections stay open. */
    PAUSED,
    /** It and the other nodes cannot reach each other; clients reach all. */
    CUT_OFF;

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
  }

  /**
   * A measured failover, or the reason why there is none.
   *
   * @param gapSeconds the longest time in which no renewal at all was acknowledged
   * @param waitSeconds the longest that a renewal that was due had to wait for its acknowledgement,
   *     with all attempts that the library needed
   * @param recovered whether renewals were acknowledged steadily again before the cluster was
   *     restored; if not, the wait is only as long as we looked
   * @param skipped why nothing was measured; empty if it was
   */
  record FailoverOutcome(
      FailoverKind kind, double gapSeconds, double waitSeconds, boolean recovered, String skipped) {
    boolean isMeasured() {
      return skipped.isEmpty();
    }
  }

  private final Cluster<ElasticsearchNode> cluster;
  private final int perSecond;
  private final ProgressPrinter progress;

  Failover(Cluster<ElasticsearchNode> cluster, int perSecond, ProgressPrinter progress) {
    this.cluster = cluster;
    this.perSecond = Math.min(perSecond, MAX_PER_SECOND);
    this.progress = progress;
  }

  /** Injects each kind a number of times, and restores the cluster after each. */
  List<FailoverOutcome> measure(Collection<FailoverKind> kinds, int rounds)
      throws InterruptedException {
    List<FailoverOutcome> outcomes = new ArrayList<>();
    try (Renewals renewals = Renewals.open(Target.of(cluster.httpUris()), perSecond)) {
      for (int round = 1; round <= rounds; round++) {
        for (FailoverKind kind : kinds) {
          outcomes.add(
              kind == FailoverKind.CUT_OFF ? cutOff(renewals) : measure(kind, renewals, null));
        }
      }
    }
    return outcomes;
  }

  private FailoverOutcome cutOff(Renewals renewals) throws InterruptedException {
    Optional<ElasticsearchNode> nobody =
        cluster.nodes().stream().filter(node -> node.uid().isEmpty()).findFirst();
    if (nobody.isPresent()) {
      return skipped("all nodes run as one user, so that packets cannot be told apart (be root)");
    }
    try (Partitions partitions = Partitions.open()) {
      return measure(FailoverKind.CUT_OFF, renewals, partitions);
    } catch (IOException e) {
      return skipped(e.getMessage() + "");
    }
  }

  private static FailoverOutcome skipped(String why) {
    return new FailoverOutcome(FailoverKind.CUT_OFF, 0, 0, false, why);
  }

  private FailoverOutcome measure(
      FailoverKind kind, Renewals renewals, @Nullable Partitions partitions)
      throws InterruptedException {
    cluster.awaitGreen(GREEN_LIMIT);
    ElasticsearchNode node =
        cluster
            .primaryOf(renewals.index())
            .orElseThrow(() -> new MeasurementException("the lock index has no primary"));
    progress.begin("The node with the primary, " + node.name() + ", is " + kind);
    FailoverFault fault = new FailoverFault(kind, node, partitions);
    Renewals.RenewalRun run;
    try {
      run =
          renewals.run(
              perSecond, Math.toIntExact(2 * LIMIT.toSeconds() * perSecond), fault, progress);
    } finally {
      fault.restore();
    }
    cluster.awaitGreen(GREEN_LIMIT);
    return new FailoverOutcome(
        kind, run.longestGapSeconds(), run.longestLatencySeconds(), fault.recovered, "");
  }

  /** Injects the fault once, and notes when the cluster has recovered. */
  private final class FailoverFault implements Renewals.Watch {
    private final FailoverKind kind;
    private final ElasticsearchNode node;
    private final @Nullable Partitions partitions;
    private boolean struck;
    private boolean recovered;
    private long lastStall;

    FailoverFault(FailoverKind kind, ElasticsearchNode node, @Nullable Partitions partitions) {
      this.kind = kind;
      this.node = node;
      this.partitions = partitions;
    }

    @Override
    public boolean isOver(long nanos, long lastAcknowledgedNanos) {
      if (!struck) {
        if (nanos >= BEFORE.toNanos()) {
          struck = true;
          lastStall = nanos;
          inject();
        }
        return false;
      }
      if (nanos - lastAcknowledgedNanos >= STALL.toNanos()) {
        lastStall = nanos;
      }
      recovered = nanos - lastStall >= AFTER.toNanos();
      if (recovered || nanos >= LIMIT.toNanos()) {
        // Now, not when all that is due has been acknowledged: it may take the node for that.
        restore();
        return true;
      }
      return false;
    }

    private void inject() {
      switch (kind) {
        case KILLED -> node.kill();
        case PAUSED -> node.pause();
        case CUT_OFF -> cut();
      }
    }

    private void cut() {
      Partitions rules = java.util.Objects.requireNonNull(partitions);
      try {
        for (ElasticsearchNode other : cluster.nodes()) {
          if (other != node) {
            rules.block(node.uid().orElseThrow(), other.transportPort());
            rules.block(other.uid().orElseThrow(), node.transportPort());
          }
        }
      } catch (IOException e) {
        throw new MeasurementException("the node could not be cut off: " + e.getMessage(), e);
      }
    }

    void restore() {
      progress.say("  restoring the cluster");
      if (partitions != null) {
        try {
          partitions.clear();
        } catch (IOException e) {
          throw new MeasurementException(
              "the partition could not be removed: " + e.getMessage(), e);
        }
      }
      cluster.reviveAll();
    }
  }
}
