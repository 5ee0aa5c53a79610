package dev.holdfast.lock.spring.boot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.holdfast.lock.Lease;
import dev.holdfast.lock.LockManager;
import dev.holdfast.lock.LockStoreUnavailableException;
import dev.holdfast.lock.elasticsearch.Secured;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.boot.health.contributor.HealthIndicator;
import org.springframework.boot.health.contributor.Status;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Configuration;

/**
 * SSL bundles of a whole application, on a node with TLS and passwords, whose certificate comes
 * from a CA that nobody trusts by itself.
 */
@Timeout(300)
@Tag("slow")
class SslBundleIT {
  /** May create the index, see docs/operations.md. */
  private static final String USER = "maker";

  @TempDir Path folder;

  private final Secured node = new Secured();

  @Configuration(proxyBeanMethods = false)
  @EnableAutoConfiguration
  static class Application {}

  private static ConfigurableApplicationContext start(String... arguments) {
    return new SpringApplicationBuilder(Application.class)
        .web(WebApplicationType.NONE)
        .run(arguments);
  }

  private ConfigurableApplicationContext startOnUris(String... more) {
    List<String> all =
        new ArrayList<>(
            List.of(
                "--holdfast.uris=" + node.url(),
                "--holdfast.username=" + USER,
                "--holdfast.password=" + Secured.PASSWORD));
    all.addAll(Arrays.asList(more));
    return start(all.toArray(String[]::new));
  }

  private static String bundle(String name, Path ca) {
    return "--spring.ssl.bundle.pem." + name + ".truststore.certificate=" + ca.toUri();
  }

  private static void assertWorks(ConfigurableApplicationContext application) throws Exception {
    try (Lease lease = application.getBean(LockManager.class).acquire("over-tls")) {
      assertThat(lease.isHeld()).isTrue();
    }
    assertHealth(application, Status.UP);
  }

  private static void assertHealth(ConfigurableApplicationContext application, Status expected) {
    assertThat(application.getBean("holdfastHealthIndicator", HealthIndicator.class).health())
        .satisfies(health -> assertThat(health.getStatus()).isEqualTo(expected));
  }

  private static void assertTrustsNot(ConfigurableApplicationContext application) {
    assertThatExceptionOfType(LockStoreUnavailableException.class)
        .isThrownBy(() -> application.getBean(LockManager.class).acquire("over-tls"))
        .withMessageContaining("is not signed by an authority that is trusted here");
    assertHealth(application, Status.DOWN);
  }

  @Test
  void bundleWithTheCaOfTheNode_isTrusted() throws Exception {
    try (ConfigurableApplicationContext application =
        startOnUris(
            bundle("cluster", node.ca(folder)),
            bundle("another", node.otherCa(folder)),
            "--holdfast.ssl.bundle=cluster")) {
      assertWorks(application);
    }
  }

  @Test
  void bundleWithAnotherCa_orNone_isNot() throws Exception {
    String[] bundles = {
      bundle("cluster", node.ca(folder)), bundle("another", node.otherCa(folder))
    };
    try (ConfigurableApplicationContext application =
        startOnUris(bundles[0], bundles[1], "--holdfast.ssl.bundle=another")) {
      assertTrustsNot(application);
    }
    try (ConfigurableApplicationContext application = startOnUris(bundles[0])) {
      assertTrustsNot(application);
    }
  }

  /** With its credentials. */
  @Test
  void bundleOfTheApplicationsClient_isThatOfOwnConnections() throws Exception {
    List<String> client =
        List.of(
            "--holdfast.own-connections=true",
            "--spring.elasticsearch.uris=" + node.url(),
            "--spring.elasticsearch.username=" + USER,
            "--spring.elasticsearch.password=" + Secured.PASSWORD,
            bundle("cluster", node.ca(folder)));
    List<String> trusting = new ArrayList<>(client);
    trusting.add("--spring.elasticsearch.restclient.ssl.bundle=cluster");
    try (ConfigurableApplicationContext application = start(trusting.toArray(String[]::new))) {
      assertWorks(application);
    }
    try (ConfigurableApplicationContext application = start(client.toArray(String[]::new))) {
      assertTrustsNot(application);
    }
  }
}
