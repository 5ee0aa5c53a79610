package dev.holdfast.lock.spring.boot;

import static org.assertj.core.api.Assertions.assertThat;

import co.elastic.clients.transport.rest5_client.Rest5ClientOptions;
import co.elastic.clients.transport.rest5_client.low_level.RequestOptions;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.holdfast.lock.Lease;
import dev.holdfast.lock.LockInfo;
import dev.holdfast.lock.LockManager;
import dev.holdfast.lock.ReleaseResult;
import dev.holdfast.lock.elasticsearch.ElasticsearchLockStore;
import dev.holdfast.lock.spring.boot.Locked.OnContention;
import dev.holdfast.lock.spring.boot.LockedMethodsTest.TransactionalWork;
import dev.holdfast.lock.store.LockStore;
import java.lang.management.ManagementFactory;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import javax.management.MBeanOperationInfo;
import javax.management.MBeanParameterInfo;
import javax.management.MBeanServer;
import javax.management.ObjectName;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.boot.health.contributor.HealthIndicator;
import org.springframework.boot.health.contributor.Status;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.scheduling.annotation.EnableScheduling;
import org.springframework.scheduling.annotation.Scheduled;

/** A whole application, with all that Spring Boot configures for it, on a real node. */
@Timeout(300)
class ApplicationIT {
  private static final String APPLICATIONS_CLIENT = "--spring.elasticsearch.uris=";
  private static final String OWN = "--holdfast.own-connections=true";

  private final String index = "boot-" + UUID.randomUUID();

  @Configuration(proxyBeanMethods = false)
  @EnableAutoConfiguration
  @EnableScheduling
  static class Application {
    /** The node is of version 8, which the client of an application must be told. */
    @Bean
    Rest5ClientOptions clientOptions() {
      RequestOptions.Builder options = RequestOptions.DEFAULT.toBuilder();
      options.addHeader("Accept", "application/vnd.elasticsearch+json; compatible-with=8");
      options.addHeader("Content-Type", "application/vnd.elasticsearch+json; compatible-with=8");
      return new Rest5ClientOptions(options.build(), false);
    }

    @Bean
    TransactionalWork transactionalWork(LockManager locks) {
      return new TransactionalWork(locks);
    }

    @Bean
    Job job() {
      return new Job();
    }
  }

  static class Job {
    private final BlockingQueue<Lease> runs = new LinkedBlockingQueue<>();

    @Scheduled(fixedDelay = 20)
    @Locked(value = "scheduled", onContention = OnContention.SKIP)
    public void run() {
      runs.add(LockAssert.assertLocked("scheduled"));
    }

    BlockingQueue<Lease> runs() {
      return runs;
    }
  }

  private ConfigurableApplicationContext start(String... arguments) {
    List<String> all = new ArrayList<>(List.of("--holdfast.index=" + index));
    all.add(APPLICATIONS_CLIENT + TestNode.url());
    all.addAll(Arrays.asList(arguments));
    return new SpringApplicationBuilder(Application.class)
        .web(WebApplicationType.NONE)
        .run(all.toArray(String[]::new));
  }

  /** What other processes see. */
  private List<String> recordsOfOthersView() {
    try (ElasticsearchLockStore store =
            ElasticsearchLockStore.builder(TestNode.url()).indexNames(index + "-1", index).build();
        LockManager other = LockManager.create(store)) {
      return List.of("held-at-the-end", "scheduled", "tx").stream()
          .filter(id -> other.find(id).isPresent())
          .toList();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"--holdfast.own-connections=false", OWN})
  void application_onItsClientOrOwnConnections_locksAndReleasesAtTheEnd(String connections)
      throws Exception {
    try (ConfigurableApplicationContext application = start(connections)) {
      assertThat(application.getBean(LockStore.class).description())
          .contains(connections.equals(OWN) ? "127.0.0.1" : "given client");

      BlockingQueue<Lease> runs = application.getBean(Job.class).runs();
      Lease first = runs.poll(60, TimeUnit.SECONDS);
      Lease second = runs.poll(60, TimeUnit.SECONDS);
      assertThat(first).isNotNull();
      assertThat(second).isNotNull();
      assertThat(second.fencingToken()).isGreaterThan(first.fencingToken());

      TransactionalWork work = application.getBean(TransactionalWork.class);
      assertThat(work.run()).isTrue();
      assertThat(work.events()).containsExactly("committed, locked");
      assertThat(application.getBean("holdfastHealthIndicator", HealthIndicator.class).health())
          .satisfies(health -> assertThat(health.getStatus()).isEqualTo(Status.UP));

      Lease held = application.getBean(LockManager.class).acquire("held-at-the-end");
      assertThat(held.isHeld()).isTrue();
      assertThat(recordsOfOthersView()).contains("held-at-the-end");
    }
    // The client was closed after the locks had been released through it.
    assertThat(recordsOfOthersView()).isEmpty();
  }

  // --- The endpoint, as operators call it

  private static final String JMX = "--management.endpoints.jmx.exposure.include=locks";

  @Test
  void endpoint_listsAndShows_butDoesNotReleaseUnlessEnabled() throws Exception {
    MBeanServer server = ManagementFactory.getPlatformMBeanServer();
    try (ConfigurableApplicationContext application = start(OWN, "--spring.jmx.enabled=true", JMX);
        Lease held = application.getBean(LockManager.class).acquire("a/b")) {
      ObjectName name = endpoint(server);
      assertThat(operations(server, name)).containsExactlyInAnyOrder("list", "show");
      long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
      while (!list(server, name, null).contains("id=a/b")) {
        assertThat(System.nanoTime()).as("a held lock is listed").isLessThan(end);
        Thread.sleep(100);
      }
      assertThat(invoke(server, name, "show", "a/b")).contains("held=true", held.lockId());
      assertThat(list(server, name, "a/b")).contains("held=true", held.lockId());
      assertThat(list(server, name, "none")).doesNotContain("held=true");
    }
    try (ConfigurableApplicationContext application =
        start(
            OWN,
            "--spring.jmx.enabled=true",
            JMX,
            "--management.endpoint.locks.access=unrestricted")) {
      LockManager locks = application.getBean(LockManager.class);
      Lease held = locks.acquire("a/b");
      ObjectName name = endpoint(server);
      assertThat(operations(server, name)).containsExactlyInAnyOrder("list", "show", "release");
      assertThat(invoke(server, name, "release", "a/b", "another")).contains("released=false");
      assertThat(held.isHeld()).isTrue();
      String token = locks.find("a/b").orElseThrow().token();
      assertThat(invoke(server, name, "release", "a/b", token)).contains("released=true");
      assertThat(locks.find("a/b").map(LockInfo::owner)).isEmpty();
      assertThat(held.isHeld()).isFalse();
    }
  }

  /** Servers and proxies may change such characters in a path. */
  private static final String ODD_ID = "a/../b;c=%2F?d&e=\u00e4 #";

  private static String query(String id) {
    return "?id=" + URLEncoder.encode(id, StandardCharsets.UTF_8);
  }

  @Test
  void endpoint_onTheWeb_releasesWhatHasTheTokenThatItShowed_andNothingElse() throws Exception {
    try (ConfigurableApplicationContext application =
        startServer("--management.endpoint.locks.access=unrestricted")) {
      LockManager locks = application.getBean(LockManager.class);
      Lease first = locks.acquire(ODD_ID);
      JsonNode shown = json(send(application, "GET", query(ODD_ID))).at("/locks/0");
      assertThat(shown.at("/id").asText()).isEqualTo(ODD_ID);
      assertThat(shown.at("/held").asBoolean()).isTrue();
      String release = query(ODD_ID) + "&token=" + shown.at("/token").asText();

      assertThat(send(application, "DELETE", query(ODD_ID)).statusCode()).isEqualTo(400);
      assertThat(send(application, "DELETE", "").statusCode()).isEqualTo(400);
      assertThat(send(application, "DELETE", "/" + "a").statusCode()).isEqualTo(405);
      assertThat(first.isHeld()).isTrue();

      // The holder that was looked at has released, and another holds the lock.
      assertThat(first.release()).isEqualTo(ReleaseResult.RELEASED);
      Lease second = locks.acquire(ODD_ID);
      assertThat(json(send(application, "DELETE", release)).at("/released").asBoolean(true))
          .isFalse();
      assertThat(second.isHeld()).isTrue();

      String token = locks.find(ODD_ID).orElseThrow().token();
      JsonNode released = json(send(application, "DELETE", query(ODD_ID) + "&token=" + token));
      assertThat(released.at("/released").asBoolean()).isTrue();
      assertThat(released.at("/id").asText()).isEqualTo(ODD_ID);
      assertThat(second.isHeld()).isFalse();
      assertThat(locks.find(ODD_ID)).isEmpty();
    }
  }

  @Test
  void endpoint_onTheWeb_showsOneLock_andReleasesNoneUnlessEnabled() throws Exception {
    try (ConfigurableApplicationContext application = startServer();
        Lease held = application.getBean(LockManager.class).acquire("a/b")) {
      assertThat(json(send(application, "GET", "/a/b")).at("/id").asText()).isEqualTo("a/b");
      assertThat(send(application, "GET", "/none").statusCode()).isEqualTo(404);
      assertThat(json(send(application, "GET", query("none"))).at("/locks")).isEmpty();
      assertThat(send(application, "GET", query(" ")).statusCode()).isEqualTo(400);
      assertThat(send(application, "DELETE", query("a/b") + "&token=any").statusCode())
          .isEqualTo(405);
      assertThat(held.isHeld()).isTrue();
    }
  }

  private ConfigurableApplicationContext startServer(String... arguments) {
    List<String> all =
        new ArrayList<>(
            List.of(
                "--holdfast.index=" + index,
                "--holdfast.uris=" + TestNode.url(),
                "--server.port=0",
                "--server.address=127.0.0.1",
                "--management.endpoints.web.exposure.include=locks"));
    all.addAll(Arrays.asList(arguments));
    return new SpringApplicationBuilder(Application.class)
        .web(WebApplicationType.SERVLET)
        .run(all.toArray(String[]::new));
  }

  private static HttpResponse<String> send(
      ConfigurableApplicationContext application, String method, String rest) throws Exception {
    String port = application.getEnvironment().getRequiredProperty("local.server.port");
    return HttpClient.newHttpClient()
        .send(
            HttpRequest.newBuilder(
                    URI.create("http://127.0.0.1:" + port + "/actuator/locks" + rest))
                .method(method, HttpRequest.BodyPublishers.noBody())
                .build(),
            HttpResponse.BodyHandlers.ofString());
  }

  private static JsonNode json(HttpResponse<String> response) throws Exception {
    assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
    return new ObjectMapper().readTree(response.body());
  }

  private static String list(MBeanServer server, ObjectName name, @Nullable String id)
      throws Exception {
    return invoke(server, name, "list", id);
  }

  private static ObjectName endpoint(MBeanServer server) throws Exception {
    return server
        .queryNames(new ObjectName("*:type=Endpoint,name=Locks,*"), null)
        .iterator()
        .next();
  }

  private static List<String> operations(MBeanServer server, ObjectName name) throws Exception {
    return Arrays.stream(server.getMBeanInfo(name).getOperations())
        .map(MBeanOperationInfo::getName)
        .toList();
  }

  private static String invoke(
      MBeanServer server, ObjectName name, String operation, @Nullable String... arguments)
      throws Exception {
    String[] types =
        Arrays.stream(server.getMBeanInfo(name).getOperations())
            .filter(info -> info.getName().equals(operation))
            .flatMap(info -> Arrays.stream(info.getSignature()))
            .map(MBeanParameterInfo::getType)
            .toArray(String[]::new);
    return String.valueOf(server.invoke(name, operation, arguments, types));
  }
}
