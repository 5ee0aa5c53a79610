package dev.holdfast.chaos.arena;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.github.dockerjava.api.DockerClient;
import com.github.dockerjava.api.model.ContainerNetwork;
import dev.holdfast.cluster.Cluster;
import dev.holdfast.cluster.ContainerNode;
import dev.holdfast.cluster.ElasticsearchVersion;
import dev.holdfast.cluster.Node;
import eu.rekawek.toxiproxy.Proxy;
import eu.rekawek.toxiproxy.ToxiproxyClient;
import java.io.IOException;
import java.net.URI;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.testcontainers.DockerClientFactory;
import org.testcontainers.containers.GenericContainer;
import org.testcontainers.containers.Network;
import org.testcontainers.containers.wait.strategy.Wait;
import org.testcontainers.utility.DockerImageName;

/**
 * Nodes are containers, each in a pod with a Toxiproxy.
 *
 * <pre>
 *   client ── published port ──┐                          ┌── published port ── client
 *                        ┌─ Toxiproxy ── nodes' network ── Toxiproxy ─┐
 *        pod "n1":       └─ Elasticsearch                Elasticsearch ─┘      pod "n2"
 * </pre>
 *
 * <p>The pod's network belongs to the Toxiproxy, whose container is never stopped; the node shares
 * it. So ports and addresses stay when a node is killed and started again. All that a node hears or
 * says goes through a proxy of its pod: it listens on loopback only, and knows the others by
 * loopback ports of its own Toxiproxy, which passes on to the other pod's. A node that is bound to
 * loopback makes no bootstrap checks either, so nothing is asked of the machine: no 65535 file
 * descriptors, no {@code vm.max_map_count}.
 *
 * <p>The pods are on two networks: one for the published ports, and an internal one for the nodes,
 * from which a node can be taken while clients still reach it.
 */
final class ContainerArena extends Arena {

  /** The system property with the name of Toxiproxy's image. */
  static final String IMAGE_PROPERTY = "holdfast.test.docker.toxiproxy";

  private static final String OFFICIAL_IMAGE = "ghcr.io/shopify/toxiproxy:2.12.0";

  private static final int NODES = 3;

  /** Toxiproxy's default. */
  private static final int API_PORT = 8474;

  /** For the tests themselves; nothing is ever broken there. */
  private static final int DIRECT_PORT = 8666;

  private static final int FIRST_CLIENT_PORT = 8667;
  private static final int INBOUND_PORT = 9400;
  private static final String HTTP = "127.0.0.1:9200";
  private static final String TRANSPORT = "127.0.0.1:9300";

  private final String image = System.getProperty(IMAGE_PROPERTY, OFFICIAL_IMAGE);
  private final Network outside = Network.newNetwork();
  private final Network between =
      Network.builder().createNetworkCmdModifier(command -> command.withInternal(true)).build();
  private final Map<String, GenericContainer<?>> pods = new LinkedHashMap<>();
  private final Set<String> disconnected = new HashSet<>();
  private String version = "";

  @Override
  Cluster<?> open(ElasticsearchVersion elasticsearch, Map<String, String> settings)
      throws IOException, InterruptedException {
    ContainerNode.unsupportedReason()
        .ifPresent(
            reason -> {
              throw new IllegalStateException(reason);
            });
    List<String> names = IntStream.rangeClosed(1, NODES).mapToObj(i -> "n" + i).toList();
    String seeds =
        IntStream.rangeClosed(1, NODES)
            .mapToObj(i -> "127.0.0.1:" + publishedPort(i))
            .collect(Collectors.joining(","));
    List<ContainerNode.Builder> nodes = new ArrayList<>();
    for (int i = 1; i <= NODES; i++) {
      ContainerNode.Builder node =
          pod(elasticsearch, i)
              .nodeName("n" + i)
              .setting("cluster.name", "holdfast-cluster")
              .setting("network.host", "127.0.0.1")
              .setting("http.port", "9200")
              .setting("transport.port", "9300")
              .setting("transport.publish_port", Integer.toString(publishedPort(i)))
              .setting("discovery.seed_hosts", seeds)
              .setting("cluster.initial_master_nodes", String.join(",", names));
      settings.forEach(node::setting);
      nodes.add(node);
    }
    return Cluster.startAll(nodes, ContainerNode.Builder::start);
  }

  /** The port on a pod's loopback by which its node knows the node of that number. */
  private static int publishedPort(int node) {
    return 9300 + node;
  }

  @SuppressWarnings("resource") // closed with the arena
  private ContainerNode.Builder pod(ElasticsearchVersion elasticsearch, int number)
      throws IOException {
    String name = "n" + number;
    Integer[] ports = new Integer[CLIENTS + 2];
    ports[0] = API_PORT;
    for (int i = 0; i <= CLIENTS; i++) {
      ports[i + 1] = DIRECT_PORT + i;
    }
    GenericContainer<?> pod =
        new GenericContainer<>(DockerImageName.parse(image))
            .withNetwork(outside)
            .withExposedPorts(ports)
            .waitingFor(Wait.forHttp("/version").forPort(API_PORT));
    pods.put(name, pod);
    pod.start();
    connect(name);
    ToxiproxyClient client = new ToxiproxyClient(pod.getHost(), pod.getMappedPort(API_PORT));
    version = new ObjectMapper().readTree(client.version()).path("version").asText();
    Proxy unused = proxy(client, "direct-to-" + name, "0.0.0.0:" + DIRECT_PORT, HTTP);
    for (int i = 0; i < CLIENTS; i++) {
      int port = FIRST_CLIENT_PORT + i;
      addLink(i, name, proxy(client, linkName(i, name), "0.0.0.0:" + port, HTTP), uri(pod, port));
    }
    addInbound(name, proxy(client, "to-" + name, "0.0.0.0:" + INBOUND_PORT, TRANSPORT));
    for (int other = 1; other <= NODES; other++) {
      unused =
          proxy(
              client,
              name + "-to-n" + other,
              "127.0.0.1:" + publishedPort(other),
              other == number ? TRANSPORT : "n" + other + ":" + INBOUND_PORT);
    }
    return ContainerNode.builder(elasticsearch)
        .inNetworkOf(pod.getContainerId(), uri(pod, DIRECT_PORT));
  }

  private static URI uri(GenericContainer<?> pod, int port) {
    return URI.create("http://" + pod.getHost() + ":" + pod.getMappedPort(port));
  }

  /** A container that is started again may have other ports. */
  @Override
  boolean restartStuckToxiproxy(List<Proxy> known) {
    return false;
  }

  @Override
  public String toxiproxy() {
    return "toxiproxy-server %s in each node's pod, of the image %s".formatted(version, image);
  }

  @Override
  public String whyNoPartitions() {
    return "the nodes are containers, whose packets are not ours to drop";
  }

  @Override
  public void block(Node from, Node to) {
    throw new IllegalStateException(whyNoPartitions());
  }

  @Override
  public void unblock(Node from, Node to) {
    throw new IllegalStateException(whyNoPartitions());
  }

  @Override
  public String whyNoDisconnecting() {
    return "";
  }

  @Override
  public void disconnect(Node node) {
    if (disconnected.add(node.name())) {
      docker()
          .disconnectFromNetworkCmd()
          .withNetworkId(between.getId())
          .withContainerId(pod(node.name()).getContainerId())
          .exec();
    }
  }

  @Override
  public void reconnect(Node node) {
    if (disconnected.contains(node.name())) {
      connect(node.name());
      disconnected.remove(node.name());
    }
  }

  /** Its address may be another one then; proxies ask for it by name, each time. */
  private void connect(String name) {
    docker()
        .connectToNetworkCmd()
        .withNetworkId(between.getId())
        .withContainerId(pod(name).getContainerId())
        .withContainerNetwork(new ContainerNetwork().withAliases(name))
        .exec();
  }

  private GenericContainer<?> pod(String name) {
    GenericContainer<?> pod = pods.get(name);
    if (pod == null) {
      throw new IllegalArgumentException("no node " + name);
    }
    return pod;
  }

  private static DockerClient docker() {
    return DockerClientFactory.instance().client();
  }

  @Override
  void mendNetwork() {
    for (String name : Set.copyOf(disconnected)) {
      reconnect(cluster().node(name));
    }
  }

  @Override
  void closeNetwork() {
    pods.values().forEach(GenericContainer::stop);
    between.close();
    outside.close();
  }
}
