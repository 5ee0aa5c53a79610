package dev.holdfast.lock.spring.boot;

import static org.assertj.core.api.Assertions.assertThat;

import co.elastic.clients.elasticsearch.ElasticsearchClient;
import co.elastic.clients.json.jackson.JacksonJsonpMapper;
import co.elastic.clients.transport.rest5_client.Rest5ClientTransport;
import co.elastic.clients.transport.rest5_client.low_level.Rest5Client;
import dev.holdfast.lock.FencingToken;
import dev.holdfast.lock.Lease;
import dev.holdfast.lock.LockListener;
import dev.holdfast.lock.LockManager;
import dev.holdfast.lock.LockOptions;
import dev.holdfast.lock.elasticsearch.ElasticsearchLockStore;
import dev.holdfast.lock.memory.InMemoryLockStore;
import dev.holdfast.lock.store.LockStore;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.micrometer.observation.Observation;
import io.micrometer.observation.ObservationHandler;
import io.micrometer.observation.ObservationRegistry;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.autoconfigure.ssl.SslAutoConfiguration;
import org.springframework.boot.elasticsearch.autoconfigure.ElasticsearchClientAutoConfiguration;
import org.springframework.boot.elasticsearch.autoconfigure.ElasticsearchConnectionDetails;
import org.springframework.boot.elasticsearch.autoconfigure.ElasticsearchConnectionDetails.Node;
import org.springframework.boot.elasticsearch.autoconfigure.ElasticsearchRestClientAutoConfiguration;
import org.springframework.boot.health.contributor.Health;
import org.springframework.boot.health.contributor.HealthIndicator;
import org.springframework.boot.health.contributor.Status;
import org.springframework.boot.micrometer.metrics.autoconfigure.CompositeMeterRegistryAutoConfiguration;
import org.springframework.boot.micrometer.metrics.autoconfigure.MetricsAutoConfiguration;
import org.springframework.boot.micrometer.metrics.autoconfigure.export.simple.SimpleMetricsExportAutoConfiguration;
import org.springframework.boot.micrometer.observation.autoconfigure.ObservationAutoConfiguration;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.env.SystemEnvironmentPropertySource;

class HoldfastAutoConfigurationTest {
  /** A port on which nothing listens. */
  private static final String NOWHERE = "http://127.0.0.1:1";

  private final ApplicationContextRunner runner =
      new ApplicationContextRunner()
          .withConfiguration(
              AutoConfigurations.of(
                  SslAutoConfiguration.class,
                  HoldfastAutoConfiguration.class,
                  HoldfastActuatorAutoConfiguration.class));

  private final ApplicationContextRunner inMemory =
      runner.withBean(LockStore.class, InMemoryLockStore::new);

  private final ApplicationContextRunner withBootsClient =
      runner.withConfiguration(
          AutoConfigurations.of(
              ElasticsearchRestClientAutoConfiguration.class,
              ElasticsearchClientAutoConfiguration.class));

  // --- Which store

  @Test
  void store_withUris_hasOwnConnections() {
    runner
        .withPropertyValues("holdfast.uris=http://es1:9200,http://es2:9200")
        .run(
            context ->
                assertThat(context.getBean(LockStore.class).description())
                    .contains("es1:9200", "es2:9200"));
  }

  @Test
  void store_withoutUris_isOnTheApplicationsClient() {
    withBootsClient.run(
        context -> {
          assertThat(context).hasSingleBean(ElasticsearchLockStore.class);
          assertThat(context.getBean(LockStore.class).description()).contains("given client");
        });
  }

  @Test
  void store_withUrisAndClient_hasOwnConnections() {
    withBootsClient
        .withPropertyValues("holdfast.uris=http://es1:9200")
        .run(
            context ->
                assertThat(context.getBean(LockStore.class).description()).contains("es1:9200"));
  }

  @Test
  void store_withOwnConnections_leadsToTheNodesOfTheConnectionDetails() {
    withBootsClient
        .withBean(
            ElasticsearchConnectionDetails.class,
            () ->
                () ->
                    List.of(
                        new Node("es3", 9201, Node.Protocol.HTTP),
                        new Node("::1", 9202, Node.Protocol.HTTP)))
        .withPropertyValues("holdfast.own-connections=true")
        .run(
            context ->
                assertThat(context.getBean(LockStore.class).description())
                    .contains("es3:9201", "[::1]:9202"));
  }

  @Test
  void store_ofTheApplication_takesPrecedence() {
    inMemory.run(
        context -> {
          assertThat(context.getBean(LockStore.class)).isInstanceOf(InMemoryLockStore.class);
          assertThat(context.getBean(LockManager.class).withLock("a", () -> 42)).isEqualTo(42);
        });
  }

  @Test
  void manager_ofTheApplication_needsNoStore() {
    LockManager own = LockManager.create(new InMemoryLockStore());
    runner
        .withBean(LockManager.class, () -> own)
        .run(context -> assertThat(context.getBean(LockManager.class)).isSameAs(own));
  }

  @Test
  void start_withoutElasticsearch_saysWhatToSet() {
    runner.run(
        context ->
            assertThat(context.getStartupFailure())
                .rootCause()
                .hasMessageContaining("holdfast.uris")
                .hasMessageContaining("spring-boot-starter-elasticsearch"));
  }

  @Test
  void start_withTwoClients_namesThem() {
    withBootsClient
        .withUserConfiguration(TwoClients.class)
        .run(
            context ->
                assertThat(context.getStartupFailure())
                    .hasStackTraceContaining("cannot choose between the beans one, two"));
  }

  @Configuration(proxyBeanMethods = false)
  static class TwoClients {
    @Bean
    ElasticsearchClient one() {
      return client();
    }

    @Bean
    ElasticsearchClient two() {
      return client();
    }

    private static ElasticsearchClient client() {
      return new ElasticsearchClient(
          new Rest5ClientTransport(
              Rest5Client.builder(URI.create(NOWHERE)).build(), new JacksonJsonpMapper()));
    }
  }

  // --- Wrong properties

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "holdfast.defaults.ttl=10ms | holdfast.defaults.ttl | ttl must be from 100 ms to 24 h",
        "holdfast.defaults.wait-timeout=-1s | holdfast.defaults.wait-timeout | from 0 to 365 days",
        "holdfast.defaults.max-hold=0s | holdfast.defaults.max-hold | from 1 ms to 365 days",
        "holdfast.defaults.linger=20s | holdfast.defaults | at most half the TTL",
        "holdfast.defaults.on-lease-lost=explode | holdfast.defaults.on-lease-lost | OnLeaseLost",
        "holdfast.max-clock-skew=2h | holdfast.max-clock-skew | from 0 to 1 h",
        "holdfast.max-clock-drift=0.9 | holdfast.max-clock-drift | from 0 to 0.5",
        "holdfast.request-timeout=0s | holdfast.request-timeout | 1 ms to 1 h",
        "holdfast.release-timeout=2h | holdfast.release-timeout | 1 ms to 1 h",
        "holdfast.max-poll-interval=1ms | holdfast.max-poll-interval | from 5 ms to 10 s",
        "holdfast.max-metadata-size=1GB | holdfast.max-metadata-size | from 2 to 10485760",
        "holdfast.owner= | holdfast.owner | 1 to 1,000 characters",
        "holdfast.index=Not-Lower | holdfast.index | Not-Lower",
        "holdfast.fencing-era=-1 | holdfast.fencing-era | must not be negative",
        "holdfast.connect-timeout=0s | holdfast.connect-timeout | 1 ms to 1 h",
        "holdfast.response-timeout=0s | holdfast.response-timeout | 1 ms to 1 h",
        "holdfast.uris=ftp://es1 | holdfast.uris | http",
        "holdfast.api-key=not encoded | holdfast.api-key | API key",
        "holdfast.username=u | holdfast.password | set both or none",
        "holdfast.ssl.bundle=none | holdfast.ssl.bundle | no SSL bundle",
        "holdfast.own-connections=true | holdfast.own-connections | set only one of them",
        "holdfast.defualts.ttl=10s | holdfast.defualts.ttl | unbound",
        "holdfast.locked.order=first | holdfast.locked.order | first",
      })
  void start_withAWrongProperty_namesItAndWhatIsAllowed(
      String property, String name, String allowed) {
    runner
        .withPropertyValues("holdfast.uris=" + NOWHERE, property)
        .run(
            context ->
                assertThat(context.getStartupFailure())
                    .as(property)
                    .hasStackTraceContaining(name)
                    .hasStackTraceContaining(allowed));
  }

  @Test
  void start_withCredentialsButWithoutUris_saysThatTheyHaveNoEffect() {
    withBootsClient
        .withPropertyValues("holdfast.api-key=a")
        .run(
            context ->
                assertThat(context.getStartupFailure())
                    .hasStackTraceContaining(
                        "holdfast.api-key has no effect without holdfast.uris"));
  }

  /** They are for lock-core and the command; Spring Boot does not notice unknown variables. */
  @Test
  @ExtendWith(OutputCaptureExtension.class)
  void start_withVariablesOfLockCore_warnsThatTheyAreNotRead(CapturedOutput output) {
    withBootsClient
        .withInitializer(
            context ->
                context
                    .getEnvironment()
                    .getPropertySources()
                    .addFirst(
                        new SystemEnvironmentPropertySource(
                            "test", Map.of("HOLDFAST_URL", NOWHERE, "HOLDFAST_CA", "ca.pem"))))
        .run(
            context -> {
              assertThat(context).hasNotFailed();
              assertThat(output.getAll())
                  .contains("HOLDFAST_URL, HOLDFAST_CA in the environment")
                  .contains("HOLDFAST_URIS");
            });
  }

  @Test
  void failures_repeatNoSecret() {
    runner
        .withPropertyValues("holdfast.uris=ftp://user:hunter2@es1", "holdfast.password=hunter2")
        .run(
            context ->
                assertThat(context.getStartupFailure())
                    .satisfies(
                        failure -> {
                          assertThat(failure).hasStackTraceContaining("holdfast.uris");
                          assertThat(stackTrace(failure)).doesNotContain("hunter2");
                        }));
  }

  private static String stackTrace(Throwable failure) {
    StringWriter text = new StringWriter();
    failure.printStackTrace(new PrintWriter(text));
    return text.toString();
  }

  // --- Without a cluster

  @Test
  @ExtendWith(OutputCaptureExtension.class)
  void start_withoutACluster_warnsAndIsUnhealthy(CapturedOutput output) {
    runner
        .withPropertyValues("holdfast.uris=" + NOWHERE)
        .run(
            context -> {
              assertThat(context).hasNotFailed();
              // Generous: connecting to that port is refused at once.
              long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
              while (!output.getAll().contains("Locks cannot be acquired now")) {
                assertThat(System.nanoTime()).isLessThan(end);
                Thread.sleep(20);
              }
              assertThat(context.getBean(HealthIndicator.class).health())
                  .extracting(Health::getStatus)
                  .isEqualTo(Status.DOWN);
            });
  }

  @Test
  void start_withoutAClusterAndFailFast_fails() {
    runner
        .withPropertyValues("holdfast.uris=" + NOWHERE, "holdfast.fail-fast=true")
        .run(
            context ->
                assertThat(context.getStartupFailure())
                    .hasStackTraceContaining("the property holdfast.fail-fast is set"));
  }

  /** Nor does it wait for one of the default TTL, which the request timeout does not fit. */
  @Test
  void start_withFailFast_leavesNoLock() {
    inMemory
        .withPropertyValues(
            "holdfast.fail-fast=true",
            "holdfast.defaults.ttl=1m",
            "holdfast.request-timeout=15s",
            "holdfast.defaults.hold-at-least=5s",
            "holdfast.defaults.linger=5s")
        .run(
            context -> {
              assertThat(context).hasNotFailed();
              assertThat(context.getBean(LockManager.class).list()).isEmpty();
            });
  }

  @Test
  void health_ofAStoreThatAnswers_isUp() {
    inMemory.run(
        context ->
            assertThat(context.getBean(HealthIndicator.class).health())
                .satisfies(
                    health -> {
                      assertThat(health.getStatus()).isEqualTo(Status.UP);
                      assertThat(health.getDetails()).containsEntry("held", 0);
                    }));
  }

  @Test
  void health_switchedOff_isNotThere() {
    inMemory
        .withPropertyValues("management.health.holdfast.enabled=false")
        .run(context -> assertThat(context).doesNotHaveBean(HealthIndicator.class));
  }

  // --- Beans and properties reach the manager

  @Test
  void properties_reachTheManager() {
    inMemory
        .withPropertyValues("holdfast.owner=node-7", "holdfast.defaults.ttl=7s")
        .run(
            context -> {
              LockManager locks = context.getBean(LockManager.class);
              try (Lease lease = locks.acquire("a")) {
                assertThat(locks.find(lease.lockId()).orElseThrow())
                    .satisfies(
                        found -> {
                          assertThat(found.owner()).isEqualTo("node-7");
                          assertThat(found.ttl()).isEqualTo(Duration.ofSeconds(7));
                        });
              }
              assertThat(context).doesNotHaveBean(LockOptions.class);
            });
  }

  @Test
  void customizers_changeStoreAndManager() {
    runner
        .withPropertyValues("holdfast.uris=" + NOWHERE, "holdfast.owner=from-property")
        .withBean(LockManagerBuilderCustomizer.class, () -> builder -> builder.owner("customized"))
        .withBean(
            LockStoreBuilderCustomizer.class,
            () -> builder -> builder.connectTimeout(Duration.ofDays(1)))
        .run(
            context ->
                assertThat(context.getStartupFailure())
                    .hasStackTraceContaining("connectTimeout must be from"));
    inMemory
        .withPropertyValues("holdfast.owner=from-property")
        .withBean(LockManagerBuilderCustomizer.class, () -> builder -> builder.owner("customized"))
        .run(
            context -> {
              LockManager locks = context.getBean(LockManager.class);
              try (Lease lease = locks.acquire("a")) {
                assertThat(locks.find(lease.lockId()).orElseThrow().owner())
                    .isEqualTo("customized");
              }
            });
  }

  @Test
  void listeners_areAllNotified() {
    BlockingQueue<String> acquired = new LinkedBlockingQueue<>();
    inMemory
        .withBean("one", LockListener.class, () -> new Listener("one", acquired))
        .withBean("two", LockListener.class, () -> new Listener("two", acquired))
        .run(
            context -> {
              context.getBean(LockManager.class).withLock("a", () -> {});
              assertThat(
                      List.of(
                          acquired.poll(60, TimeUnit.SECONDS), acquired.poll(60, TimeUnit.SECONDS)))
                  .containsExactlyInAnyOrder("one a", "two a");
            });
  }

  private record Listener(String name, BlockingQueue<String> acquired) implements LockListener {
    @Override
    public void acquired(String lockId, FencingToken fencingToken, Duration waited) {
      acquired.add(name + " " + lockId);
    }
  }

  @Test
  void metricsAndObservations_whereTheApplicationHasThem_areRecorded() {
    CountDownLatch observed = new CountDownLatch(1);
    inMemory
        .withConfiguration(
            AutoConfigurations.of(
                MetricsAutoConfiguration.class,
                CompositeMeterRegistryAutoConfiguration.class,
                SimpleMetricsExportAutoConfiguration.class,
                ObservationAutoConfiguration.class))
        .withBean(
            ObservationHandler.class,
            () ->
                new ObservationHandler<Observation.Context>() {
                  @Override
                  public void onStop(Observation.Context stopped) {
                    if ("holdfast.lock".equals(stopped.getName())) {
                      observed.countDown();
                    }
                  }

                  @Override
                  public boolean supportsContext(Observation.Context context) {
                    return true;
                  }
                })
        .run(
            context -> {
              context.getBean(LockManager.class).withLock("a", () -> {});
              MeterRegistry meters = context.getBean(MeterRegistry.class);
              long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
              while (meters.get("holdfast.lock.acquire").tag("outcome", "acquired").timer().count()
                  != 1) {
                assertThat(System.nanoTime()).isLessThan(end);
                Thread.sleep(10);
              }
              assertThat(observed.await(60, TimeUnit.SECONDS)).isTrue();
            });
  }

  @Test
  void metrics_withoutARegistry_areNotThere() {
    inMemory.run(
        context -> {
          assertThat(context).doesNotHaveBean("holdfastMetrics");
          assertThat(context).doesNotHaveBean("holdfastObservations");
        });
    inMemory
        .withBean(MeterRegistry.class, SimpleMeterRegistry::new)
        .withBean(ObservationRegistry.class, ObservationRegistry::create)
        .run(
            context -> {
              assertThat(context).hasBean("holdfastMetrics");
              assertThat(context).hasBean("holdfastObservations");
            });
  }
}
