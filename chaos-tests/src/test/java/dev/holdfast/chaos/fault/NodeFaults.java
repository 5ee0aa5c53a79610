package dev.holdfast.chaos.fault;

import dev.holdfast.chaos.arena.Arena;
import dev.holdfast.chaos.fault.FaultContext.NodeRole;
import dev.holdfast.cluster.Node;
import eu.rekawek.toxiproxy.model.Toxic;
import eu.rekawek.toxiproxy.model.ToxicDirection;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/** Faults of nodes, and between them. Stateless. */
public final class NodeFaults {

  /** While this lasts, there is no majority of nodes for certain. */
  public static final String NO_MAJORITY = "no-majority";

  private static final String ROLLING_RESTART = "rolling-restart";

  private NodeFaults() {}

  private interface NodeAction {
    void on(FaultContext context, Node node) throws Exception;
  }

  /** The node is killed, and started again in the end. */
  public static Fault kill(NodeRole part) {
    return new NodeFault(
        "node-killed", part, (context, node) -> node.kill(), (context, node) -> node.relaunch());
  }

  /** The node is stopped in an orderly way, and started again in the end. */
  public static Fault stop(NodeRole part) {
    return new NodeFault(
        "node-stopped", part, (context, node) -> node.stop(), (context, node) -> node.relaunch());
  }

  /** One node's part in a rolling restart beside which other things go on. */
  public static Fault roll(String node) {
    return new Stop(ROLLING_RESTART, node);
  }

  /** The node pauses, and resumes as if nothing had happened. */
  public static Fault pause(NodeRole part) {
    return new NodeFault(
        "node-paused", part, (context, node) -> node.pause(), (context, node) -> node.resume());
  }

  /**
   * The node pauses for a moment again and again, as in long garbage collections. Counts the
   * pauses.
   */
  public static Fault stutter(NodeRole part, long pausedMillis, long runningMillis) {
    return new Fault() {
      @Override
      public String name() {
        return "node-stutters";
      }

      @Override
      public Optional<Injection> aim(FaultContext context) throws InterruptedException {
        return context
            .find(part)
            .map(
                node -> {
                  AtomicReference<@Nullable Pulses> pulses = new AtomicReference<>();
                  Injection injection =
                      injection(
                          context,
                          part,
                          node,
                          (s, n) ->
                              pulses.set(
                                  new Pulses(
                                      n.name(), n::pause, n::resume, pausedMillis, runningMillis)),
                          (s, n) -> Objects.requireNonNull(pulses.get()).end());
                  return new Counted(
                      injection, () -> Objects.requireNonNull(pulses.get()).pauses());
                });
      }
    };
  }

  private record Counted(Fault.Injection injection, LongSupplier counter)
      implements Fault.Injection {

    @Override
    public String target() {
      return injection.target();
    }

    @Override
    public void begin() throws Exception {
      injection.begin();
    }

    @Override
    public void end() throws Exception {
      injection.end();
    }

    @Override
    public OptionalLong hits() {
      return OptionalLong.of(counter.getAsLong());
    }
  }

  /** The node is stopped in an orderly way and started again at once. */
  public static Fault restart(NodeRole part) {
    return new NodeFault(
        "node-restarted",
        part,
        (context, node) -> {
          node.stop();
          node.relaunch();
        },
        (context, node) -> node.awaitUp());
  }

  /** All nodes one after the other are stopped, and started again, and waited for. */
  public static Fault roll() {
    return new Simple(ROLLING_RESTART, "n1, n2, n3") {
      @Override
      List<Node> victims(FaultContext context) {
        return allNodes(context);
      }

      @Override
      void begin(FaultContext context) throws Exception {
        for (Node node : context.arena().cluster().nodes()) {
          context.nemesis().nemesis("start-node-stopped", target(node.name()));
          node.stop();
          node.relaunch();
          node.awaitUp();
          context.nemesis().nemesis("stop-node-stopped", target(node.name()));
          context.arena().cluster().awaitGreen(Duration.ofMinutes(2));
        }
      }

      @Override
      void end(FaultContext context) {
        // Each is back already.
      }
    };
  }

  /** All nodes are stopped, and all started again in the end. */
  public static Fault stopAll() {
    return new Stop("cluster-stopped", "n1, n2, n3");
  }

  private static final class Stop extends Simple {
    private final List<String> nodes;

    Stop(String name, String nodes) {
      super(name, nodes);
      this.nodes = List.of(nodes.split(", "));
    }

    @Override
    List<Node> victims(FaultContext context) {
      return allNodes(context).stream().filter(node -> nodes.contains(node.name())).toList();
    }

    @Override
    void begin(FaultContext context) {
      victims(context).parallelStream()
          .forEach(Node::stop); // without a master it takes a node long
    }

    @Override
    void end(FaultContext context) {
      victims(context).forEach(Node::relaunch);
    }
  }

  /** Two of the three nodes are killed, and started again in the end. */
  public static Fault killMajority(String survivor) {
    return new Simple("majority-killed", "all but " + survivor) {
      @Override
      List<Node> victims(FaultContext context) {
        return allNodes(context).stream().filter(node -> !node.name().equals(survivor)).toList();
      }

      @Override
      void begin(FaultContext context) {
        victims(context).forEach(Node::kill);
        context.nemesis().nemesis("start-" + NO_MAJORITY, target("cluster"));
      }

      @Override
      void end(FaultContext context) {
        context.nemesis().nemesis("stop-" + NO_MAJORITY, target("cluster"));
        victims(context).forEach(Node::relaunch);
      }
    };
  }

  /** Nothing that others send reaches the node; needs no privileges. */
  public static Fault cutInbound(NodeRole part) {
    return new Fault() {
      @Override
      public String name() {
        return "node-inbound-cut";
      }

      @Override
      public Optional<Injection> aim(FaultContext context) throws InterruptedException {
        List<Toxic> toxics = new ArrayList<>();
        return context
            .find(part)
            .map(
                node ->
                    injection(
                        context,
                        part,
                        node,
                        (s, n) -> {
                          var proxy = s.arena().inbound(n);
                          toxics.add(
                              proxy.toxics().timeout("inbound-up", ToxicDirection.UPSTREAM, 0));
                          toxics.add(
                              proxy.toxics().timeout("inbound-down", ToxicDirection.DOWNSTREAM, 0));
                        },
                        (s, n) -> {
                          for (Toxic toxic : toxics) {
                            toxic.remove();
                          }
                        }));
      }
    };
  }

  /** Which requests between a node and the others are dropped. */
  public enum CutDirection {
    /** Those of the node and those to it. */
    BOTH("node-partitioned"),
    /** Those of the node. */
    OUTBOUND("node-outbound-partitioned"),
    /** Those to the node. */
    INBOUND("node-inbound-partitioned");

    private final String text;

    CutDirection(String text) {
      this.text = text;
    }
  }

  /** Packets between the node and the others are dropped; clients reach all of them. */
  public static Fault partition(NodeRole part, CutDirection direction) {
    return new NodeFault(
        direction.text,
        part,
        (context, node) -> change(context, node, direction, true),
        (context, node) -> change(context, node, direction, false)) {

      @Override
      public Optional<String> missing(Arena arena) {
        return reason(arena.whyNoPartitions());
      }
    };
  }

  private static void change(FaultContext context, Node node, CutDirection direction, boolean block)
      throws IOException {
    for (Node other : context.arena().cluster().nodes()) {
      if (other != node) {
        if (direction != CutDirection.INBOUND) {
          change(context.arena(), node, other, block);
        }
        if (direction != CutDirection.OUTBOUND) {
          change(context.arena(), other, node, block);
        }
      }
    }
  }

  private static void change(Arena arena, Node from, Node to, boolean block) throws IOException {
    if (block) {
      arena.block(from, to);
    } else {
      arena.unblock(from, to);
    }
  }

  /** The node is taken from the network of the nodes, and put back in the end. */
  public static Fault disconnect(NodeRole part) {
    return new NodeFault(
        "node-disconnected",
        part,
        (context, node) -> context.arena().disconnect(node),
        (context, node) -> {
          context.awaitEffect(
              () -> !context.arena().cluster().isGreen(),
              "the cluster did not notice the loss of " + node);
          context.arena().reconnect(node);
        }) {

      @Override
      public Optional<String> missing(Arena arena) {
        return reason(arena.whyNoDisconnecting());
      }
    };
  }

  private static Optional<String> reason(String text) {
    return text.isEmpty() ? Optional.empty() : Optional.of(text);
  }

  private static Map<String, Object> target(String name) {
    return Map.of(dev.holdfast.history.Vocabulary.TARGET, name);
  }

  private static Fault.Injection injection(
      FaultContext context, NodeRole part, Node node, NodeAction begin, NodeAction end) {
    return new Fault.Injection() {
      @Override
      public String target() {
        return node.name()
            + switch (part) {
              case PRIMARY -> ", the primary";
              case MASTER -> ", the master";
              case ANY -> "";
            };
      }

      @Override
      public void begin() throws Exception {
        boolean unused = context.disturb(node);
        begin.on(context, node);
      }

      @Override
      public void end() throws Exception {
        try {
          end.on(context, node);
        } finally {
          context.leave(node);
        }
      }
    };
  }

  private static class NodeFault implements Fault {
    private final String name;
    private final NodeRole part;
    private final NodeAction begin;
    private final NodeAction end;

    NodeFault(String name, NodeRole part, NodeAction begin, NodeAction end) {
      this.name = name;
      this.part = part;
      this.begin = begin;
      this.end = end;
    }

    @Override
    public String name() {
      return name;
    }

    @Override
    public Optional<Injection> aim(FaultContext context) throws InterruptedException {
      return context.find(part).map(node -> injection(context, part, node, begin, end));
    }
  }

  private static List<Node> allNodes(FaultContext context) {
    return List.copyOf(context.arena().cluster().nodes());
  }

  /** A fault whose target does not have to be looked for. */
  private abstract static class Simple implements Fault {
    private final String name;
    private final String target;

    Simple(String name, String target) {
      this.name = name;
      this.target = target;
    }

    abstract void begin(FaultContext context) throws Exception;

    abstract void end(FaultContext context) throws Exception;

    /** The nodes that must be whole before, and are not to be broken further meanwhile. */
    abstract List<Node> victims(FaultContext context);

    @Override
    public String name() {
      return name;
    }

    @Override
    public Optional<Injection> aim(FaultContext context) {
      List<Node> victims = victims(context);
      if (victims.stream().anyMatch(context::isDisturbed)) {
        return Optional.empty();
      }
      return Optional.of(
          new Injection() {
            @Override
            public String target() {
              return target;
            }

            @Override
            public void begin() throws Exception {
              for (Node node : victims) {
                boolean unused = context.disturb(node);
              }
              Simple.this.begin(context);
            }

            @Override
            public void end() throws Exception {
              try {
                Simple.this.end(context);
              } finally {
                victims.forEach(context::leave);
              }
            }
          });
    }
  }
}
