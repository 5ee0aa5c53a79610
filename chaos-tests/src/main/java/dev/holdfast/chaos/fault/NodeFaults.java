package dev.holdfast.chaos.fault;

import dev.holdfast.chaos.arena.Arena;
import dev.holdfast.chaos.fault.Stage.Part;
import dev.holdfast.cluster.Node;
import eu.rekawek.toxiproxy.model.Toxic;
import eu.rekawek.toxiproxy.model.ToxicDirection;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Faults of nodes, and between them. Stateless. */
public final class NodeFaults {

  /** While this lasts, there is no majority of nodes for certain. */
  public static final String NO_MAJORITY = "no-majority";

  private static final String ROLLING_RESTART = "rolling-restart";

  private NodeFaults() {}

  private interface Act {
    void on(Stage stage, Node node) throws Exception;
  }

  /** The node is killed, and started again in the end. */
  public static Disruption kill(Part part) {
    return new NodeFault(
        "node-killed", part, (stage, node) -> node.kill(), (stage, node) -> node.relaunch());
  }

  /** The node is stopped in an orderly way, and started again in the end. */
  public static Disruption stop(Part part) {
    return new NodeFault(
        "node-stopped", part, (stage, node) -> node.stop(), (stage, node) -> node.relaunch());
  }

  /** One node's part in a rolling restart beside which other things go on. */
  public static Disruption roll(String node) {
    return new Stop(ROLLING_RESTART, node);
  }

  /** The node stands still, and goes on in the end as if nothing had happened. */
  public static Disruption pause(Part part) {
    return new NodeFault(
        "node-paused", part, (stage, node) -> node.pause(), (stage, node) -> node.resume());
  }

  /** The node is stopped in an orderly way and started again at once. */
  public static Disruption restart(Part part) {
    return new NodeFault(
        "node-restarted",
        part,
        (stage, node) -> {
          node.stop();
          node.relaunch();
        },
        (stage, node) -> node.awaitUp());
  }

  /** All nodes one after the other are stopped, and started again, and waited for. */
  public static Disruption roll() {
    return new Simple(ROLLING_RESTART, "n1, n2, n3") {
      @Override
      List<Node> victims(Stage stage) {
        return allNodes(stage);
      }

      @Override
      void begin(Stage stage) throws Exception {
        for (Node node : stage.arena().cluster().nodes()) {
          stage.nemesis().nemesis("start-node-stopped", target(node.name()));
          node.stop();
          node.relaunch();
          node.awaitUp();
          stage.nemesis().nemesis("stop-node-stopped", target(node.name()));
          stage.arena().cluster().awaitGreen(Duration.ofMinutes(2));
        }
      }

      @Override
      void end(Stage stage) {
        // Each is back already.
      }
    };
  }

  /** All nodes are stopped, and all started again in the end. */
  public static Disruption stopAll() {
    return new Stop("cluster-stopped", "n1, n2, n3");
  }

  private static final class Stop extends Simple {
    private final List<String> nodes;

    Stop(String name, String nodes) {
      super(name, nodes);
      this.nodes = List.of(nodes.split(", "));
    }

    @Override
    List<Node> victims(Stage stage) {
      return allNodes(stage).stream().filter(node -> nodes.contains(node.name())).toList();
    }

    @Override
    void begin(Stage stage) {
      victims(stage).parallelStream().forEach(Node::stop); // without a master it takes a node long
    }

    @Override
    void end(Stage stage) {
      victims(stage).forEach(Node::relaunch);
    }
  }

  /** Two of the three nodes are killed, and started again in the end. */
  public static Disruption killMajority(String survivor) {
    return new Simple("majority-killed", "all but " + survivor) {
      @Override
      List<Node> victims(Stage stage) {
        return allNodes(stage).stream().filter(node -> !node.name().equals(survivor)).toList();
      }

      @Override
      void begin(Stage stage) {
        victims(stage).forEach(Node::kill);
        stage.nemesis().nemesis("start-" + NO_MAJORITY, target("cluster"));
      }

      @Override
      void end(Stage stage) {
        stage.nemesis().nemesis("stop-" + NO_MAJORITY, target("cluster"));
        victims(stage).forEach(Node::relaunch);
      }
    };
  }

  /** Nothing that others send reaches the node; needs no privileges. */
  public static Disruption cutInbound(Part part) {
    return new Disruption() {
      @Override
      public String name() {
        return "node-inbound-cut";
      }

      @Override
      public Optional<Injection> aim(Stage stage) throws InterruptedException {
        List<Toxic> toxics = new ArrayList<>();
        return stage
            .find(part)
            .map(
                node ->
                    injection(
                        stage,
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
  public enum Direction {
    /** Those of the node and those to it. */
    BOTH("node-partitioned"),
    /** Those of the node. */
    OUTBOUND("node-outbound-partitioned"),
    /** Those to the node. */
    INBOUND("node-inbound-partitioned");

    private final String text;

    Direction(String text) {
      this.text = text;
    }
  }

  /** Packets between the node and the others are dropped; clients reach all of them. */
  public static Disruption partition(Part part, Direction direction) {
    return new NodeFault(
        direction.text,
        part,
        (stage, node) -> change(stage, node, direction, true),
        (stage, node) -> change(stage, node, direction, false)) {

      @Override
      public Optional<String> missing(Arena arena) {
        return reason(arena.whyNoPartitions());
      }
    };
  }

  private static void change(Stage stage, Node node, Direction direction, boolean block)
      throws IOException {
    for (Node other : stage.arena().cluster().nodes()) {
      if (other != node) {
        if (direction != Direction.INBOUND) {
          change(stage.arena(), node, other, block);
        }
        if (direction != Direction.OUTBOUND) {
          change(stage.arena(), other, node, block);
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
  public static Disruption disconnect(Part part) {
    return new NodeFault(
        "node-disconnected",
        part,
        (stage, node) -> stage.arena().disconnect(node),
        (stage, node) -> {
          stage.awaitEffect(() -> !stage.arena().cluster().isGreen(), "nobody misses " + node);
          stage.arena().reconnect(node);
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

  private static Disruption.Injection injection(
      Stage stage, Part part, Node node, Act begin, Act end) {
    return new Disruption.Injection() {
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
        boolean unused = stage.disturb(node);
        begin.on(stage, node);
      }

      @Override
      public void end() throws Exception {
        try {
          end.on(stage, node);
        } finally {
          stage.leave(node);
        }
      }
    };
  }

  private static class NodeFault implements Disruption {
    private final String name;
    private final Part part;
    private final Act begin;
    private final Act end;

    NodeFault(String name, Part part, Act begin, Act end) {
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
    public Optional<Injection> aim(Stage stage) throws InterruptedException {
      return stage.find(part).map(node -> injection(stage, part, node, begin, end));
    }
  }

  private static List<Node> allNodes(Stage stage) {
    return List.copyOf(stage.arena().cluster().nodes());
  }

  /** A fault whose target does not have to be looked for. */
  private abstract static class Simple implements Disruption {
    private final String name;
    private final String target;

    Simple(String name, String target) {
      this.name = name;
      this.target = target;
    }

    abstract void begin(Stage stage) throws Exception;

    abstract void end(Stage stage) throws Exception;

    /** The nodes that must be whole before, and are not to be broken further meanwhile. */
    abstract List<Node> victims(Stage stage);

    @Override
    public String name() {
      return name;
    }

    @Override
    public Optional<Injection> aim(Stage stage) {
      List<Node> victims = victims(stage);
      if (victims.stream().anyMatch(stage::isDisturbed)) {
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
                boolean unused = stage.disturb(node);
              }
              Simple.this.begin(stage);
            }

            @Override
            public void end() throws Exception {
              try {
                Simple.this.end(stage);
              } finally {
                victims.forEach(stage::leave);
              }
            }
          });
    }
  }
}
