package dev.holdfast.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.net.http.HttpTimeoutException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@Tag("slow")
class ElasticsearchNodeIT {

  private static final Duration LIMIT = Duration.ofSeconds(60);

  /** As the distribution has it, of a log. */
  private static final long LOG_LIMIT = 128 * 1024 * 1024;

  private final HttpClient http = HttpClient.newHttpClient();

  @ParameterizedTest
  @EnumSource
  void start_version_answersAndIsGoneAfterClose(ElasticsearchVersion version) throws Exception {
    assumeSupported(version);
    ElasticsearchNode node = ElasticsearchNode.builder(version).nodeName("first").start();
    try (node) {
      assertThat(get(node, "/_nodes/_local/process", LIMIT))
          .contains("\"version\":\"" + version.number() + "\"")
          .contains("\"name\":\"first\"")
          .contains("\"transport_address\":\"127.0.0.1:" + node.transportPort() + "\"")
          .contains("\"id\":" + node.serverPid() + ",");
      assertThat(node.log()).contains("started");
      assertThat(node.uid().isPresent()).isEqualTo(RunAs.isRoot());

      node.pause();
      assertThatThrownBy(() -> get(node, "/_cluster/health", Duration.ofSeconds(2)))
          .isInstanceOf(HttpTimeoutException.class);
      node.resume();
      assertThat(get(node, "/_cluster/health", LIMIT)).contains("\"timed_out\":false");
      node.pause(); // which must not stop it from being closed
    }

    node.close();
    assertThat(Processes.isRunning(node.serverPid())).isFalse();
    assertThat(node.workDir()).doesNotExist();
    assertThat(Path.of("/tmp/.java_pid" + node.serverPid())).doesNotExist();
    assertThat(filesBeside(node)).isEmpty();
    assertThatIllegalStateException().isThrownBy(node::resume);
  }

  @ParameterizedTest
  @EnumSource
  void start_badSetting_throwsWithTheReasonAndLeavesNothing(ElasticsearchVersion version) {
    assumeSupported(version);
    NodeStartException failure =
        failureOf(ElasticsearchNode.builder(version).setting("no.such.setting", "x\"y"));

    assertThat(failure)
        .hasMessageContaining("died while starting, exit code 1")
        .hasMessageContaining("unknown setting [no.such.setting]");
    assertThat(workDirNamedBy(failure)).doesNotExist();
  }

  @Test
  void start_limitTooShort_throwsAndLeavesNothing() {
    NodeStartException failure =
        failureOf(
            ElasticsearchNode.builder(ElasticsearchVersion.V8).startLimit(Duration.ofSeconds(1)));

    assertThat(failure).hasMessageContaining("did not answer within PT1S");
    assertThat(workDirNamedBy(failure)).doesNotExist();
  }

  @Test
  void kill_runningNode_leavesItsFilesUntilClose() throws Exception {
    try (ElasticsearchNode node = ElasticsearchNode.builder(ElasticsearchVersion.V8).start()) {
      node.kill();
      node.kill();

      assertThat(Processes.isRunning(node.serverPid())).isFalse();
      assertThat(node.log()).contains("started");
      assertThatThrownBy(() -> get(node, "/_cluster/health", LIMIT))
          .isInstanceOf(IOException.class);
      assertThatIllegalStateException().isThrownBy(node::pause);
    }
  }

  @Test
  void relaunch_afterKillAndAfterStop_hasItsDataAndPortsAgain() throws Exception {
    List<Integer> ports = Ports.free(2);
    ElasticsearchNode node =
        ElasticsearchNode.builder(ElasticsearchVersion.V8)
            .setting("http.port", ports.get(0).toString())
            .setting("transport.port", ports.get(1).toString())
            .start();
    try (node) {
      HttpRequest write =
          HttpRequest.newBuilder(node.httpUri().resolve("/kept/_doc/1"))
              .header("Content-Type", "application/json")
              .PUT(HttpRequest.BodyPublishers.ofString("{}"))
              .build();
      assertThat(http.send(write, BodyHandlers.ofString()).statusCode()).isEqualTo(201);
      long first = node.serverPid();

      node.kill();
      node.relaunch();
      node.relaunch(); // it runs: nothing happens
      node.awaitUp();

      assertThat(node.serverPid()).isNotEqualTo(first);
      assertThat(get(node, "/kept/_doc/1", LIMIT)).contains("\"found\":true");
      node.stop();
      assertThat(Processes.isRunning(node.serverPid())).isFalse();
      // So long that the node begins a new one, as it does at midnight.
      try (RandomAccessFile log =
          new RandomAccessFile(node.workDir().resolve("logs/holdfast.log").toFile(), "rw")) {
        log.setLength(LOG_LIMIT + 1);
      }
      node.relaunch();
      node.awaitUp();
      assertThat(node.log()).containsOnlyOnce(", pid[");
      assertThat(get(node, "/kept/_doc/1", LIMIT)).contains("\"found\":true");
    }
    assertThat(Processes.isRunning(node.serverPid())).isFalse();
    assertThat(node.workDir()).doesNotExist();
    assertThat(filesBeside(node)).isEmpty();
  }

  @Test
  void start_securityOnWithUsersOfFiles_asksForThem() throws Exception {
    try (ElasticsearchNode node =
        ElasticsearchNode.builder(ElasticsearchVersion.V8)
            .setting("xpack.security.enabled", "true")
            .configFile("roles.yml", "reader:\n  cluster: [monitor]\n")
            .start()) {
      assertThat(get(node, "/_cluster/health", LIMIT)).contains("security_exception");
      assertThat(Files.readString(node.workDir().resolve("config/roles.yml"))).contains("reader");
    }
  }

  @Test
  void start_distributionThatOnlyRootCanReach_runsACopy(@TempDir Path temp) throws Exception {
    assumeTrue(RunAs.isRoot(), "only root runs nodes as other users");
    Files.setPosixFilePermissions(temp, PosixFilePermissions.fromString("rwx------"));
    Path original = ElasticsearchVersion.V8.distribution();
    Path secret = temp.resolve(original.getFileName().toString());
    try (Stream<Path> files = Files.walk(original)) {
      for (Path file : (Iterable<Path>) files::iterator) {
        Path copy = secret.resolve(original.relativize(file).toString());
        if (Files.isDirectory(file)) {
          Files.createDirectory(copy);
        } else {
          Files.createLink(copy, file);
        }
      }
    }
    try (ElasticsearchNode node =
        ElasticsearchNode.builder(ElasticsearchVersion.V8).distribution(secret).start()) {
      assertThat(get(node, "/_nodes/_local/jvm", LIMIT)).contains("\"version\":\"8.");
      assertThat(node.workDir().resolve("dist/bin/elasticsearch")).exists();
    }
  }

  @Test
  void node_jvmIsKilled_isGoneSoon() throws Exception {
    Process jvm = Processes.startJvm(NodeJvm.class);
    try (BufferedReader lines = jvm.inputReader()) {
      Optional<String> told = lines.lines().filter(line -> line.startsWith("UP ")).findFirst();
      String[] words = told.orElseThrow().split(" ", 3);
      long server = Long.parseLong(words[1]);
      Path workDir = Path.of(words[2]);
      long launcher = ProcessHandle.of(server).flatMap(ProcessHandle::parent).orElseThrow().pid();
      assertThat(workDir).exists();

      jvm.destroyForcibly();

      assertThat(Polling.until(LIMIT, () -> !Files.exists(workDir))).isTrue();
      assertThat(Processes.isRunning(server)).isFalse();
      assertThat(Processes.isRunning(launcher)).isFalse();
    } finally {
      jvm.destroyForcibly();
    }
  }

  private static void assumeSupported(ElasticsearchVersion version) {
    Optional<String> reason = ElasticsearchNode.unsupportedReason(version);
    assumeTrue(reason.isEmpty(), () -> reason.orElse(""));
  }

  private String get(ElasticsearchNode node, String path, Duration limit)
      throws IOException, InterruptedException {
    URI uri = node.httpUri().resolve(path);
    HttpRequest request = HttpRequest.newBuilder(uri).timeout(limit).build();
    return http.send(request, BodyHandlers.ofString()).body();
  }

  /** Returns what the node's own user has put where it was not to. */
  private static List<Path> filesBeside(ElasticsearchNode node) throws IOException {
    List<Path> found = new ArrayList<>();
    if (node.uid().isPresent()) {
      try (Stream<Path> entries = Files.list(Path.of(System.getProperty("java.io.tmpdir")))) {
        for (Path entry : (Iterable<Path>) entries::iterator) {
          try {
            if (Files.getAttribute(entry, "unix:uid").equals(node.uid().getAsInt())) {
              found.add(entry);
            }
          } catch (NoSuchFileException e) {
            // Another's, who has just removed it.
          }
        }
      }
    }
    return found;
  }

  private static NodeStartException failureOf(ElasticsearchNode.Builder builder) {
    return catchThrowableOfType(NodeStartException.class, builder::start);
  }

  private static Path workDirNamedBy(NodeStartException failure) {
    Matcher matcher = Pattern.compile("its folder (\\S+) is removed").matcher(failure.getMessage());
    assertThat(matcher.find()).as(failure.getMessage()).isTrue();
    return Path.of(matcher.group(1));
  }

  /** A JVM that starts a node, tells which, and waits to be killed. */
  static final class NodeJvm {

    private NodeJvm() {}

    public static void main(String[] arguments) throws InterruptedException {
      ElasticsearchNode node = ElasticsearchNode.builder(ElasticsearchVersion.V8).start();
      System.out.println("UP " + node.serverPid() + " " + node.workDir());
      Thread.currentThread().join();
    }
  }
}
