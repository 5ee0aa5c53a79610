package dev.holdfast.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("slow")
class SharedNodesIT {

  @Test
  void get_fromSeveralThreadsOfAJvmThatThenExits_isOneNodeThatIsGoneAtTheExit() throws Exception {
    Process jvm = Processes.startJvm(SharingJvm.class);
    try (BufferedReader lines = jvm.inputReader()) {
      List<String> told = lines.lines().filter(line -> line.startsWith("UP ")).toList();
      assertThat(jvm.waitFor(60, TimeUnit.SECONDS)).isTrue();

      assertThat(jvm.exitValue()).isZero();
      assertThat(told).hasSize(2);
      assertThat(told.get(0)).isEqualTo(told.get(1));
      String[] words = told.get(0).split(" ", 3);
      assertThat(Processes.isRunning(Long.parseLong(words[1]))).isFalse();
      assertThat(Path.of(words[2])).doesNotExist();
    } finally {
      jvm.destroyForcibly();
    }
  }

  /** A JVM that asks for the shared node in two threads at once, and exits. */
  static final class SharingJvm {

    private SharingJvm() {}

    public static void main(String[] arguments) throws InterruptedException, ExecutionException {
      ExecutorService threads = Executors.newFixedThreadPool(2);
      List<Future<ElasticsearchNode>> nodes =
          List.of(
              threads.submit(() -> SharedNodes.get(ElasticsearchVersion.V8)),
              threads.submit(() -> SharedNodes.get(ElasticsearchVersion.V8)));
      for (Future<ElasticsearchNode> node : nodes) {
        System.out.println("UP " + node.get().serverPid() + " " + node.get().workDir());
      }
      threads.shutdown();
    }
  }
}
