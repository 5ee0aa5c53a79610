package dev.holdfast.chaos.arena;

import dev.holdfast.chaos.toxiproxy.ToxiproxyHandle;
import dev.holdfast.chaos.toxiproxy.ToxiproxyServers;
import dev.holdfast.cluster.Cluster;
import dev.holdfast.cluster.ElasticsearchNode;
import dev.holdfast.cluster.ElasticsearchVersion;
import dev.holdfast.cluster.Node;
import dev.holdfast.cluster.Partitions;
import eu.rekawek.toxiproxy.Proxy;
import eu.rekawek.toxiproxy.ToxiproxyClient;
import java.io.IOException;
import java.net.URI;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** Nodes are processes on loopback, and one Toxiproxy has all proxies. */
final class ProcessArena extends Arena {

  private static final String LOOPBACK = "127.0.0.1";

  private final ToxiproxyHandle toxiproxy = ToxiproxyServers.find();
  private @Nullable Partitions partitions;
  private String whyNoPartitions = "";

  @Override
  Cluster<?> open(ElasticsearchVersion version, Map<String, String> settings)
      throws InterruptedException {
    ToxiproxyClient client = new ToxiproxyClient(toxiproxy.host(), toxiproxy.port());
    AtomicInteger nodes = new AtomicInteger();
    Cluster.Builder builder =
        Cluster.builder(version)
            .publishTransportAt(
                port -> {
                  String node = "n" + nodes.incrementAndGet();
                  Proxy proxy = proxyTo(client, "to-" + node, port);
                  addInbound(node, proxy);
                  return portOf(proxy);
                });
    settings.forEach(builder::setting);
    Cluster<ElasticsearchNode> started = builder.start();
    for (ElasticsearchNode node : started.nodes()) {
      for (int i = 0; i < CLIENTS; i++) {
        Proxy proxy = proxyTo(client, linkName(i, node.name()), node.httpUri().getPort());
        addLink(i, node.name(), proxy, URI.create("http://" + proxy.getListen()));
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
    return started;
  }

  private Proxy proxyTo(ToxiproxyClient client, String name, int port) {
    return proxy(client, name, LOOPBACK + ":0", LOOPBACK + ":" + port);
  }

  private static int portOf(Proxy proxy) {
    return URI.create("http://" + proxy.getListen()).getPort();
  }

  @Override
  boolean restartStuckToxiproxy(List<Proxy> known) throws IOException {
    if (toxiproxy.answers() || !toxiproxy.restart()) {
      return false;
    }
    ToxiproxyClient client = new ToxiproxyClient(toxiproxy.host(), toxiproxy.port());
    for (Proxy proxy : known) {
      Proxy unused = client.createProxy(proxy.getName(), proxy.getListen(), proxy.getUpstream());
    }
    return true;
  }

  @Override
  public String toxiproxy() {
    return toxiproxy.description();
  }

  @Override
  public String whyNoPartitions() {
    return whyNoPartitions;
  }

  @Override
  public void block(Node from, Node to) throws IOException {
    possible().block(uid(from), portOf(inbound(to)));
  }

  @Override
  public void unblock(Node from, Node to) throws IOException {
    possible().unblock(uid(from), portOf(inbound(to)));
  }

  private Partitions possible() {
    if (partitions == null || !whyNoPartitions.isEmpty()) {
      throw new IllegalStateException(whyNoPartitions);
    }
    return partitions;
  }

  private static int uid(Node node) {
    return ((ElasticsearchNode) node).uid().orElseThrow();
  }

  @Override
  public String whyNoDisconnecting() {
    return "the nodes are processes, which have no network of their own";
  }

  @Override
  public void disconnect(Node node) {
    throw new IllegalStateException(whyNoDisconnecting());
  }

  @Override
  public void reconnect(Node node) {
    throw new IllegalStateException(whyNoDisconnecting());
  }

  @Override
  void mendNetwork() throws IOException {
    if (partitions != null) {
      partitions.clear();
    }
  }

  @Override
  void closeNetwork() {
    try {
      if (partitions != null) {
        partitions.close();
      }
    } finally {
      toxiproxy.close();
    }
  }
}
