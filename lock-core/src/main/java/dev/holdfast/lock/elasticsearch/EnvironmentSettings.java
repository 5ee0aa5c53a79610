package dev.holdfast.lock.elasticsearch;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Connection settings as environment variables. What is wrong is said with the variables' names,
 * and without what they hold.
 */
final class EnvironmentSettings {
  static final String URL = "HOLDFAST_URL";
  static final String API_KEY = "HOLDFAST_API_KEY";
  static final String USERNAME = "HOLDFAST_USERNAME";
  static final String PASSWORD = "HOLDFAST_PASSWORD";
  static final String CA = "HOLDFAST_CA";
  static final String CA_FINGERPRINT = "HOLDFAST_CA_FINGERPRINT";
  static final String TRUST_STORE = "HOLDFAST_TRUST_STORE";
  static final String TRUST_STORE_PASSWORD = "HOLDFAST_TRUST_STORE_PASSWORD";

  /** Appended to a secret's name, for a file that holds it. */
  static final String FILE = "_FILE";

  private final Map<String, String> environment;

  EnvironmentSettings(Map<String, String> environment) {
    this.environment = environment;
  }

  ElasticsearchLockStore.Builder builder() {
    String urls = get(URL);
    if (urls == null) {
      throw new IllegalArgumentException(
          URL + " must be set, such as to https://localhost:9200; commas separate several URLs");
    }
    ElasticsearchLockStore.Builder builder =
        named(
            URL,
            () ->
                ElasticsearchLockStore.builder(
                    Arrays.stream(urls.split(",", -1)).map(String::strip).toArray(String[]::new)));
    credentials(builder);
    trust(builder);
    return builder;
  }

  private void credentials(ElasticsearchLockStore.Builder builder) {
    String apiKey = secret(API_KEY);
    String user = get(USERNAME);
    String password = secret(PASSWORD);
    if ((user == null) != (password == null)) {
      throw new IllegalArgumentException(
          (user == null ? PASSWORD : USERNAME)
              + " is set, but "
              + (user == null ? USERNAME : PASSWORD)
              + " is not: both are needed");
    }
    if (apiKey != null && user != null) {
      throw new IllegalArgumentException(
          API_KEY + " and " + USERNAME + " are both set: one kind of credentials is used");
    }
    if (apiKey != null) {
      named(API_KEY, () -> builder.apiKey(apiKey));
    } else if (user != null && password != null) {
      named(USERNAME, () -> builder.basicAuth(user, password));
    }
  }

  private void trust(ElasticsearchLockStore.Builder builder) {
    String ca = get(CA);
    String fingerprint = get(CA_FINGERPRINT);
    String store = get(TRUST_STORE);
    String storePassword = secret(TRUST_STORE_PASSWORD);
    if (Arrays.asList(ca, fingerprint, store).stream().filter(v -> v != null).count() > 1) {
      throw new IllegalArgumentException(
          "only one of " + CA + ", " + CA_FINGERPRINT + " and " + TRUST_STORE + " can be set");
    }
    if ((store == null) != (storePassword == null)) {
      throw new IllegalArgumentException(
          TRUST_STORE + " and " + TRUST_STORE_PASSWORD + " are needed both, but one is not set");
    }
    if (ca != null) {
      named(CA, () -> builder.trustCertificates(Path.of(ca)));
    } else if (fingerprint != null) {
      named(CA_FINGERPRINT, () -> builder.trustFingerprint(fingerprint));
    } else if (store != null && storePassword != null) {
      named(TRUST_STORE, () -> builder.trustStore(Path.of(store), storePassword));
    }
  }

  /** A blank one is one that is not set: that is how compose files leave it out. */
  private @Nullable String get(String name) {
    String value = environment.get(name);
    return value == null || value.isBlank() ? null : value;
  }

  private @Nullable String secret(String name) {
    String value = get(name);
    String file = get(name + FILE);
    if (file == null) {
      return value;
    }
    if (value != null) {
      throw new IllegalArgumentException(
          name + " and " + name + FILE + " are both set: one of them is used");
    }
    String secret;
    try {
      secret = Files.readString(Path.of(file)).strip();
    } catch (IOException e) {
      throw new IllegalArgumentException(name + FILE + " cannot be read: " + e, e);
    }
    if (secret.isEmpty()) {
      throw new IllegalArgumentException(name + FILE + " names an empty file, " + file);
    }
    return secret;
  }

  /** Adds the variable's name to what is wrong with it. */
  private static ElasticsearchLockStore.Builder named(
      String variable, Supplier<ElasticsearchLockStore.Builder> use) {
    try {
      return use.get();
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(variable + ": " + e.getMessage(), e);
    }
  }
}
