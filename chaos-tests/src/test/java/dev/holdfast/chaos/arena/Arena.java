package dev.holdfast.chaos.arena;

import dev.holdfast.cluster.Cluster;
import dev.holdfast.cluster.ElasticsearchVersion;
import dev.holdfast.cluster.Node;
import eu.rekawek.toxiproxy.Proxy;
import eu.rekawek.toxiproxy.ToxiproxyClient;
import eu.rekawek.toxiproxy.model.Toxic;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A cluster of three nodes in which everything can be broken: every client reaches every node
 * through a proxy of its own, the nodes reach each other through one proxy for each node's inbound
 * side, and where this machine allows it they can be partitioned. Not thread-safe.
 */
public abstract class Arena implements AutoCloseable {

  /** The number of clients at a time, numbered from 0. */
  public static final int CLIENTS = 3;

  private static final Duration GREEN_LIMIT = Duration.ofMinutes(3);

  private final List<Proxy> proxies = new ArrayList<>();
  private final Map<String, Proxy> inbound = new LinkedHashMap<>();
  private final Map<String, ProxiedUri> links = new LinkedHashMap<>();
  private @Nullable Cluster<?> cluster;
  private int toxiproxyRestarts;

  /** A proxy, and where it listens as clients see it. */
  private record ProxiedUri(Proxy proxy, URI uri) {}

  Arena() {}

  /**
   * Starts one whose nodes are processes.
   *
   * @param settings for {@code elasticsearch.yml} of each node
   */
  public static Arena start(ElasticsearchVersion version, Map<String, String> settings)
      throws InterruptedException {
    return opened(new ProcessArena(), version, settings);
  }

  /**
   * Starts one whose nodes are containers.
   *
   * @param settings for each node
   * @throws IllegalStateException if there is {@link dev.holdfast.cluster.ContainerNode
   *     #unsupportedReason no Docker}
   */
  public static Arena startInContainers(ElasticsearchVersion version, Map<String, String> settings)
      throws InterruptedException {
    return opened(new ContainerArena(), version, settings);
  }

  private static Arena opened(
      Arena arena, ElasticsearchVersion version, Map<String, String> settings)
      throws InterruptedException {
    try {
      arena.cluster = arena.open(version, settings);
      return arena;
    } catch (IOException e) {
      arena.close();
      throw new UncheckedIOException(e);
    } catch (RuntimeException | InterruptedException e) {
      arena.close();
      throw e;
    }
  }

  /** Starts the cluster, with a link from each client to each node and an inbound one for each. */
  abstract Cluster<?> open(ElasticsearchVersion version, Map<String, String> settings)
      throws IOException, InterruptedException;

  /** Makes a proxy, which is reset and deleted with all others. */
  final Proxy proxy(ToxiproxyClient client, String name, String listen, String upstream) {
    try {
      Proxy proxy =
          client.createProxy(
              "holdfast-" + ProcessHandle.current().pid() + "-" + name, listen, upstream);
      proxies.add(proxy);
      return proxy;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  final void addInbound(String node, Proxy proxy) {
    inbound.put(node, proxy);
  }

  final void addLink(int client, String node, Proxy proxy, URI uri) {
    links.put(linkName(client, node), new ProxiedUri(proxy, uri));
  }

  static String linkName(int client, String node) {
    return "client-" + (client + 1) + "-to-" + node;
  }

  /** Returns the cluster. */
  public final Cluster<?> cluster() {
    if (cluster == null) {
      throw new IllegalStateException("the cluster was not started");
    }
    return cluster;
  }

  /** Returns what stands between clients and nodes, for reports. */
  public abstract String toxiproxy();

  /**
   * Starts Toxiproxy again with the same proxies, without toxics, if it is stuck: now and then it
   * never answers the request that takes a toxic away, nor any later one (Shopify/toxiproxy, issues
   * 500 and 558, open in 2.12.0).
   *
   * @param cause what let suppose so, thrown again if it answers after all, or cannot be restarted
   */
  public final void restartToxiproxy(IOException cause) throws IOException {
    if (!restartStuckToxiproxy(proxies)) {
      throw cause;
    }
    toxiproxyRestarts++;
  }

  /** Returns how often {@link #restartToxiproxy} did. */
  public final int toxiproxyRestarts() {
    return toxiproxyRestarts;
  }

  /** Returns whether it was stuck, and has been started again with these proxies. */
  abstract boolean restartStuckToxiproxy(List<Proxy> known) throws IOException;

  /** Returns where a client reaches the nodes, each through a proxy. */
  public final List<URI> urlsOf(int client) {
    return cluster().nodes().stream().map(node -> entry(client, node).uri()).toList();
  }

  /** Returns the proxies between a client and the nodes. */
  public final List<Proxy> links(int client) {
    return cluster().nodes().stream().map(node -> link(client, node)).toList();
  }

  /** Returns the proxy between a client and a node. */
  public final Proxy link(int client, Node node) {
    return entry(client, node).proxy();
  }

  private ProxiedUri entry(int client, Node node) {
    ProxiedUri link = links.get(linkName(client, node.name()));
    if (link == null) {
      throw new IllegalArgumentException("no client " + client + " or no node " + node);
    }
    return link;
  }

  /** Returns the proxy through which the other nodes reach a node. */
  public final Proxy inbound(Node node) {
    Proxy proxy = inbound.get(node.name());
    if (proxy == null) {
      throw new IllegalArgumentException("no node " + node);
    }
    return proxy;
  }

  /** Returns why packets between nodes cannot be dropped here; empty if they can. */
  public abstract String whyNoPartitions();

  /**
   * Drops, from now on, all that a node sends to where it reaches another.
   *
   * @throws IllegalStateException if that {@link #whyNoPartitions cannot be done}
   */
  public abstract void block(Node from, Node to) throws IOException;

  /** Takes away what {@link #block} did. */
  public abstract void unblock(Node from, Node to) throws IOException;

  /** Returns why nodes cannot be taken from their network here; empty if they can. */
  public abstract String whyNoDisconnecting();

  /**
   * Takes a node from the network of the nodes. Clients still reach it.
   *
   * @throws IllegalStateException if that {@link #whyNoDisconnecting cannot be done}
   */
  public abstract void disconnect(Node node);

  /** Puts a node back that {@link #disconnect} took; does nothing if it is there. */
  public abstract void reconnect(Node node);

  /** Undoes faults that only one kind of arena has. */
  abstract void mendNetwork() throws IOException;

  /** Ends what a kind of arena alone has beside nodes and proxies. */
  abstract void closeNetwork();

  /** Undoes all faults, and waits until the cluster is whole. */
  public final void heal() throws IOException, InterruptedException {
    mendNetwork();
    for (Proxy proxy : proxies) {
      proxy.enable();
      for (Toxic toxic : proxy.toxics().getAll()) {
        toxic.remove();
      }
    }
    cluster().reviveAll();
    cluster().awaitGreen(GREEN_LIMIT);
  }

  /** Ends all that was started here. */
  @Override
  public final void close() {
    try {
      if (cluster != null) {
        cluster.close();
      }
    } finally {
      for (Proxy proxy : proxies) {
        try {
          proxy.delete(); // the server may be another's, and live on
        } catch (IOException e) {
          System.err.println("the proxy " + proxy.getName() + " may be left: " + e);
        }
      }
      closeNetwork();
    }
  }
}
