package dev.holdfast.lock.spring.boot;

import dev.holdfast.lock.elasticsearch.ElasticsearchLockStore;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.springframework.beans.factory.BeanFactory;
import org.springframework.boot.elasticsearch.autoconfigure.ElasticsearchConnectionDetails;
import org.springframework.boot.elasticsearch.autoconfigure.ElasticsearchConnectionDetails.Node;
import org.springframework.boot.ssl.SslBundle;

/** Apart, because an application need not have Spring Boot's module for Elasticsearch. */
final class ConnectionDetailsStore {
  private ConnectionDetailsStore() {}

  /** For connections to the nodes that Spring Boot knows; null if it knows none. */
  static ElasticsearchLockStore.@Nullable Builder builder(BeanFactory beans) {
    ElasticsearchConnectionDetails details =
        beans.getBeanProvider(ElasticsearchConnectionDetails.class).getIfAvailable();
    return details == null ? null : builder(details);
  }

  private static ElasticsearchLockStore.Builder builder(ElasticsearchConnectionDetails details) {
    List<String> urls =
        details.getNodes().stream().map(node -> url(node, details.getPathPrefix())).toList();
    ElasticsearchLockStore.Builder builder =
        ElasticsearchLockStore.builder(urls.toArray(String[]::new));
    String username = details.getUsername();
    String password = details.getPassword();
    if (username != null) {
      builder.basicAuth(username, password == null ? "" : password);
    } else {
      details.getNodes().stream()
          .filter(node -> node.username() != null)
          .findFirst()
          .ifPresent(node -> withUserOf(node, builder));
    }
    if (details.getApiKey() != null) {
      builder.apiKey(details.getApiKey());
    }
    SslBundle bundle = details.getSslBundle();
    if (bundle != null) {
      builder.sslContext(bundle.createSslContext());
    }
    return builder;
  }

  private static void withUserOf(Node node, ElasticsearchLockStore.Builder builder) {
    String username = node.username();
    String password = node.password();
    if (username != null) {
      builder.basicAuth(username, password == null ? "" : password);
    }
  }

  private static String url(Node node, @Nullable String pathPrefix) {
    String host = node.hostname();
    String path = pathPrefix == null || pathPrefix.isEmpty() ? "" : pathPrefix;
    return (node.protocol() == Node.Protocol.HTTPS ? "https://" : "http://")
        + (host.contains(":") && !host.startsWith("[") ? "[" + host + "]" : host)
        + ":"
        + node.port()
        + (path.isEmpty() || path.startsWith("/") ? path : "/" + path);
  }
}
