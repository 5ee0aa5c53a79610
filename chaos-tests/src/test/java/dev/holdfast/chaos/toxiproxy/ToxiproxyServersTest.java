package dev.holdfast.chaos.toxiproxy;

import static dev.holdfast.chaos.toxiproxy.Wire.connect;
import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import eu.rekawek.toxiproxy.ToxiproxyClient;
import java.io.IOException;
import java.net.ConnectException;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Which server is found, and that none is left behind. */
@Timeout(120)
class ToxiproxyServersTest {

  @TempDir Path directory = Path.of("");

  private static void assertUsable(ToxiproxyHandle handle) throws IOException {
    assertThat(new ToxiproxyClient(handle.host(), handle.port()).getProxies()).isEmpty();
  }

  private static void assertGone(ToxiproxyHandle handle) {
    assertThatThrownBy(() -> connect(handle.host() + ":" + handle.port()).close())
        .isInstanceOf(ConnectException.class);
  }

  @Test
  void find_withNothingThere_isTheBuiltIn() throws IOException {
    ToxiproxyHandle handle = ToxiproxyServers.find(Map.of("PATH", directory.toString()), "auto");

    assertThat(handle.description()).isEqualTo("built-in");
    assertUsable(handle);
    handle.close();
    handle.close();
    assertGone(handle);
  }

  @Test
  void find_executableOnThePath_isStartedAndEndsWithTheHandle() throws Exception {
    FakeToxiproxy.install(directory);
    List<ProcessHandle> before = ProcessHandle.current().children().toList();

    ToxiproxyHandle handle = ToxiproxyServers.find(searchPath(), "auto");

    List<ProcessHandle> started = new ArrayList<>(ProcessHandle.current().descendants().toList());
    started.removeAll(before);
    assertThat(handle.description())
        .isEqualTo(
            "toxiproxy-server 2.12.0+builtin at 127.0.0.1:%d (process from PATH)", handle.port());
    assertUsable(handle);
    handle.close();
    handle.close();
    assertGone(handle);
    assertAllEnd(started);
  }

  @Test
  void restart_process_comesBackOnItsPort_withoutItsProxies() throws Exception {
    FakeToxiproxy.install(directory);
    try (ToxiproxyHandle handle = ToxiproxyServers.find(searchPath(), "process")) {
      ToxiproxyClient client = new ToxiproxyClient(handle.host(), handle.port());
      String listen = client.createProxy("p", "127.0.0.1:0", "127.0.0.1:1").getListen();
      assertThat(handle.answers()).isTrue();

      assertThat(handle.restart()).isTrue();

      assertUsable(handle);
      assertThat(client.createProxy("p", listen, "127.0.0.1:1").getListen()).isEqualTo(listen);
    }
  }

  @Test
  void restart_builtIn_isNotPossible() throws IOException {
    try (ToxiproxyHandle handle = ToxiproxyServers.find(Map.of(), "builtin")) {
      assertThat(handle.restart()).isFalse();
      assertUsable(handle);
    }
  }

  @Test
  void tellsProxies_serverThatIsSilent_isFalse() throws IOException {
    try (ServerSocket silent = Wire.listen()) {
      assertThat(ToxiproxyServers.tellsProxies("127.0.0.1", silent.getLocalPort(), 200)).isFalse();
    }
    try (ToxiproxyServer server = new ToxiproxyServer()) {
      assertThat(ToxiproxyServers.tellsProxies("127.0.0.1", server.start("127.0.0.1", 0), 60_000))
          .isTrue();
    }
  }

  private Map<String, String> searchPath() {
    return Map.of("PATH", directory + ":" + System.getenv("PATH"));
  }

  private static void assertAllEnd(List<ProcessHandle> processes) throws Exception {
    assertThat(processes).isNotEmpty();
    for (ProcessHandle process : processes) {
      process.onExit().get(30, SECONDS);
    }
  }

  @Test
  void find_thenKilledJvm_leavesNoProcess() throws Exception {
    FakeToxiproxy.install(directory);
    List<String> command = new ArrayList<>(FakeToxiproxy.javaCommand("find"));
    command.add(directory.toString());
    Process jvm =
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    try {
      assertThat(jvm.inputReader().readLine()).containsOnlyDigits();
      List<ProcessHandle> supervised = jvm.descendants().toList();
      assertThat(supervised).hasSizeGreaterThanOrEqualTo(2);

      jvm.destroyForcibly();

      assertAllEnd(supervised);
    } finally {
      jvm.destroyForcibly();
    }
  }

  @Test
  void find_executableThatFails_saysSo() throws IOException {
    Path file = directory.resolve("toxiproxy-server");
    Files.writeString(file, "#!/bin/sh\nexit 3\n");
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));

    assertThatThrownBy(() -> ToxiproxyServers.find(searchPath(), "auto"))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining(file + " ended with status 3");
  }

  @Test
  void find_urlOfRunningServer_isUsedFirstAndLeftRunning() throws IOException {
    try (ToxiproxyServer server = new ToxiproxyServer()) {
      int port = server.start("127.0.0.1", 0);
      String url = "http://127.0.0.1:" + port;

      for (String spelled : List.of(url, url + "/", "127.0.0.1:" + port)) {
        ToxiproxyHandle handle = ToxiproxyServers.find(Map.of("TOXIPROXY_URL", spelled), "auto");
        handle.close();
        assertThat(handle)
            .hasToString(
                "toxiproxy-server 2.12.0+builtin at 127.0.0.1:" + port + " (TOXIPROXY_URL)");
        assertUsable(handle);
      }
    }
  }

  @Test
  void find_urlOfNothing_isAClearError() throws IOException {
    String url;
    try (ServerSocket socket = Wire.listen()) {
      url = "http://" + Wire.address(socket);
    }

    assertThatThrownBy(() -> ToxiproxyServers.find(Map.of("TOXIPROXY_URL", url), "auto"))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("TOXIPROXY_URL is " + url);
  }

  @Test
  void find_forcedChoice_ignoresTheRest() {
    Map<String, String> url = Map.of("TOXIPROXY_URL", "http://127.0.0.1:1");

    try (ToxiproxyHandle handle = ToxiproxyServers.find(url, "builtin")) {
      assertThat(handle.description()).isEqualTo("built-in");
    }
    assertThatThrownBy(() -> ToxiproxyServers.find(url, "process"))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("no toxiproxy-server on the PATH");
  }

  @Test
  void find_nonsense_isRefused() {
    assertThatThrownBy(() -> ToxiproxyServers.find(Map.of(), "other"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("holdfast.test.toxiproxy");
    assertThatThrownBy(() -> ToxiproxyServers.find(Map.of("TOXIPROXY_URL", "https://x"), "auto"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("TOXIPROXY_URL");
  }
}
