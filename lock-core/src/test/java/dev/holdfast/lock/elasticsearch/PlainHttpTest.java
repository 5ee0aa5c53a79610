package dev.holdfast.lock.elasticsearch;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What a store does not need where no address is https. */
@Timeout(300)
class PlainHttpTest {
  @TempDir Path folder;

  /** In a JVM whose default SSL context cannot be made, as its trust store is of no known type. */
  private ForkedJava.Result build(String url) throws IOException, InterruptedException {
    return ForkedJava.java(
        folder,
        "-Djavax.net.ssl.trustStoreType=no-such-type",
        "-cp",
        System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")),
        Builds.class.getName(),
        url);
  }

  @Test
  void store_withoutHttps_needsNoSslContext() throws Exception {
    assertThat(build("http://127.0.0.1:9200").output()).endsWith("built\n");
  }

  /** So that the other test can fail. */
  @Test
  void store_withHttps_needsOne() throws Exception {
    ForkedJava.Result result = build("https://127.0.0.1:9200");
    assertThat(result.exitCode()).isNotZero();
    assertThat(result.output()).contains("no default SSL context");
  }

  /** Builds a store. */
  static final class Builds {
    private Builds() {}

    public static void main(String[] arguments) throws IOException {
      ElasticsearchLockStore.builder(arguments[0]).build().close();
      System.out.print("built\n");
    }
  }
}
