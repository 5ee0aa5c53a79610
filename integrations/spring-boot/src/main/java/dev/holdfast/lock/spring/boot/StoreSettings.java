package dev.holdfast.lock.spring.boot;

import co.elastic.clients.elasticsearch.ElasticsearchClient;
import co.elastic.clients.json.jackson.JacksonJsonpMapper;
import co.elastic.clients.transport.rest5_client.Rest5ClientTransport;
import co.elastic.clients.transport.rest5_client.low_level.Rest5Client;
import dev.holdfast.lock.elasticsearch.ElasticsearchLockStore;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.beans.factory.BeanFactory;
import org.springframework.beans.factory.NoUniqueBeanDefinitionException;
import org.springframework.boot.ssl.NoSuchSslBundleException;
import org.springframework.boot.ssl.SslBundle;
import org.springframework.boot.ssl.SslBundles;
import org.springframework.core.env.Environment;
import org.springframework.util.ClassUtils;

/** Where locks are kept, by the properties and the beans of the application. */
final class StoreSettings {
  private static final String DETAILS =
      "org.springframework.boot.elasticsearch.autoconfigure.ElasticsearchConnectionDetails";

  private static final Logger LOG = LoggerFactory.getLogger(StoreSettings.class);

  /** Those of ElasticsearchLockStore.fromEnvironment that no property is bound to. */
  private static final List<String> VARIABLES =
      List.of(
          "HOLDFAST_URL",
          "HOLDFAST_API_KEY_FILE",
          "HOLDFAST_PASSWORD_FILE",
          "HOLDFAST_CA",
          "HOLDFAST_CA_FINGERPRINT",
          "HOLDFAST_TRUST_STORE",
          "HOLDFAST_TRUST_STORE_PASSWORD",
          "HOLDFAST_TRUST_STORE_PASSWORD_FILE");

  private final HoldfastProperties properties;
  private final BeanFactory beans;

  StoreSettings(HoldfastProperties properties, BeanFactory beans) {
    this.properties = properties;
    this.beans = beans;
  }

  ElasticsearchLockStore.Builder builder() {
    warnOfVariables();
    ElasticsearchLockStore.Builder builder = connected();
    String alias = properties.index();
    ElasticsearchLockStore.Builder named =
        Settings.apply("holdfast.index", alias, name -> builder.indexNames(name + "-1", name));
    return Settings.apply("holdfast.fencing-era", properties.fencingEra(), named::fencingEra);
  }

  /** No property has such a name, so Spring Boot does not notice them. */
  private void warnOfVariables() {
    Environment environment = beans.getBean(Environment.class);
    List<String> set = VARIABLES.stream().filter(environment::containsProperty).toList();
    if (!set.isEmpty()) {
      LOG.warn(
          "{} in the environment: lock-spring-boot-starter does not read these variables, which are"
              + " for lock-core and the command. Set holdfast.uris (HOLDFAST_URIS) and"
              + " holdfast.ssl.bundle instead",
          String.join(", ", set));
    }
  }

  private ElasticsearchLockStore.Builder connected() {
    if (!properties.uris().isEmpty()) {
      if (properties.ownConnections()) {
        throw new IllegalStateException(
            "Property holdfast.own-connections is for the nodes of spring.elasticsearch: with"
                + " holdfast.uris, connections are Holdfast's own anyway; set only one of them");
      }
      return withTimeouts(toUris());
    }
    settingsOfUris()
        .forEach(
            (name, value) -> {
              if (value != null) {
                throw new IllegalStateException(
                    "Property " + name + " has no effect without holdfast.uris: set both or none");
              }
            });
    if (properties.ownConnections()) {
      return withTimeouts(toConnectionDetails());
    }
    if (properties.connectTimeout() != null || properties.responseTimeout() != null) {
      throw new IllegalStateException(
          "Properties holdfast.connect-timeout and holdfast.response-timeout are for Holdfast's own"
              + " connections: set holdfast.uris or holdfast.own-connections too. The application's"
              + " client has spring.elasticsearch.connection-timeout and .socket-timeout");
    }
    return onApplicationsClient();
  }

  private Map<String, @Nullable String> settingsOfUris() {
    Map<String, @Nullable String> settings = new LinkedHashMap<>();
    settings.put("holdfast.username", properties.username());
    settings.put("holdfast.password", properties.password());
    settings.put("holdfast.api-key", properties.apiKey());
    settings.put("holdfast.ssl.bundle", properties.ssl().bundle());
    return settings;
  }

  // --- Connections of Holdfast's own

  private ElasticsearchLockStore.Builder toUris() {
    ElasticsearchLockStore.Builder builder =
        Settings.applySecret(
            "holdfast.uris",
            properties.uris().toArray(String[]::new),
            ElasticsearchLockStore::builder);
    String username = properties.username();
    String password = properties.password();
    String apiKey = properties.apiKey();
    if ((username == null) != (password == null)) {
      throw new IllegalStateException(
          "Properties holdfast.username and holdfast.password: set both or none");
    }
    if (username != null && password != null) {
      if (apiKey != null) {
        throw new IllegalStateException(
            "Properties holdfast.username and holdfast.api-key: set only one of them");
      }
      Settings.applySecret(
          "holdfast.username", username, name -> builder.basicAuth(name, password));
    }
    if (apiKey != null) {
      Settings.applySecret("holdfast.api-key", apiKey, builder::apiKey);
    }
    String bundle = properties.ssl().bundle();
    return bundle == null ? builder : builder.sslContext(bundle(bundle).createSslContext());
  }

  private SslBundle bundle(String name) {
    SslBundles bundles = beans.getBean(SslBundles.class);
    try {
      return bundles.getBundle(name);
    } catch (NoSuchSslBundleException e) {
      throw new IllegalStateException(
          "Property holdfast.ssl.bundle: there is no SSL bundle \""
              + name
              + "\", but "
              + bundles.getBundleNames(),
          e);
    }
  }

  private ElasticsearchLockStore.Builder toConnectionDetails() {
    ElasticsearchLockStore.Builder builder =
        ClassUtils.isPresent(DETAILS, StoreSettings.class.getClassLoader())
            ? ConnectionDetailsStore.builder(beans)
            : null;
    if (builder == null) {
      throw new IllegalStateException(
          "Property holdfast.own-connections needs spring-boot-starter-elasticsearch, and a bean"
              + " ElasticsearchConnectionDetails, which that starter defines: or set holdfast.uris");
    }
    return builder;
  }

  private ElasticsearchLockStore.Builder withTimeouts(ElasticsearchLockStore.Builder builder) {
    if (properties.connectTimeout() != null) {
      Settings.apply(
          "holdfast.connect-timeout", properties.connectTimeout(), builder::connectTimeout);
    }
    if (properties.responseTimeout() != null) {
      Settings.apply(
          "holdfast.response-timeout", properties.responseTimeout(), builder::responseTimeout);
    }
    return builder;
  }

  // --- The application's client

  private ElasticsearchLockStore.Builder onApplicationsClient() {
    ElasticsearchClient client = single(ElasticsearchClient.class);
    if (client != null) {
      return ElasticsearchLockStore.builder(client);
    }
    Rest5Client connections = single(Rest5Client.class);
    if (connections != null) {
      return ElasticsearchLockStore.builder(
          new Rest5ClientTransport(connections, new JacksonJsonpMapper()));
    }
    throw new IllegalStateException(
        "Holdfast has no Elasticsearch: set the property holdfast.uris, or add"
            + " spring-boot-starter-elasticsearch with spring.elasticsearch.uris, or define a bean"
            + " ElasticsearchClient, LockStore or LockManager");
  }

  private <T> @Nullable T single(Class<T> type) {
    try {
      return beans.getBeanProvider(type).getIfAvailable();
    } catch (NoUniqueBeanDefinitionException e) {
      String names =
          Objects.requireNonNull(e.getBeanNamesFound()).stream()
              .sorted()
              .collect(Collectors.joining(", "));
      throw new IllegalStateException(
          "Holdfast cannot choose between the beans "
              + names
              + " of type "
              + type.getSimpleName()
              + ": mark one of them as @Primary, set holdfast.uris, or define a bean LockStore",
          e);
    }
  }
}
