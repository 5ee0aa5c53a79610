package dev.holdfast.chaos.worker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.io.IOException;
import java.io.InputStream;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Each number rises with what it counts. Other tests of this JVM may move them by less. */
class ResourceUseTest {
  private static final int MANY = 100;

  private static long number(Map<String, Object> use, String what) {
    assumeThat(use).containsKey(what); // some systems do not tell
    return (Long) Objects.requireNonNull(use.get(what));
  }

  private static void assertRises(Map<String, Object> before, String what, long by) {
    assertThat(number(ResourceUse.now("c1"), what) - number(before, what))
        .as(what)
        .isGreaterThan(by / 2);
  }

  @Test
  void heap_ofWhatIsReachable_isCounted_andGarbageIsNot() {
    Map<String, Object> before = ResourceUse.now("c1");
    byte[][] kept = new byte[MANY][1 << 20];
    assertRises(before, ChaosVocabulary.HEAP_KIB, MANY * 1_024L);
    assertThat(kept).hasDimensions(MANY, 1 << 20);
    kept = new byte[0][];
    assertThat(number(ResourceUse.now("c1"), ChaosVocabulary.HEAP_KIB))
        .isLessThan(number(before, ChaosVocabulary.HEAP_KIB) + MANY * 1_024L / 2);
    assertThat(kept).isEmpty();
  }

  @Test
  void threads_areCounted() {
    Map<String, Object> before = ResourceUse.now("c1");
    CountDownLatch end = new CountDownLatch(1);
    for (int i = 0; i < MANY; i++) {
      Thread thread =
          new Thread(
              () -> {
                try {
                  end.await();
                } catch (InterruptedException e) {
                  throw new IllegalStateException(e);
                }
              });
      thread.setDaemon(true);
      thread.start();
    }
    assertRises(before, ChaosVocabulary.THREADS, MANY);
    end.countDown();
  }

  @Test
  void files_areCounted(@TempDir Path folder) throws IOException {
    Path file = Files.createFile(folder.resolve("file"));
    Map<String, Object> before = ResourceUse.now("c1");
    List<InputStream> open = new ArrayList<>();
    try {
      for (int i = 0; i < MANY; i++) {
        open.add(Files.newInputStream(file));
      }
      assertRises(before, ChaosVocabulary.FILES, MANY);
    } finally {
      for (InputStream each : open) {
        each.close();
      }
    }
  }

  @Test
  void sockets_areCounted() throws IOException {
    Map<String, Object> before = ResourceUse.now("c1");
    List<ServerSocket> open = new ArrayList<>();
    try {
      for (int i = 0; i < MANY; i++) {
        open.add(new ServerSocket(0));
      }
      assertRises(before, ChaosVocabulary.SOCKETS, MANY);
    } finally {
      for (ServerSocket each : open) {
        each.close();
      }
    }
  }
}
