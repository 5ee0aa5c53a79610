package dev.holdfast.lock.elasticsearch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import javax.net.ssl.SSLContext;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

/**
 * What a store has open: nothing before it is built, after it was refused, or once it is closed.
 */
@EnabledOnOs(OS.LINUX)
@Timeout(300)
class FileDescriptorsTest {
  private static final Path OPEN = Path.of("/proc/self/fd");

  private static final int TIMES = 100;

  /** Far fewer than one each time; the JVM and the test's own servers open some. */
  private static final int OTHERS = TIMES / 2;

  private static long open() throws IOException {
    try (Stream<Path> all = Files.list(OPEN)) {
      return all.count();
    }
  }

  private interface Action {
    void run() throws Exception;
  }

  private static void assertNothingStaysOpen(Action action) throws Exception {
    action.run();
    long before = open();
    for (int i = 0; i < TIMES; i++) {
      action.run();
    }
    assertThat(open() - before).as("file descriptors that stayed open").isLessThan(OTHERS);
  }

  @Test
  void store_thatIsRefused_leavesNothingOpen() throws Exception {
    for (List<String> urls :
        List.of(
            List.of("http://a/x", "http://b/y"),
            List.of("http://a/", "http://b:0"),
            List.of("http://u:p@a", "http://u:q@b"),
            List.of("http://a", "nothing"))) {
      assertNothingStaysOpen(
          () ->
              assertThatThrownBy(
                      () -> ElasticsearchLockStore.builder(urls.toArray(String[]::new)).build())
                  .isInstanceOf(IllegalArgumentException.class));
    }
    SSLContext context = SSLContext.getDefault();
    assertNothingStaysOpen(
        () ->
            assertThatThrownBy(
                    () -> ElasticsearchLockStore.builder("http://a").sslContext(context).build())
                .isInstanceOf(IllegalStateException.class));
  }

  /** The client is opened first, and then refuses to be without a node. */
  @Test
  void connections_whoseClientIsRefusedInTheEnd_leaveNothingOpen() throws Exception {
    assertNothingStaysOpen(
        () ->
            assertThatThrownBy(
                    () -> ManagedTransport.open(new ManagedTransport.Settings(List.of())))
                .isInstanceOf(RuntimeException.class));
  }

  @Test
  void store_thatIsClosed_leavesNothingOpen() throws Exception {
    try (HttpFront one = HttpFront.alone(Answers::to);
        HttpFront two = HttpFront.alone(Answers::to)) {
      assertNothingStaysOpen(
          () -> ElasticsearchLockStore.builder(one.url(), two.url()).build().close());
      assertNothingStaysOpen(
          () -> {
            try (ElasticsearchLockStore store =
                ElasticsearchLockStore.builder(one.url(), two.url() + "/").build()) {
              assertThat(Answers.get(store.read("x"))).isNotNull();
            }
          });
    }
  }
}
