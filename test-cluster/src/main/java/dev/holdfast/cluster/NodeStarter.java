package dev.holdfast.cluster;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Starts one node, and waits until it answers. */
final class NodeStarter {

  private static final Logger LOG = LoggerFactory.getLogger(NodeStarter.class);

  private static final int TAIL_LINES = 60;

  private final NodeSpec spec;
  private final WorkDir dir;
  private final RunAs runAs;
  private final boolean copyDistribution;
  private final boolean copyJava;
  private final HttpClient http =
      HttpClient.newBuilder()
          .proxy(HttpClient.Builder.NO_PROXY)
          .version(HttpClient.Version.HTTP_1_1)
          .connectTimeout(Duration.ofSeconds(5))
          // This only asks whether the node is up; no secret is sent.
          .sslContext(TrustAnything.context())
          .build();

  private NodeStarter(NodeSpec spec) throws IOException {
    this.spec = spec;
    boolean root = RunAs.isRoot();
    this.copyDistribution = root && !RunAs.isOpenDistribution(spec.distribution());
    this.copyJava = root && !RunAs.isOpenJava(spec.javaHome());
    this.dir = WorkDir.create(); // last, as from here on there is something to clean up
    this.runAs = RunAs.choose(dir);
  }

  static ElasticsearchNode start(NodeSpec spec) {
    long startNanos = System.nanoTime();
    LOG.info("Starting {} on {}", spec, spec.javaHome());
    try {
      RunAs.requirePossible();
      ElasticsearchNode node = new NodeStarter(spec).supervise();
      long seconds = TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - startNanos);
      LOG.info("{} is up at {} after {} s", spec, node.httpUri(), seconds);
      return node;
    } catch (IOException e) {
      throw new NodeStartException(spec + " could not be started: " + e, e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new NodeStartException(spec + " was starting when this thread was interrupted", e);
    }
  }

  private ElasticsearchNode supervise() throws IOException, InterruptedException {
    Path home = copyDistribution ? dir.distribution() : spec.distribution();
    Map<String, String> environment = new TreeMap<>();
    // Where the launcher puts what it forgets; the server is told by ES_TMPDIR.
    environment.put("CLI_JAVA_OPTS", "-Djava.io.tmpdir=" + dir.tmp());
    environment.put("HOME", dir.tmp().toString());
    environment.put("ES_JAVA_HOME", (copyJava ? dir.java() : spec.javaHome()).toString());
    environment.put("ES_JAVA_OPTS", spec.javaOptions());
    environment.put("ES_PATH_CONF", dir.config().toString());
    environment.put("ES_TMPDIR", dir.tmp().toString());
    if (copyDistribution) {
      environment.put("COPY_DIST", spec.distribution().toRealPath().toString());
    }
    if (copyJava) {
      environment.put("COPY_JDK", spec.javaHome().toRealPath().toString());
    }
    List<String> command =
        Stream.concat(
                runAs.prefix().stream(),
                Stream.of(home + "/bin/elasticsearch", "-p", dir.pid().toString()))
            .toList();

    Supervisor supervisor = Supervisor.start(dir, command, environment);
    try {
      dir.populate(spec, runAs);
      supervisor.launch();
      awaitUp(supervisor);
      OsProcess server =
          runningServer().orElseThrow(() -> failure("has no server process", "is removed"));
      URI uri = address("http").orElseThrow();
      int transportPort = address("transport").orElseThrow().getPort();
      return new ElasticsearchNode(spec, dir, supervisor, runAs, uri, transportPort, server, this);
    } catch (IOException | InterruptedException | RuntimeException e) {
      try {
        supervisor.close();
      } catch (IllegalStateException left) {
        e.addSuppressed(left);
      }
      throw e;
    }
  }

  /**
   * Starts the node's server again, whose last one has died, and returns when it runs, long before
   * it answers.
   */
  OsProcess relaunch(Supervisor supervisor) throws IOException, InterruptedException {
    if (!Polling.until(spec.startLimit(), supervisor::hasEnded)) {
      throw failure("was to be started again, but its launcher lives on", "stays");
    }
    Files.deleteIfExists(dir.pid());
    Files.deleteIfExists(portsFile("http"));
    Files.deleteIfExists(portsFile("transport"));
    supervisor.relaunch();
    boolean settled =
        Polling.until(spec.startLimit(), () -> supervisor.hasEnded() || serverPid().isPresent());
    if (!settled || supervisor.hasEnded()) {
      throw failure("did not come back, exit code " + exitCode(), "stays");
    }
    return runningServer()
        .orElseThrow(() -> failure("came back and died, exit code " + exitCode(), "stays"));
  }

  /** Waits for the node that was launched again. */
  void awaitBack(Supervisor supervisor) throws InterruptedException {
    boolean settled = Polling.until(spec.startLimit(), () -> supervisor.hasEnded() || answers());
    if (!settled || supervisor.hasEnded()) {
      throw failure("did not answer again, exit code \"" + exitCode() + "\"", "stays");
    }
  }

  private void awaitUp(Supervisor supervisor) throws InterruptedException {
    boolean settled = Polling.until(spec.startLimit(), () -> supervisor.hasEnded() || answers());
    if (supervisor.hasEnded()) {
      throw failure("died while starting, exit code " + exitCode(), "is removed");
    }
    if (!settled) {
      throw failure("did not answer within " + spec.startLimit(), "is removed");
    }
  }

  private String exitCode() {
    return WorkDir.read(dir.exitCode()).strip();
  }

  private boolean answers() {
    return address("transport").isPresent()
        && address("http").filter(uri -> Health.answers(http, uri)).isPresent();
  }

  private Optional<URI> address(String protocol) {
    return WorkDir.read(portsFile(protocol))
        .lines()
        .findFirst()
        .map(address -> URI.create(spec.scheme() + "://" + address));
  }

  private Path portsFile(String protocol) {
    return dir.logs().resolve(protocol + ".ports");
  }

  /** Not from the log, which starts again at midnight. */
  private Optional<Long> serverPid() {
    String pid = WorkDir.read(dir.pid());
    return pid.isBlank() ? Optional.empty() : Optional.of(Long.valueOf(pid.strip()));
  }

  private Optional<OsProcess> runningServer() {
    return serverPid().flatMap(ProcessHandle::of).map(OsProcess::new);
  }

  private NodeStartException failure(String reason, String fate) {
    List<String> log = WorkDir.read(dir.log(spec.clusterName())).lines().toList();
    // It prints what it logs, and a little more.
    Set<String> logged = new HashSet<>(log);
    List<String> printed =
        WorkDir.read(dir.output()).lines().filter(line -> !logged.contains(line)).toList();
    return new NodeStartException(
        "%s %s; its folder %s %s%n--- end of its log:%n%s%n--- end of its other output:%n%s"
            .formatted(spec, reason, dir.root(), fate, tail(log), tail(printed)));
  }

  private static String tail(List<String> lines) {
    return lines.stream()
        .skip(Math.max(0, lines.size() - TAIL_LINES))
        .collect(Collectors.joining(System.lineSeparator()));
  }
}
