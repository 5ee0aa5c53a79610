package dev.holdfast.chaos.toxiproxy;

import static dev.holdfast.chaos.toxiproxy.Wire.address;
import static dev.holdfast.chaos.toxiproxy.Wire.connect;
import static dev.holdfast.chaos.toxiproxy.Wire.drain;
import static dev.holdfast.chaos.toxiproxy.Wire.listen;
import static dev.holdfast.chaos.toxiproxy.Wire.loopback;
import static dev.holdfast.chaos.toxiproxy.Wire.receive;
import static dev.holdfast.chaos.toxiproxy.Wire.send;
import static eu.rekawek.toxiproxy.model.ToxicDirection.DOWNSTREAM;
import static eu.rekawek.toxiproxy.model.ToxicDirection.UPSTREAM;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import eu.rekawek.toxiproxy.Proxy;
import eu.rekawek.toxiproxy.ToxiproxyClient;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.ConnectException;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Guarantees of the built-in server beyond those of Toxiproxy. */
@Timeout(120)
@SuppressWarnings("try") // Closes explicitly what is also closed should the test fail.
class ToxiproxyServerTest {

  private static final String LOOPBACK = "127.0.0.1";
  private static final int MEBIBYTE = 1 << 20;

  private static ToxiproxyClient client(ToxiproxyServer server) {
    return new ToxiproxyClient(LOOPBACK, server.port());
  }

  // Repeated, as it depends on what the I/O thread is doing at that moment.
  @RepeatedTest(20)
  void close_withProxiesAndConnections_endsThemAndItsThreads() throws Exception {
    try (ToxiproxyServer server = new ToxiproxyServer();
        ServerSocket upstream = listen()) {
      int port = server.start(LOOPBACK, 0);
      Proxy proxy = client(server).createProxy("p", "127.0.0.1:0", address(upstream));
      assertThat(threads()).hasSize(2);
      proxy.toxics().latency("held", DOWNSTREAM, 3_600_000);
      try (Wire wire = Wire.open(proxy.getListen(), upstream)) {
        send(wire.server(), "held for an hour");

        server.close();

        assertThat(drain(wire.client()).text()).isEmpty();
        assertThat(drain(wire.server()).text()).isEmpty();
      }
      assertNoThreads();
      for (String closed : List.of(proxy.getListen(), LOOPBACK + ":" + port)) {
        assertThatThrownBy(() -> connect(closed).close()).isInstanceOf(ConnectException.class);
      }
    }
  }

  /** A thread goes on for a moment after it has said that it is done. */
  private static void assertNoThreads() throws InterruptedException {
    for (int i = 0; i < Wire.LIVENESS_MILLIS && !threads().isEmpty(); i++) {
      Thread.sleep(1);
    }
    assertThat(threads()).isEmpty();
  }

  private static List<String> threads() {
    return Thread.getAllStackTraces().keySet().stream()
        .map(Thread::getName)
        .filter(name -> name.startsWith("toxiproxy-"))
        .toList();
  }

  @Test
  void close_again_doesNothing() {
    ToxiproxyServer server = new ToxiproxyServer();
    server.start(LOOPBACK, 0);
    server.close();
    server.close();

    assertThatThrownBy(server::port).isInstanceOf(IllegalStateException.class);
  }

  @Test
  void start_afterClose_servesAtTheSamePortWithoutTheOldProxies() throws IOException {
    try (ToxiproxyServer server = new ToxiproxyServer()) {
      int port = server.start(LOOPBACK, 0);
      client(server).createProxy("p", "127.0.0.1:0", "127.0.0.1:1");
      server.close();

      assertThat(server.start(LOOPBACK, port)).isEqualTo(port);
      assertThat(client(server).getProxies()).isEmpty();
    }
  }

  @Test
  void start_twice_isRefused() {
    try (ToxiproxyServer server = new ToxiproxyServer()) {
      server.start(LOOPBACK, 0);

      assertThatThrownBy(() -> server.start(LOOPBACK, 0)).isInstanceOf(IllegalStateException.class);
    }
  }

  @Test
  void start_atPortInUse_failsAndLeavesNoThread() throws Exception {
    try (ToxiproxyServer server = new ToxiproxyServer();
        ServerSocket taken = listen()) {
      assertThatThrownBy(() -> server.start(LOOPBACK, taken.getLocalPort()))
          .isInstanceOf(UncheckedIOException.class)
          .hasMessageContaining(address(taken));
      assertNoThreads();
    }
  }

  @Test
  void toxicity_ofSameSeed_affectsTheSameConnections() throws IOException {
    List<Boolean> affected = affected(7);

    assertThat(affected(7)).isEqualTo(affected).contains(true, false);
    assertThat(affected(8)).isNotEqualTo(affected);
  }

  private static List<Boolean> affected(long seed) throws IOException {
    try (ToxiproxyServer server = new ToxiproxyServer(new SplittableRandom(seed));
        ServerSocket upstream = listen()) {
      server.start(LOOPBACK, 0);
      Proxy proxy = client(server).createProxy("p", "127.0.0.1:0", address(upstream));
      proxy.toxics().limitData("half", DOWNSTREAM, 0).setToxicity(0.5f);
      List<Boolean> affected = new ArrayList<>();
      for (int i = 0; i < 40; i++) {
        try (Wire wire = Wire.open(proxy.getListen(), upstream)) {
          send(wire.server(), "x");
          affected.add(wire.client().getInputStream().read() < 0);
        }
      }
      return affected;
    }
  }

  @Test
  void connections_twoHundredAtOnce_areAllServed() throws IOException {
    try (ToxiproxyServer server = new ToxiproxyServer();
        ServerSocket upstream = listen()) {
      server.start(LOOPBACK, 0);
      Proxy proxy = client(server).createProxy("p", "127.0.0.1:0", address(upstream));
      proxy.toxics().latency("up", UPSTREAM, 20);
      proxy.toxics().slicer("down", DOWNSTREAM, 100, 1);
      List<Wire> wires = new ArrayList<>();
      for (int i = 0; i < 200; i++) {
        wires.add(Wire.open(proxy.getListen(), upstream));
      }
      for (int i = 0; i < 200; i++) {
        send(wires.get(i).client(), "request %03d".formatted(i));
      }
      for (int i = 0; i < 200; i++) {
        receive(wires.get(i).server(), "request %03d".formatted(i));
        send(wires.get(i).server(), "answer %03d".formatted(i).repeat(100));
      }
      for (int i = 0; i < 200; i++) {
        receive(wires.get(i).client(), "answer %03d".formatted(i).repeat(100));
      }
      for (Wire wire : wires) {
        wire.client().close();
        assertThat(drain(wire.server()).text()).isEmpty();
      }
    }
  }

  @Test
  void hostileSettings_thatHarmTheRealServer_doNotHarmThisOne() throws IOException {
    try (ToxiproxyServer server = new ToxiproxyServer();
        ServerSocket upstream = listen()) {
      server.start(LOOPBACK, 0);
      Proxy proxy = client(server).createProxy("p", "127.0.0.1:0", address(upstream));
      proxy.toxics().bandwidth("negative", UPSTREAM, -1).setToxicity(1);
      proxy.toxics().slicer("zero", DOWNSTREAM, 0, 0).setSizeVariation(Long.MAX_VALUE);
      proxy.toxics().latency("past", DOWNSTREAM, Long.MIN_VALUE).setJitter(Long.MAX_VALUE);
      try (Wire wire = Wire.open(proxy.getListen(), upstream)) {
        send(wire.server(), "0123456789");
        receive(wire.client(), "0");
        send(wire.client(), "held");
        proxy.toxics().get("negative").remove();
        receive(wire.server(), "held");
      }
    }
  }

  @Test
  void bandwidth_withMuchFasterSender_stopsReadingAndKeepsMemory() throws IOException {
    assertBackpressure("slow", proxy -> proxy.toxics().bandwidth("slow", UPSTREAM, 1));
  }

  @Test
  void latency_withMuchFasterSender_stopsReadingAndKeepsMemory() throws IOException {
    assertBackpressure("late", proxy -> proxy.toxics().latency("late", UPSTREAM, 3_600_000));
  }

  @Test
  void receiver_thatDoesNotRead_stopsTheSender() throws IOException {
    assertBackpressure("none", proxy -> {});
  }

  private interface Setup {
    void accept(Proxy proxy) throws IOException;
  }

  /** Sends as much as there is room for, of 100 MiB, and looks at what that has cost. */
  private static void assertBackpressure(String name, Setup setup) throws IOException {
    try (ToxiproxyServer server = new ToxiproxyServer();
        ServerSocket upstream = listen();
        SocketChannel sender = SocketChannel.open()) {
      server.start(LOOPBACK, 0);
      Proxy proxy = client(server).createProxy(name, "127.0.0.1:0", address(upstream));
      setup.accept(proxy);
      sender.connect(loopback(proxy.getListen()));
      try (Socket receiver = upstream.accept()) {
        long before = usedBytes();
        long sent = sendUntilFull(sender, 100 * MEBIBYTE);
        assertThat(sent).as("with the buffers of four sockets").isLessThan(40 * MEBIBYTE);
        assertThat(usedBytes() - before).isLessThan(6 * MEBIBYTE);
        assertThat(receiver.isClosed()).isFalse();
      }
    }
  }

  private static long usedBytes() {
    System.gc();
    return Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory();
  }

  /** Sends until for a second there has been no room. */
  private static long sendUntilFull(SocketChannel sender, long limitBytes) throws IOException {
    sender.setOption(StandardSocketOptions.SO_SNDBUF, 64 * 1024);
    sender.configureBlocking(false);
    ByteBuffer data = ByteBuffer.allocate(64 * 1024);
    long sent = 0;
    try (Selector selector = Selector.open()) {
      sender.register(selector, SelectionKey.OP_WRITE);
      while (sent < limitBytes && selector.select(1000) > 0) {
        selector.selectedKeys().clear();
        sent += sender.write(data.clear());
      }
    }
    return sent;
  }
}
