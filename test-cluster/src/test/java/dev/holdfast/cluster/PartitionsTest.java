package dev.holdfast.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.abort;

import dev.holdfast.cluster.Partitions.PacketFilter;
import java.io.BufferedReader;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Real rules, for the loopback interface and for ports of these tests alone. */
class PartitionsTest {

  private static final Duration LIMIT = Duration.ofSeconds(30);
  private static final int ROOT = 0;

  /** Opens partitions with the named tool, drops something, says so, and waits to be killed. */
  static final class PartitionedJvm {

    private PartitionedJvm() {}

    public static void main(String[] arguments) throws Exception {
      Partitions.open(PacketFilter.valueOf(arguments[0])).block(ROOT, 1);
      System.out.println("blocked");
      Thread.sleep(Long.MAX_VALUE);
    }
  }

  private static void require(PacketFilter filter) {
    try {
      Partitions.open(filter).close();
    } catch (IOException e) {
      abort("this machine does not let us drop packets: " + e.getMessage());
    }
  }

  @ParameterizedTest
  @EnumSource(PacketFilter.class)
  void block_dropsWhatIsSentToThePort_untilItIsTakenAway(PacketFilter filter) throws Exception {
    require(filter);
    try (ServerSocket server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        Partitions partitions = Partitions.open(filter)) {
      partitions.block(ROOT, server.getLocalPort());
      assertDropped(server);

      partitions.unblock(ROOT, server.getLocalPort());
      connect(server, LIMIT);

      partitions.block(ROOT, server.getLocalPort());
      partitions.clear();
      connect(server, LIMIT);
    }
  }

  /** As where two nodes are partitioned from the others, and one comes back before the other. */
  @ParameterizedTest
  @EnumSource(PacketFilter.class)
  void block_twice_isTakenAwayByTheSecondUnblock(PacketFilter filter) throws Exception {
    require(filter);
    try (ServerSocket server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        Partitions partitions = Partitions.open(filter)) {
      partitions.block(ROOT, server.getLocalPort());
      partitions.block(ROOT, server.getLocalPort());
      partitions.unblock(ROOT, server.getLocalPort());
      assertDropped(server);

      partitions.unblock(ROOT, server.getLocalPort());
      connect(server, LIMIT);
    }
  }

  @ParameterizedTest
  @EnumSource(PacketFilter.class)
  void block_concernsOneUserAndOnePort(PacketFilter filter) throws Exception {
    require(filter);
    try (ServerSocket server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        Partitions partitions = Partitions.open(filter)) {
      partitions.block(ROOT + 1, server.getLocalPort());
      partitions.block(ROOT, 1);
      connect(server, LIMIT);
    }
  }

  @ParameterizedTest
  @EnumSource(PacketFilter.class)
  void close_leavesNoRules(PacketFilter filter) throws Exception {
    require(filter);
    Partitions partitions = Partitions.open(filter);
    partitions.block(ROOT, 1);
    assertThat(rules(filter)).contains(nameOf(filter, ProcessHandle.current().pid()));

    partitions.close();

    assertThat(rules(filter)).doesNotContain(nameOf(filter, ProcessHandle.current().pid()));
  }

  @ParameterizedTest
  @EnumSource(PacketFilter.class)
  void jvmIsKilled_rulesAreTakenAway(PacketFilter filter) throws Exception {
    require(filter);
    Process jvm = startPartitioned(filter);

    jvm.destroyForcibly().waitFor();

    assertThat(Polling.until(LIMIT, () -> !rules(filter).contains(nameOf(filter, jvm.pid()))))
        .isTrue();
  }

  @ParameterizedTest
  @EnumSource(PacketFilter.class)
  void guardIsKilledToo_theNextOneTakesTheRulesAway(PacketFilter filter) throws Exception {
    require(filter);
    Process jvm = startPartitioned(filter);

    jvm.descendants().forEach(ProcessHandle::destroyForcibly);
    jvm.destroyForcibly().waitFor();
    assertThat(rules(filter)).contains(nameOf(filter, jvm.pid()));

    Partitions.open(filter).close();

    assertThat(Polling.until(LIMIT, () -> !rules(filter).contains(nameOf(filter, jvm.pid()))))
        .isTrue();
  }

  @Test
  void open_takesTheFirstToolThatThereIs() throws Exception {
    require(PacketFilter.IPTABLES);
    try (Partitions partitions = Partitions.open()) {
      assertThat(partitions.tool()).isEqualTo("iptables");
    }
  }

  private static void assertDropped(ServerSocket server) {
    assertThatThrownBy(() -> connect(server, Duration.ofSeconds(2)))
        .isInstanceOf(SocketTimeoutException.class);
  }

  private static Process startPartitioned(PacketFilter filter) throws IOException {
    Process jvm = Processes.startJvm(PartitionedJvm.class, filter.name());
    try (BufferedReader lines = jvm.inputReader()) {
      assertThat(lines.readLine()).isEqualTo("blocked");
    }
    assertThat(rules(filter)).contains(nameOf(filter, jvm.pid()));
    return jvm;
  }

  private static void connect(ServerSocket server, Duration limit) throws IOException {
    try (Socket socket = new Socket()) {
      socket.connect(
          new InetSocketAddress(server.getInetAddress(), server.getLocalPort()),
          (int) limit.toMillis());
    }
  }

  private static String nameOf(PacketFilter filter, long pid) {
    return filter.nameOf(pid) + " ";
  }

  private static String rules(PacketFilter filter) {
    List<String> command =
        switch (filter) {
          case IPTABLES -> List.of("iptables", "-w", "-S");
          case NFT -> List.of("nft", "list", "ruleset", "ip");
        };
    try {
      Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
      String rules =
          new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8)
              .replace("\n", " \n");
      assertThat(process.waitFor()).as(rules).isZero();
      return rules;
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }
}
