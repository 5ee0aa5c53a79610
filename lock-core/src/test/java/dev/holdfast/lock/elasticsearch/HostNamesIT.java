package dev.holdfast.lock.elasticsearch;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.cluster.ElasticsearchVersion;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Names that a node has in networks of Docker and beyond ASCII, which java.net.URI does not take.
 */
@Timeout(600)
@Tag("slow")
class HostNamesIT {
  private static final Path SOURCES = Path.of("src/test/clients/java/app");

  @ParameterizedTest
  @ValueSource(
      strings = {"es_node", "_es-1_", "bücher.example", "BÜCHER.example", "[::ffff:127.0.0.1]"})
  void host_thatIsNoDnsName_isReached(String host, @TempDir Path folder) throws Exception {
    Path hosts = folder.resolve("hosts");
    Files.writeString(hosts, "127.0.0.1 es_node _es-1_ xn--bcher-kva.example\n");
    List<Path> classPath = new ArrayList<>(List.of(folder, ForkedJava.jar()));
    classPath.addAll(ForkedJava.paths(Path.of("target/runtime-classpath")));
    ForkedJava.javac(
        folder,
        List.of("-cp", ForkedJava.joined(classPath)),
        SOURCES.resolve("Locks.java"),
        SOURCES.resolve("OwnConnections.java"));

    try (LockCluster cluster = LockCluster.on(ElasticsearchVersion.V8)) {
      List<String> urls = new ArrayList<>();
      urls.add("http://" + host + ":" + cluster.node().getPort());
      urls.add("http://" + host + ":" + cluster.node().getPort() + "/");
      List<String> arguments =
          new ArrayList<>(
              List.of(
                  "-Djdk.net.hosts.file=" + hosts,
                  "-cp",
                  ForkedJava.joined(classPath),
                  "app.OwnConnections",
                  cluster.alias()));
      arguments.addAll(urls);

      assertThat(ForkedJava.java(folder, arguments.toArray(String[]::new)).output())
          .contains("own connections: works");
    }
  }
}
