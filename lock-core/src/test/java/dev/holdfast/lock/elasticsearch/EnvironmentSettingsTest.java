package dev.holdfast.lock.elasticsearch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.lock.elasticsearch.HttpFront.Request;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What the environment makes of a store, as a server sees it, and what is said of half settings.
 */
@Timeout(120)
class EnvironmentSettingsTest {
  private static final String KEY = "c2VjcmV0LWtleQ==";

  @TempDir Path folder;

  private final HttpFront server = HttpFront.alone(Answers::to);

  @AfterEach
  void close() {
    server.close();
  }

  private @Nullable String authorizationSent(Map<String, String> environment) throws Exception {
    Map<String, String> all = new LinkedHashMap<>(environment);
    all.put("HOLDFAST_URL", server.url());
    try (ElasticsearchLockStore store = ElasticsearchLockStore.fromEnvironment(all).build()) {
      assertThat(store.toString()).contains(server.host()).doesNotContain("secret", KEY);
      assertThat(Answers.get(store.read("x"))).isNotNull();
    }
    assertThat(server.requests()).isNotEmpty();
    Request last = server.requests().get(server.requests().size() - 1);
    return last.headers().get("authorization");
  }

  private static String basic(String userAndPassword) {
    return "Basic "
        + Base64.getEncoder().encodeToString(userAndPassword.getBytes(StandardCharsets.UTF_8));
  }

  private Path file(String content) throws IOException {
    return Files.writeString(Files.createTempFile(folder, "secret", ""), content);
  }

  @Test
  void credentials_fromVariablesAndFiles_areSent() throws Exception {
    assertThat(authorizationSent(Map.of())).isNull();
    assertThat(authorizationSent(Map.of("HOLDFAST_API_KEY", KEY))).isEqualTo("ApiKey " + KEY);
    assertThat(authorizationSent(Map.of("HOLDFAST_API_KEY_FILE", file(KEY + "\n").toString())))
        .isEqualTo("ApiKey " + KEY);
    assertThat(
            authorizationSent(Map.of("HOLDFAST_USERNAME", "u", "HOLDFAST_PASSWORD", "secret ü:")))
        .isEqualTo(basic("u:secret ü:"));
    assertThat(
            authorizationSent(
                Map.of(
                    "HOLDFAST_USERNAME",
                    "u",
                    "HOLDFAST_PASSWORD_FILE",
                    file("secret\n").toString(),
                    "HOLDFAST_API_KEY",
                    " ")))
        .isEqualTo(basic("u:secret"));
  }

  @Test
  void urls_separatedByCommas_areAllUsed() {
    ElasticsearchLockStore.Builder builder =
        new EnvironmentSettings(Map.of("HOLDFAST_URL", "http://a:1, http://b:2")).builder();
    try (ElasticsearchLockStore store = builder.build()) {
      assertThat(store.description()).contains("http://a:1").contains("http://b:2");
    }
  }

  /** Settings that cannot be used, and what the error must say. */
  record Wrong(Map<String, String> environment, List<String> says) {}

  private static Wrong wrong(Map<String, String> environment, String... says) {
    return new Wrong(environment, List.of(says));
  }

  static Stream<Wrong> wrongSettings() {
    String url = "HOLDFAST_URL";
    return Stream.of(
        wrong(Map.of(), "HOLDFAST_URL must be set"),
        wrong(Map.of(url, " "), "HOLDFAST_URL must be set"),
        wrong(Map.of(url, "h:9200"), "HOLDFAST_URL: ", "https://localhost:9200"),
        wrong(Map.of(url, "http://a,"), "HOLDFAST_URL: ", "URL 2 of 2", "comma"),
        wrong(Map.of(url, "http://a,,http://b"), "HOLDFAST_URL: ", "URL 2 of 3", "comma"),
        wrong(Map.of(url, "http://u:secret@,http://b"), "HOLDFAST_URL: ", "no host"),
        wrong(Map.of(url, "http://a/x,http://b/y"), "HOLDFAST_URL: ", "different paths"),
        wrong(
            Map.of(url, "http://h", "HOLDFAST_USERNAME", "secret"),
            "HOLDFAST_USERNAME is set, but HOLDFAST_PASSWORD is not"),
        wrong(
            Map.of(url, "http://h", "HOLDFAST_PASSWORD", "secret"),
            "HOLDFAST_PASSWORD is set, but HOLDFAST_USERNAME is not"),
        wrong(
            Map.of(
                url,
                "http://h",
                "HOLDFAST_USERNAME",
                "u",
                "HOLDFAST_PASSWORD",
                "secret",
                "HOLDFAST_API_KEY",
                KEY),
            "HOLDFAST_API_KEY and HOLDFAST_USERNAME are both set"),
        wrong(
            Map.of(url, "http://h", "HOLDFAST_USERNAME", "u:v", "HOLDFAST_PASSWORD", "secret"),
            "HOLDFAST_USERNAME: ",
            "colon"),
        wrong(
            Map.of(url, "http://h", "HOLDFAST_API_KEY", "secret:key"),
            "HOLDFAST_API_KEY: ",
            "encoded"),
        wrong(
            Map.of(url, "http://h", "HOLDFAST_API_KEY", "secret\r\nX-Injected: 1"),
            "HOLDFAST_API_KEY: "),
        wrong(
            Map.of(url, "http://h", "HOLDFAST_API_KEY_FILE", "/nowhere/at/all"),
            "HOLDFAST_API_KEY_FILE cannot be read",
            "/nowhere/at/all"),
        wrong(
            Map.of(url, "http://h", "HOLDFAST_API_KEY", KEY, "HOLDFAST_API_KEY_FILE", "/f"),
            "HOLDFAST_API_KEY and HOLDFAST_API_KEY_FILE are both set"),
        wrong(Map.of(url, "https://h", "HOLDFAST_CA", "/nowhere"), "HOLDFAST_CA: ", "/nowhere"),
        wrong(
            Map.of(url, "https://h", "HOLDFAST_CA_FINGERPRINT", "secret"),
            "HOLDFAST_CA_FINGERPRINT: "),
        wrong(
            Map.of(url, "https://h", "HOLDFAST_CA", "/c", "HOLDFAST_CA_FINGERPRINT", "00"),
            "only one of HOLDFAST_CA, HOLDFAST_CA_FINGERPRINT and HOLDFAST_TRUST_STORE"),
        wrong(
            Map.of(url, "https://h", "HOLDFAST_TRUST_STORE", "/t"),
            "HOLDFAST_TRUST_STORE_PASSWORD"),
        wrong(
            Map.of(
                url,
                "https://h",
                "HOLDFAST_TRUST_STORE",
                "/t",
                "HOLDFAST_TRUST_STORE_PASSWORD",
                "secret"),
            "HOLDFAST_TRUST_STORE: ",
            "/t"));
  }

  @ParameterizedTest
  @MethodSource("wrongSettings")
  void settings_thatCannotBeUsed_areNamed_andTheirSecretsAreNot(Wrong wrong) {
    assertThatThrownBy(() -> new EnvironmentSettings(wrong.environment()).builder())
        .isInstanceOf(IllegalArgumentException.class)
        .satisfies(
            e -> {
              assertThat(e.getMessage()).contains(wrong.says());
              for (Throwable t = e; t != null; t = t.getCause()) {
                assertThat(t.toString()).doesNotContain("secret", KEY);
              }
            });
  }

  /** They are on command lines, and tools print them. */
  @Test
  void systemProperties_areNotLookedAt() {
    System.setProperty("HOLDFAST_URL", "http://h");
    System.setProperty("holdfast.url", "http://h");
    try {
      assertThatThrownBy(() -> new EnvironmentSettings(Map.of()).builder())
          .hasMessageContaining("must be set");
    } finally {
      System.clearProperty("HOLDFAST_URL");
      System.clearProperty("holdfast.url");
    }
  }
}
