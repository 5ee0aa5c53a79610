package dev.holdfast.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.abort;

import java.io.BufferedReader;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Real rules, for the loopback interface and for ports of these tests alone. */
class PartitionsTest {

  private static final Duration LIMIT = Duration.ofSeconds(30);
  private static final int ROOT = 0;

  /** Opens partitions, drops something, says so, and waits to be killed. */
  static final class PartitionedJvm {

    private PartitionedJvm() {}

    public static void main(String[] arguments) throws Exception {
      Partitions.open().block(ROOT, 1);
      System.out.println("blocked");
      Thread.sleep(Long.MAX_VALUE);
    }
  }

  @BeforeEach
  void requirePartitions() {
    try {
      Partitions.open().close();
    } catch (IOException e) {
      abort("this machine does not let us drop packets: " + e.getMessage());
    }
  }

  @Test
  void block_dropsWhatIsSentToThePort_untilItIsTakenAway() throws Exception {
    try (ServerSocket server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        Partitions partitions = Partitions.open()) {
      partitions.block(ROOT, server.getLocalPort());
      assertThatThrownBy(() -> connect(server, Duration.ofSeconds(2)))
          .isInstanceOf(SocketTimeoutException.class);

      partitions.unblock(ROOT, server.getLocalPort());
      connect(server, LIMIT);

      partitions.block(ROOT, server.getLocalPort());
      partitions.clear();
      connect(server, LIMIT);
    }
  }

  @Test
  void close_leavesNoRules() throws Exception {
    Partitions partitions = Partitions.open();
    partitions.block(ROOT, 1);
    assertThat(rules()).contains(chainOf(ProcessHandle.current().pid()));

    partitions.close();

    assertThat(rules()).doesNotContain(chainOf(ProcessHandle.current().pid()));
  }

  @Test
  void jvmIsKilled_rulesAreTakenAway() throws Exception {
    Process jvm = startPartitioned();

    jvm.destroyForcibly().waitFor();

    assertThat(Polling.until(LIMIT, () -> !rules().contains(chainOf(jvm.pid())))).isTrue();
  }

  @Test
  void guardIsKilledToo_theNextOneTakesTheRulesAway() throws Exception {
    Process jvm = startPartitioned();

    jvm.descendants().forEach(ProcessHandle::destroyForcibly);
    jvm.destroyForcibly().waitFor();
    assertThat(rules()).contains(chainOf(jvm.pid()));

    Partitions.open().close();

    assertThat(Polling.until(LIMIT, () -> !rules().contains(chainOf(jvm.pid())))).isTrue();
  }

  private static Process startPartitioned() throws IOException {
    Process jvm = Processes.startJvm(PartitionedJvm.class);
    try (BufferedReader lines = jvm.inputReader()) {
      assertThat(lines.readLine()).isEqualTo("blocked");
    }
    assertThat(rules()).contains(chainOf(jvm.pid()));
    return jvm;
  }

  private static void connect(ServerSocket server, Duration limit) throws IOException {
    try (Socket socket = new Socket()) {
      socket.connect(
          new InetSocketAddress(server.getInetAddress(), server.getLocalPort()),
          (int) limit.toMillis());
    }
  }

  private static String chainOf(long pid) {
    return "HOLDFAST-" + pid + " ";
  }

  private static String rules() {
    try {
      Process process =
          new ProcessBuilder("iptables", "-w", "-S").redirectErrorStream(true).start();
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
