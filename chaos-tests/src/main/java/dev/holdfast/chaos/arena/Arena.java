package dev.holdfast.chaos.arena;

import dev.holdfast.chaos.toxiproxy.ToxiproxyHandle;
import dev.holdfast.chaos.toxiproxy.ToxiproxyServers;
import dev.holdfast.cluster.Cluster;
import dev.holdfast.cluster.ElasticsearchNode;
import dev.holdfast.cluster.ElasticsearchVersion;
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
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A cluster of three nodes in which everything can be broken: every client reaches every node
 * through a proxy of its own, the nodes reach each other through one proxy for each node's inbound
 * side, and where this machine allows it they can be parted truly. To be used by one thread.
 */
public final class Arena implements AutoCloseable {

  /** How many clients there are at a time, numbered from 0. */
  public static final int CLIENTS = 3;

  private static final Duration GREEN_LIMIT = Duration.ofMinutes(3);
  private static final String LOOPBACK = "127.0.0.1";

  private final ToxiproxyHandle toxiproxy;
  private final List<Proxy> proxies = new ArrayList<>();
  private final Map<String, Proxy> inbound = new LinkedHashMap<>();
  private final Map<String, Proxy> links = new LinkedHashMap<>();
  private @Nullable Partitions partitions;
  private String whyNoPartitions = "";
  private @Nullable Cluster cluster;

  private Arena() {
    this.toxiproxy = ToxiproxyServers.find();
  }

  /**
   * Starts one.
   *
   * @param settings for {@code elasticsearch.yml} of each node
   */
  public static Arena start(ElasticsearchVersion version, Map<String, String> settings)
      throws InterruptedException {
    Arena arena = new Arena();
    try {
      arena.open(version, settings);
      return arena;
    } catch (IOException e) {
      arena.close();
      throw new UncheckedIOException(e);
    } catch (RuntimeException | InterruptedException e) {
      arena.close();
      throw e;
    }
  }

  private void open(ElasticsearchVersion version, Map<String, String> settings)
      throws IOException, InterruptedException {
    ToxiproxyClient client = new ToxiproxyClient(toxiproxy.host(), toxiproxy.port());
    Cluster.Builder builder =
        Cluster.builder(version)
            .publishTransportAt(
                port -> {
                  String node = "n" + (inbound.size() + 1);
                  Proxy proxy = proxy(client, "to-" + node, LOOPBACK + ":" + port);
                  inbound.put(node, proxy);
                  return portOf(proxy);
                });
    settings.forEach(builder::setting);
    Cluster started = builder.start();
    cluster = started;
    for (ElasticsearchNode node : started.nodes()) {
      for (int i = 0; i < CLIENTS; i++) {
        String name = linkName(i, node);
        links.put(name, proxy(client, name, LOOPBACK + ":" + node.httpUri().getPort()));
      }
    }
    try {
      partitions = Partitions.open();
      if (started.nodes().stream().anyMatch(node -> node.uid().isEmpty())) {
        whyNoPartitions = "all nodes run as one user, so that packets cannot be told apart";
      }
    } catch (IOException e) {
      whyNoPartitions = e.getMessage() + "";
    }
  }

  private Proxy proxy(ToxiproxyClient client, String name, String upstream) {
    try {
      Proxy proxy =
          client.createProxy(
              "holdfast-" + ProcessHandle.current().pid() + "-" + name, LOOPBACK + ":0", upstream);
      proxies.add(proxy);
      return proxy;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String linkName(int client, ElasticsearchNode node) {
    return "client-" + (client + 1) + "-to-" + node.name();
  }

  private static int portOf(Proxy proxy) {
    return URI.create("http://" + proxy.getListen()).getPort();
  }

  /** Returns the cluster. */
  public Cluster cluster() {
    if (cluster == null) {
      throw new IllegalStateException("the cluster was not started");
    }
    return cluster;
  }

  /** Returns what stands between clients and nodes, for reports. */
  public String toxiproxy() {
    return toxiproxy.description();
  }

  /** Returns where a client reaches the nodes, each through a proxy. */
  public List<URI> urlsOf(int client) {
    return links(client).stream().map(link -> URI.create("http://" + link.getListen())).toList();
  }

  /** Returns the proxies between a client and the nodes. */
  public List<Proxy> links(int client) {
    return cluster().nodes().stream().map(node -> link(client, node)).toList();
  }

  /** Returns the proxy between a client and a node. */
  public Proxy link(int client, ElasticsearchNode node) {
    Proxy link = links.get(linkName(client, node));
    if (link == null) {
      throw new IllegalArgumentException("no client " + client + " or no node " + node);
    }
    return link;
  }

  /** Returns the proxy through which the other nodes reach a node. */
  public Proxy inbound(ElasticsearchNode node) {
    Proxy proxy = inbound.get(node.name());
    if (proxy == null) {
      throw new IllegalArgumentException("no node " + node);
    }
    return proxy;
  }

  /** Returns the port at which the other nodes reach a node. */
  public int inboundPort(ElasticsearchNode node) {
    return portOf(inbound(node));
  }

  /** Returns what can part nodes truly; empty where {@link #whyNoPartitions} says why not. */
  public Optional<Partitions> partitions() {
    return whyNoPartitions.isEmpty() ? Optional.ofNullable(partitions) : Optional.empty();
  }

  /** Returns why nodes cannot be parted truly here; empty if they can. */
  public String whyNoPartitions() {
    return whyNoPartitions;
  }

  /** Mends all that is broken, and waits until the cluster is whole. */
  public void heal() throws IOException, InterruptedException {
    if (partitions != null) {
      partitions.clear();
    }
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
  public void close() {
    try {
      if (partitions != null) {
        partitions.close();
      }
    } finally {
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
        toxiproxy.close();
      }
    }
  }
}
