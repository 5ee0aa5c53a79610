package dev.holdfast.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.holdfast.cli.Cli.Other;
import dev.holdfast.cli.Cli.Result;
import dev.holdfast.cli.Cli.Running;
import dev.holdfast.cluster.ElasticsearchNode;
import dev.holdfast.lock.Lease;
import dev.holdfast.lock.LockInfo;
import dev.holdfast.lock.elasticsearch.CliFixtures;
import dev.holdfast.lock.elasticsearch.CliFixtures.Proxy;
import java.net.URI;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** {@code holdfast doctor}, on a good cluster and on broken ones; see also {@link SecuredIT}. */
@Timeout(300)
class DoctorIT {
  @TempDir Path folder;

  private final ElasticsearchNode node = Cli.node();
  private final URI uri = node.httpUri();
  private final String alias = Cli.newAlias();
  private final String index = alias + "-1";

  @BeforeEach
  void makeIndex() throws Exception {
    try (Other other = Other.on(uri.toString(), alias);
        Lease lease = other.locks().acquire("warm-up")) {
      assertThat(lease.isHeld()).isTrue();
    }
  }

  private Result doctor(String url, String... more) {
    List<String> all = new ArrayList<>(List.of("doctor", "--url", url, "--index", alias));
    all.addAll(List.of(more));
    return Cli.execute(all.toArray(String[]::new));
  }

  private Result broken(String url) {
    Result result = doctor(url);
    assertThat(result.status()).as(result.out()).isEqualTo(1);
    assertThat(result.out()).contains("PROBLEM", "It means: ", "What to do: ");
    return result;
  }

  private void settings(String json) {
    Cli.send("PUT", uri, "/" + index + "/_settings", json);
  }

  @Test
  void goodCluster_hasNoProblems() throws Exception {
    Result result = doctor(uri.toString());
    assertThat(result.status()).as(result.out()).isZero();
    assertThat(result.out())
        .contains(
            "ok        reachability: " + uri,
            "ok        version: Elasticsearch 8.",
            "security is off",
            "ok        clock: ",
            "ok        body limit: requests of 768 KiB pass",
            "ok        writes: a lock is acquired in ",
            "No problem was found.")
        .doesNotContain("PROBLEM");
    JsonNode json = new ObjectMapper().readTree(doctor(uri.toString(), "--json").out());
    assertThat(json.get("problems").asInt()).isZero();
    assertThat(json.get("findings").findValuesAsText("check")).contains("clock", "writes");
  }

  @Test
  void cluster_withoutAnIndex_isGood_andReadOnlyMakesNone() {
    String none = Cli.newAlias();
    Result result = Cli.execute("doctor", "--url", uri.toString(), "--index", none, "--read-only");
    assertThat(result.status()).isZero();
    assertThat(result.out()).contains("there is none yet").doesNotContain("writes:");
    assertThat(Cli.send("GET", uri, "/_cat/indices?expand_wildcards=all", null))
        .contains(index)
        .doesNotContain(none);
  }

  /** Else it would be there for a whole TTL, and look like that of a job that crashed. */
  @Test
  void signal_whileItsLockIsHeld_releasesTheLock() throws Exception {
    CountDownLatch refused = new CountDownLatch(1);
    AtomicBoolean allowed = new AtomicBoolean();
    try (Proxy proxy = CliFixtures.refusingReleases(uri, refused, allowed);
        Running running = Cli.start(folder, "doctor", "--url", proxy.url(), "--index", alias)) {
      assertThat(refused.await(2, TimeUnit.MINUTES)).as(running.err()).isTrue();
      assertThat(locksOfDoctor()).hasSize(1);

      running.signal("TERM");
      allowed.set(true);

      assertThat(running.await().status()).isEqualTo(143);
    }
    assertThat(locksOfDoctor()).isEmpty();
  }

  private List<String> locksOfDoctor() {
    String unused = Cli.send("POST", uri, "/" + index + "/_refresh", null);
    try (Other other = Other.on(uri.toString(), alias)) {
      return other.locks().list().stream()
          .map(LockInfo::lockId)
          .filter(id -> id.startsWith("holdfast-doctor-"))
          .toList();
    }
  }

  @Test
  void nodeThatIsDown_isNamed_andTheOthersAreExamined() {
    Result result = broken("http://127.0.0.1:1," + uri);
    assertThat(result.out())
        .contains("127.0.0.1:1", "start the node, or check host and port", "ok        version");
    assertThat(broken("http://127.0.0.1:1").out()).contains("start the node").doesNotContain("ok ");
  }

  @Test
  void urlOfTlsWhereThereIsNone_isNamed() {
    assertThat(broken(uri.toString().replace("http:", "https:")).out())
        .contains("does not speak TLS", "use http:// in the URL");
  }

  @Test
  void asyncDurability_isNamed() {
    settings("{\"index.translog.durability\":\"async\"}");
    assertThat(broken(uri.toString()).out())
        .contains(
            "index.translog.durability is async", "Set it to request", "do what the message says");
  }

  @Test
  void closedIndex_isNamed() {
    Cli.send("POST", uri, "/" + index + "/_close", null);
    assertThat(broken(uri.toString()).out())
        .contains("index_closed_exception", "open it: POST /" + index + "/_open");
  }

  @Test
  void blockedIndex_isNamed() {
    settings("{\"index.blocks.write\":true}");
    assertThat(broken(uri.toString()).out())
        .contains("blocked by", "set the index.blocks setting to null");
  }

  @Test
  void oldVersion_isNamed() {
    try (Proxy proxy =
        CliFixtures.answering(
            uri,
            "/_nodes/_local?filter_path=nodes.*.version",
            "{\"nodes\":{\"n\":{\"version\":\"7.17.0\"}}}")) {
      assertThat(broken(proxy.url()).out())
          .contains("PROBLEM   version: Elasticsearch 7.17.0", "use Elasticsearch 8 or 9");
    }
  }

  @Test
  void foreignTemplate_isNamed() {
    Cli.send("DELETE", uri, "/" + index, null);
    String template = "others-" + alias;
    Cli.send(
        "PUT",
        uri,
        "/_template/" + template,
        "{\"index_patterns\":[\""
            + alias
            + "*\"],\"mappings\":{\"properties\":{\"owner\":{\"type\":\"keyword\",\"copy_to\":"
            + "\"all\"}}}}");
    try {
      assertThat(broken(uri.toString()).out())
          .contains(
              "copy_to",
              "Index templates that apply to its name: \"" + template + "\"",
              "exclude it from index templates");
    } finally {
      Cli.send("DELETE", uri, "/_template/" + template, null);
    }
  }

  @Test
  void lifecyclePolicyAndLateRefresh_areWarnings() {
    settings("{\"index.refresh_interval\":\"30s\"}");
    Result late = doctor(uri.toString());
    assertThat(late.status()).isZero();
    assertThat(late.out()).contains("warning   index: index.refresh_interval", "is 30s");
    // Elasticsearch's Maven distribution does not know lifecycle policies.
    try (Proxy proxy =
        CliFixtures.answering(
            uri,
            "/" + alias + "/_settings",
            "{\"" + index + "\":{\"settings\":{\"index.lifecycle.name\":\"logs\"}}}")) {
      Result result = doctor(proxy.url());
      assertThat(result.status()).isZero();
      assertThat(result.out())
          .contains("warning   index: lifecycle policy \"logs\"", "/" + index + "/_ilm/remove");
    }
  }

  @Test
  void clockOfANode_thatIsAheadOrBehind_isNamed() {
    try (Proxy proxy = CliFixtures.shiftingClock(uri, 60_000)) {
      assertThat(broken(proxy.url()).out())
          .containsPattern("clock of \\S+ is (59|1m|60)s? ?\\S* ahead of this machine's")
          .contains("synchronise the clocks (chrony, NTP)");
    }
    try (Proxy proxy = CliFixtures.shiftingClock(uri, -60_000)) {
      assertThat(broken(proxy.url()).out()).contains(" behind this machine's");
    }
  }

  @Test
  void clockOfAHolder_thatIsAhead_isNamed() {
    Cli.send(
        "PUT",
        uri,
        "/" + index + "/_doc/job?refresh=true",
        "{\"token\":\"t\",\"owner\":\"fast-host\",\"createdAt\":\""
            // Acquired long ago; it is renewed since.
            + Instant.now().minusSeconds(3_600)
            + "\",\"expiresAt\":\""
            + Instant.now().plusSeconds(3_630)
            + "\",\"ttlMillis\":30000}");
    assertThat(broken(uri.toString()).out())
        .contains("the clock of fast-host, which holds lock \"job\"", "ahead of this machine's");
  }

  @Test
  void proxyThatLimitsBodies_isNamed_asAProblemIfRecordsDoNotPass() {
    try (Proxy proxy = CliFixtures.limitingBodies(uri, 200 * 1024)) {
      Result result = doctor(proxy.url());
      assertThat(result.status()).isZero();
      assertThat(result.out())
          .contains(
              "warning   body limit: requests of 192 KiB pass, of 384 KiB do not",
              "client_max_body_size 1m;");
    }
    try (Proxy proxy = CliFixtures.limitingBodies(uri, 30 * 1024)) {
      assertThat(broken(proxy.url()).out())
          .contains("PROBLEM   body limit: requests of 24 KiB pass", "client_max_body_size 1m;");
    }
  }

  /** The limit would be made up of what has another reason. */
  @Test
  void bodiesThatAreNotAnswered_whateverTheirSize_areNoLimit() {
    String search = "/" + alias + "/_search?filter_path=took";
    try (Proxy proxy = CliFixtures.silent(uri, search)) {
      assertThat(doctor(proxy.url()).out())
          .contains("unknown   body limit: a request of 768 KiB had no answer in time")
          .doesNotContain("do not: a proxy limits");
    }
    for (int status : new int[] {413, 502}) {
      try (Proxy proxy = CliFixtures.refusing(uri, search, status)) {
        assertThat(doctor(proxy.url()).out())
            .contains("unknown   body limit: a request of ")
            .doesNotContain("do not: a proxy limits");
      }
    }
  }
}
