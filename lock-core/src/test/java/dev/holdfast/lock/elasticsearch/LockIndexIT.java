package dev.holdfast.lock.elasticsearch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import co.elastic.clients.json.SimpleJsonpMapper;
import com.fasterxml.jackson.databind.JsonNode;
import dev.holdfast.cluster.ElasticsearchVersion;
import dev.holdfast.lock.GuardsAgainst;
import dev.holdfast.lock.Lease;
import dev.holdfast.lock.LeaseLostException;
import dev.holdfast.lock.LockManager;
import dev.holdfast.lock.LockOptions;
import dev.holdfast.lock.LockStoreUnavailableException;
import dev.holdfast.lock.Pitfall;
import dev.holdfast.lock.ReleaseResult;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** How the lock index is made, found, checked, and missed when it is gone. */
class LockIndexIT extends ClusterTest {
  private static final String ID = "lock";
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  /** What an index needs to be taken, but for what a test spoils. */
  private static final String GOOD_FIELDS =
      "\"token\":{\"type\":\"keyword\"},\"owner\":{\"type\":\"keyword\"},"
          + "\"createdAt\":{\"type\":\"date\"},\"expiresAt\":{\"type\":\"date\"},"
          + "\"ttlMillis\":{\"type\":\"long\"},\"maxClockSkewMillis\":{\"type\":\"long\"},"
          + "\"metadata\":{\"type\":\"object\",\"enabled\":false}";

  private static final String GOOD_MAPPING =
      "{\"dynamic\":false,\"_meta\":{\"holdfast\":{\"era\":0}},\"properties\":{"
          + GOOD_FIELDS
          + "}}";

  LockIndexIT(ElasticsearchVersion version) {
    super(version);
  }

  // --- Made

  @Test
  void index_madeByTheFirstLock_isHidden_withOneShard_andTwoAliases_andItsEra() throws Exception {
    assertThat(cluster.exists(cluster.index())).isFalse();

    assertThat(cluster.manager().acquire(ID).isHeld()).isTrue();

    JsonNode state = cluster.state();
    assertThat(state.at("/settings/index/hidden").asText()).isEqualTo("true");
    assertThat(state.at("/settings/index/number_of_shards").asText()).isEqualTo("1");
    assertThat(state.at("/mappings/dynamic").asText()).isEqualTo("false");
    assertThat(state.at("/mappings/_meta/holdfast/era").asInt()).isZero();
    List<String> aliases = new ArrayList<>();
    state.get("aliases").fieldNames().forEachRemaining(aliases::add);
    assertThat(aliases)
        .hasSize(2)
        .contains(cluster.alias())
        .anyMatch(alias -> alias.matches(cluster.alias() + "\\.[0-9a-f]{16}"));
  }

  @Test
  void index_thatManyProcessesNeedFirstAtOnce_isMadeOnce_andServesThemAll() throws Exception {
    int processes = 6;
    ExecutorService threads = Executors.newFixedThreadPool(processes);
    try {
      List<Future<Lease>> leases = new ArrayList<>();
      for (int i = 0; i < processes; i++) {
        LockManager manager = cluster.manager();
        String lock = ID + i;
        leases.add(threads.submit(() -> manager.acquire(lock, PATIENT)));
      }
      for (Future<Lease> lease : leases) {
        assertThat(lease.get().isHeld()).isTrue();
      }
    } finally {
      threads.shutdownNow();
    }
    assertThat(cluster.state().get("aliases")).hasSize(2);
  }

  @Test
  void index_ofACusterThatRefusesSettings_isMadeWithoutThem() throws Exception {
    HttpFront front = cluster.front();
    front.script(
        request ->
            request.method().equals("PUT") && request.body().contains("auto_expand_replicas")
                ? HttpFront.error(
                    400,
                    "illegal_argument_exception",
                    "Settings [index.hidden,index.translog.durability] are not available when"
                        + " running in serverless mode")
                : new HttpFront.Reply.Forward());

    Lease lease =
        cluster
            .manager(cluster.closing(cluster.storeBuilder(front.url()).build()))
            .acquire(ID, PATIENT);

    assertThat(lease.isHeld()).isTrue();
    assertThat(cluster.state().at("/settings/index/hidden").isMissingNode()).isTrue();
    assertThat(cluster.state().get("aliases")).hasSize(2);
  }

  @Test
  void era_isThatOfTheIndex_whoeverAsks_andTheFirstPartOfTokens() throws Exception {
    LockManager raised =
        cluster.manager(cluster.closing(cluster.storeBuilder().fencingEra(3).build()));
    Lease first = raised.acquire(ID);
    assertThat(first.fencingToken().era()).isEqualTo(3);
    assertThat(first.release()).isEqualTo(ReleaseResult.RELEASED);

    Lease second = cluster.manager().acquire(ID);

    assertThat(second.fencingToken().era()).isEqualTo(3);
    assertThat(second.fencingToken()).isGreaterThan(first.fencingToken());
  }

  // --- Found

  @Test
  @GuardsAgainst(Pitfall.INDEX_NAME_BECOMES_AN_ALIAS)
  void index_thatWasReindexedUnderAnotherName_isFoundByItsAlias() throws Exception {
    String incarnation = cluster.alias() + ".0123456789abcdef";
    // As an upgrade leaves it: the old name is an alias of the new index, like all old aliases.
    make(
        cluster.index() + "-reindexed-for-9",
        GOOD_MAPPING,
        cluster.index(),
        cluster.alias(),
        incarnation);

    Lease lease = cluster.manager().acquire(ID);

    assertThat(lease.renew()).isTrue();
    assertThat(lease.release()).isEqualTo(ReleaseResult.RELEASED);
    assertThat(cluster.state().get("aliases")).hasSize(3);
  }

  /** An index made by others, what is wrong with it, and what the error must say. */
  record Wrong(String name, String mapping, List<String> aliases, List<String> says) {
    @Override
    public String toString() {
      return name;
    }
  }

  static Stream<Wrong> wrongIndexes() {
    List<String> good = List.of("ALIAS", "ALIAS.1");
    String notMade = "not made by Holdfast";
    String delete = "When no lock is in use, delete it";
    return Stream.of(
        new Wrong("no alias at all", GOOD_MAPPING, List.of(), List.of("no alias", notMade)),
        new Wrong(
            "no incarnation",
            GOOD_MAPPING,
            List.of("ALIAS"),
            List.of("exactly one alias", notMade)),
        new Wrong(
            "two incarnations",
            GOOD_MAPPING,
            List.of("ALIAS", "ALIAS.1", "ALIAS.2"),
            List.of("exactly one alias", "ALIAS.1", "ALIAS.2")),
        new Wrong(
            "a field that is missing",
            GOOD_MAPPING.replace("\"owner\":{\"type\":\"keyword\"},", ""),
            good,
            List.of("field \"owner\" must be keyword, but is missing", delete)),
        new Wrong(
            "metadata that is indexed",
            GOOD_MAPPING.replace(",\"enabled\":false", ""),
            good,
            List.of("field \"metadata\" must be object (enabled:false), but is object", delete)),
        new Wrong(
            "a dynamic mapping",
            GOOD_MAPPING.replace("\"dynamic\":false,", ""),
            good,
            List.of("not dynamic:false", delete)),
        new Wrong(
            "no source",
            GOOD_MAPPING.replace("\"dynamic\"", "\"_source\":{\"enabled\":false},\"dynamic\""),
            good,
            List.of("_source", delete)),
        new Wrong(
            "a source in parts",
            GOOD_MAPPING.replace(
                "\"dynamic\"", "\"_source\":{\"excludes\":[\"token\"]},\"dynamic\""),
            good,
            List.of("_source", delete)),
        new Wrong(
            "no era",
            GOOD_MAPPING.replace("{\"holdfast\":{\"era\":0}}", "{}"),
            good,
            List.of("fencing era", delete)),
        new Wrong(
            "an era that is none",
            GOOD_MAPPING.replace("\"era\":0", "\"era\":\"first\""),
            good,
            List.of("fencing era", delete)));
  }

  @ParameterizedTest
  @MethodSource("wrongIndexes")
  @GuardsAgainst({Pitfall.REPAIR_DELETES_LIVE_LOCKS, Pitfall.FAILED_SETUP_IS_CACHED})
  void index_thatIsWrong_isAClearError_isNotChanged_andNotRemembered(Wrong wrong) throws Exception {
    String[] aliases =
        wrong.aliases().stream()
            .map(alias -> alias.replace("ALIAS", cluster.alias()))
            .toArray(String[]::new);
    make(cluster.index(), wrong.mapping(), aliases);
    JsonNode before = cluster.get("/" + cluster.index());
    LockManager locks = cluster.manager();

    for (int i = 0; i < 2; i++) {
      LockStoreUnavailableException refusal = refusal(locks);
      assertThat(refusal).hasMessageContaining("\"" + cluster.index() + "\"");
      for (String part : wrong.says()) {
        assertThat(refusal).hasMessageContaining(part.replace("ALIAS", cluster.alias()));
      }
    }
    assertThat(cluster.get("/" + cluster.index())).isEqualTo(before);

    cluster.deleteIndex();
    assertThat(locks.acquire(ID).isHeld()).isTrue();
  }

  @Test
  void alias_ofTwoIndexes_isAClearError() {
    make(cluster.index(), GOOD_MAPPING, cluster.alias(), cluster.alias() + ".1");
    make(cluster.alias() + "-2", GOOD_MAPPING, cluster.alias());

    assertThat(refusal(cluster.manager()))
        .hasMessageContaining(cluster.index())
        .hasMessageContaining(cluster.alias() + "-2")
        .hasMessageContaining("exactly one index");
  }

  @Test
  void index_inThePlaceOfTheAlias_isAClearError() {
    make(cluster.alias(), GOOD_MAPPING);
    try {
      assertThat(refusal(cluster.manager()))
          .hasMessageContaining("it is an index where an alias is expected")
          .hasMessageContaining("configure another alias");
    } finally {
      cluster.ok("DELETE", "/" + cluster.alias(), null);
    }
  }

  @Test
  void index_withoutAPrimaryShard_isAnOutageThatSaysSo_notContention() throws Exception {
    // No node may hold its shard.
    String settings = "{\"index.routing.allocation.require._name\":\"nobody\"}";
    make(cluster.index(), settings, GOOD_MAPPING, List.of(cluster.alias(), cluster.alias() + ".1"));
    LockManager locks = cluster.manager();

    LockStoreUnavailableException outage =
        catchThrowableOfType(LockStoreUnavailableException.class, () -> locks.tryAcquire(ID));
    assertThat(outage.isRetryable()).isTrue();
    assertThat(outage).hasMessageContaining("shard");

    cluster.ok(
        "PUT",
        "/" + cluster.index() + "/_settings",
        "{\"index.routing.allocation.require._name\":null}");
    assertThat(locks.acquire(ID, PATIENT).isHeld()).isTrue();
  }

  // --- Templates of others

  /**
   * A template that matches the index before it is created.
   *
   * @param says what the error must say; empty where the index must work
   */
  record Hostile(String name, String template, List<String> says) {
    Hostile(String name, String template) {
      this(name, template, List.of());
    }

    @Override
    public String toString() {
      return name;
    }
  }

  /** More than an index may have by default. */
  private static String manyFields(int fields) {
    return "{\"settings\":{\"index\":{\"mapping.total_fields.limit\":"
        + 2 * fields
        + "}},\"mappings\":{\"properties\":{"
        + IntStream.range(0, fields)
            .mapToObj(i -> "\"f" + i + "\":{\"type\":\"long\"}")
            .collect(Collectors.joining(","))
        + "}}}";
  }

  static Stream<Hostile> hostileTemplates() {
    return Stream.of(
        new Hostile("no refresh", settings("\"refresh_interval\":\"-1\"")),
        new Hostile("a slow refresh", settings("\"refresh_interval\":\"60s\"")),
        new Hostile("async durability", settings("\"translog.durability\":\"async\"")),
        new Hostile("logsdb", settings("\"mode\":\"logsdb\"")),
        new Hostile(
            "a time series",
            "{\"settings\":{\"index\":{\"mode\":\"time_series\",\"routing_path\":[\"d\"]}},"
                + "\"mappings\":{\"properties\":{\"d\":{\"type\":\"keyword\","
                + "\"time_series_dimension\":true}}}}"),
        new Hostile("a sort field that is missing", settings("\"sort.field\":[\"nosuch\"]")),
        new Hostile("a default pipeline", settings("\"default_pipeline\":\"nosuch\"")),
        new Hostile("a final pipeline", settings("\"final_pipeline\":\"nosuch\"")),
        new Hostile("a write block", settings("\"blocks.write\":true")),
        new Hostile("a read-only block", settings("\"blocks.read_only\":true")),
        new Hostile("a small window", settings("\"max_result_window\":10")),
        new Hostile(
            "more copies",
            settings("\"number_of_replicas\":2,\"write.wait_for_active_shards\":\"3\"")),
        new Hostile("replicas", settings("\"number_of_replicas\":2")),
        new Hostile("shards", settings("\"number_of_shards\":3")),
        new Hostile("synthetic source", settings("\"mapping.source.mode\":\"synthetic\"")),
        new Hostile("few fields", settings("\"mapping.total_fields.limit\":2")),
        new Hostile("many fields", manyFields(1_200)),
        new Hostile("no allocation", settings("\"routing.allocation.enable\":\"none\"")),
        new Hostile("no soft deletes", settings("\"soft_deletes.enabled\":false")),
        new Hostile(
            "logsdb that recovers from its synthetic source",
            settings("\"mode\":\"logsdb\",\"recovery.use_synthetic_source\":true")),
        new Hostile(
            "strict", "{\"mappings\":{\"dynamic\":\"strict\",\"_source\":{\"enabled\":false}}}"),
        new Hostile(
            "a source in parts, which creation cannot override",
            "{\"mappings\":{\"_source\":{\"excludes\":[\"token\"]}}}",
            List.of("_source", "delete it", "TEMPLATE")),
        new Hostile(
            "a data stream's timestamp",
            "{\"mappings\":{\"_data_stream_timestamp\":{\"enabled\":true},"
                + "\"properties\":{\"@timestamp\":{\"type\":\"date\"}}}}"),
        new Hostile(
            "date formats",
            "{\"mappings\":{\"properties\":{\"createdAt\":{\"type\":\"date\","
                + "\"format\":\"epoch_millis\"},\"ttlMillis\":{\"type\":\"keyword\"}}}}"),
        new Hostile(
            "runtime fields",
            "{\"mappings\":{\"runtime\":{\"token\":{\"type\":\"long\"}},"
                + "\"dynamic_templates\":[{\"x\":{\"match\":\"*\",\"mapping\":{\"type\":\"long\"}}}]}}"),
        new Hostile(
            "routing that is required",
            "{\"mappings\":{\"_routing\":{\"required\":true}}}",
            List.of("cannot be created", "_routing.required", "TEMPLATE")),
        new Hostile(
            "a synthetic source in the mapping",
            "{\"mappings\":{\"_source\":{\"mode\":\"synthetic\"}}}",
            List.of("cannot be created", "mode", "TEMPLATE")),
        new Hostile(
            "a second incarnation",
            "{\"aliases\":{\"ALIAS.other\":{}}}",
            List.of("exactly one alias", "ALIAS.other")));
  }

  private static String settings(String settings) {
    return "{\"settings\":{\"index\":{" + settings + "}}}";
  }

  @ParameterizedTest
  @Tag("slow")
  @MethodSource("hostileTemplates")
  void index_createdUnderATemplateOfOthers_works_orTheErrorNamesIt(Hostile hostile)
      throws Exception {
    String template = "hostile-" + cluster.index();
    cluster.ok(
        "PUT",
        "/_index_template/" + template,
        "{\"index_patterns\":[\""
            + cluster.index()
            + "*\"],\"priority\":900,\"template\":"
            + hostile.template().replace("ALIAS", cluster.alias())
            + "}");
    LockManager locks = cluster.manager();
    try {
      if (hostile.says().isEmpty()) {
        assertWorks(locks);
      } else {
        LockStoreUnavailableException refusal = refusal(locks);
        assertThat(refusal).hasMessageContaining("\"" + cluster.index() + "\"");
        for (String part : hostile.says()) {
          assertThat(refusal)
              .hasMessageContaining(
                  part.replace("TEMPLATE", template).replace("ALIAS", cluster.alias()));
        }
      }
    } finally {
      cluster.ok("DELETE", "/_index_template/" + template, null);
    }
    if (cluster.exists(cluster.index())) {
      cluster.deleteIndex();
    }
    assertWorks(locks);
  }

  @Test
  void index_createdUnderALegacyTemplate_works() throws Exception {
    String template = "hostile-" + cluster.index();
    cluster.ok(
        "PUT",
        "/_template/" + template,
        "{\"index_patterns\":[\""
            + cluster.index()
            + "\"],\"settings\":{\"index.refresh_interval\":\"-1\","
            + "\"index.final_pipeline\":\"nosuch\"}}");
    try {
      assertWorks(cluster.manager());
    } finally {
      cluster.ok("DELETE", "/_template/" + template, null);
    }
  }

  /** Unlike a newer template's, its fields are merged with those of the request. */
  @ParameterizedTest
  @ValueSource(strings = {"\"copy_to\":[\"when\"]", "\"fields\":{\"when\":{\"type\":\"date\"}}"})
  void index_createdUnderALegacyTemplate_thatCopiesItsFields_isAClearError(String parameter) {
    String template = "hostile-" + cluster.index();
    cluster.ok(
        "PUT",
        "/_template/" + template,
        "{\"index_patterns\":[\""
            + cluster.index()
            + "\"],\"mappings\":{\"properties\":{\"when\":{\"type\":\"date\"},"
            + "\"owner\":{\"type\":\"keyword\","
            + parameter
            + "}}}}");
    try {
      assertThat(refusal(cluster.manager()).getMessage())
          .contains("\"" + cluster.index() + "\"", "\"owner\"", template)
          .contains(parameter.split("\"", 3)[1]);
    } finally {
      cluster.ok("DELETE", "/_template/" + template, null);
    }
  }

  /** Only since 9.4 or so. */
  @Test
  @Tag("slow")
  void index_createdUnderATemplateWithoutSequenceNumbers_works() throws Exception {
    LockCluster newer = LockCluster.on(ElasticsearchVersion.V9);
    try (newer) {
      String template = "hostile-" + newer.index();
      newer.ok(
          "PUT",
          "/_index_template/" + template,
          "{\"index_patterns\":[\""
              + newer.index()
              + "\"],\"priority\":900,\"template\":"
              + settings("\"disable_sequence_numbers\":true")
              + "}");
      try {
        assertWorks(newer.manager());
      } finally {
        newer.ok("DELETE", "/_index_template/" + template, null);
      }
    }
  }

  /** All that a manager does, as it should be. */
  private static void assertWorks(LockManager locks) throws Exception {
    Map<String, Object> metadata = Map.of("job", "nightly", "z", 1);
    Lease lease = locks.acquire(ID, PATIENT.withMetadata(metadata));
    assertThat(lease.renew()).isTrue();
    assertThat(locks.find(ID).orElseThrow().token()).isEqualTo(lease.token());
    assertThat(locks.find(ID).orElseThrow().metadata()).isEqualTo(metadata);
    Poll.until("the lock is listed", () -> locks.list().size() == 1);
    assertThat(lease.release()).isEqualTo(ReleaseResult.RELEASED);
  }

  /** Settings of an index made by others, and what the error says, if that is none to use. */
  static Stream<Hostile> settingsOfOthers() {
    return Stream.of(
        new Hostile(
            "a final pipeline",
            "\"index.final_pipeline\":\"p1\"",
            List.of("final_pipeline is \"p1\"", "Set it to _none")),
        new Hostile(
            "async durability",
            "\"index.translog.durability\":\"async\"",
            List.of("durability", "Set it to request")),
        new Hostile("a default pipeline", "\"index.default_pipeline\":\"p1\""),
        new Hostile("shards", "\"index.number_of_shards\":3"),
        new Hostile("no refresh", "\"index.refresh_interval\":\"-1\""));
  }

  @ParameterizedTest
  @MethodSource("settingsOfOthers")
  void index_ofOthersWithSettings_works_orTheErrorNamesThem(Hostile others) throws Exception {
    List<String> aliases = List.of(cluster.alias(), cluster.alias() + ".1");
    make(cluster.index(), "{" + others.template() + "}", GOOD_MAPPING, aliases);
    LockManager locks = cluster.manager();
    if (others.says().isEmpty()) {
      assertWorks(locks);
    } else {
      assertThat(refusal(locks).getMessage())
          .contains("\"" + cluster.index() + "\"")
          .contains(others.says());
    }
  }

  @Test
  void index_thatIsRefreshedLate_isAWarningThatSaysSo() throws Exception {
    List<String> aliases = List.of(cluster.alias(), cluster.alias() + ".1");
    make(cluster.index(), "{\"index.refresh_interval\":\"60s\"}", GOOD_MAPPING, aliases);
    try (LogCapture log = LogCapture.ofHoldfast()) {
      assertThat(cluster.manager().acquire(ID).isHeld()).isTrue();
      assertThat(log.lines())
          .anyMatch(l -> l.startsWith("WARN") && l.contains("refresh_interval is 60s"));
    }
  }

  @Test
  void index_whoseDatesHaveAnotherFormat_isAClearError() {
    make(
        cluster.index(),
        GOOD_MAPPING.replace(
            "\"createdAt\":{\"type\":\"date\"}",
            "\"createdAt\":{\"type\":\"date\",\"format\":\"epoch_millis\"}"),
        cluster.alias(),
        cluster.alias() + ".1");

    assertThat(refusal(cluster.manager()))
        .hasMessageContaining("field \"createdAt\" has the date format \"epoch_millis\"");
  }

  /** That mapper cannot write maps, and knows no class of ours. */
  @Test
  void client_withTheSimpleMapper_createsTheIndex_andWorks() throws Exception {
    assertWorks(
        cluster.manager(
            cluster.closing(
                ElasticsearchLockStore.builder(
                        cluster.userClient(cluster.node().toString(), SimpleJsonpMapper.INSTANCE))
                    .indexNames(cluster.index(), cluster.alias())
                    .build())));
  }

  // --- Swapped behind its alias

  /** Short, so that two renewals come soon. */
  private static final LockOptions BRIEF = LockOptions.defaults().withTtl(Duration.ofSeconds(3));

  /** What an operator does to the index while a lock is held, and what the loss says. */
  enum Act {
    SWAPPED("now leads to index"),
    ON_TWO("must lead to exactly one index"),
    REMOVED("no longer leads to index"),
    ASYNC("durability");

    final String says;

    Act(String says) {
      this.says = says;
    }
  }

  private void carryOut(Act act) {
    String second = cluster.alias() + "-2";
    switch (act) {
      case SWAPPED -> {
        make(second, GOOD_MAPPING, cluster.alias() + ".00");
        aliases(action("add", second) + "," + action("remove", cluster.index()));
      }
      case ON_TWO -> {
        make(second, GOOD_MAPPING, cluster.alias() + ".00");
        aliases(action("add", second));
      }
      case REMOVED -> aliases(action("remove", cluster.index()));
      case ASYNC -> set("{\"index.translog.durability\":\"async\"}");
    }
  }

  private void repair(Act act) {
    switch (act) {
      case ON_TWO -> aliases(action("remove", cluster.alias() + "-2"));
      case REMOVED -> aliases(action("add", cluster.index()));
      default -> set("{\"index.translog.durability\":\"request\"}");
    }
  }

  private String action(String action, String index) {
    return "{\"%s\":{\"index\":\"%s\",\"alias\":\"%s\"}}".formatted(action, index, cluster.alias());
  }

  private void aliases(String actions) {
    cluster.ok("POST", "/_aliases", "{\"actions\":[" + actions + "]}");
  }

  private void set(String settings) {
    cluster.ok("PUT", "/" + cluster.index() + "/_settings", settings);
  }

  @ParameterizedTest
  @Tag("slow")
  @EnumSource(Act.class)
  void leases_inAnIndexThatIsLeft_areLostWithAReason_andTheNextAcquisitionLooksAgain(Act act)
      throws Exception {
    ElasticsearchLockStore store = cluster.store();
    LockManager locks = cluster.manager(store);
    Lease lease = locks.acquire(ID, BRIEF);
    Lease sibling = cluster.manager(store).acquire("other", BRIEF);
    CompletableFuture<LeaseLostException> loss = new CompletableFuture<>();
    lease.onLost(loss::complete);
    try (LogCapture log = LogCapture.ofHoldfast()) {
      carryOut(act);

      assertThat(loss).succeedsWithin(PATIENCE);
      assertThat(loss.join()).hasMessageContaining(act.says);
      Poll.until("the lease of another manager is lost", () -> !sibling.isHeld());
      assertThat(log.lines())
          .anyMatch(
              line ->
                  line.startsWith("ERROR")
                      && line.contains("\"" + cluster.index() + "\"")
                      && line.contains(act.says));
    }
    assertThat(lease.isHeld()).isFalse();
    assertThat(lease.release()).isEqualTo(ReleaseResult.NOT_HELD);
    if (act == Act.SWAPPED) {
      assertThat(locks.acquire(ID, PATIENT).isHeld()).isTrue();
      assertThat(cluster.send("GET", "/" + cluster.alias() + "-2/_doc/" + ID, null).status())
          .isEqualTo(200);
    } else {
      assertThat(refusal(locks)).hasMessageContaining(cluster.index());
      repair(act);
      assertThat(locks.acquire(ID, PATIENT).isHeld()).isTrue();
    }
  }

  /** A process that has held nothing for a while must not go on in the old index. */
  @Test
  void acquisition_afterASwap_meetsTheHolderInTheNewIndex() throws Exception {
    LockManager locks = cluster.manager();
    assertThat(locks.acquire(ID).release()).isEqualTo(ReleaseResult.RELEASED);
    carryOut(Act.SWAPPED);
    Lease held = cluster.manager().acquire(ID, PATIENT);

    Poll.until("the swap is noticed", () -> !isGranted(locks));

    assertThat(held.isHeld()).isTrue();
  }

  private static boolean isGranted(LockManager locks) {
    try {
      Optional<Lease> lease = locks.tryAcquire(ID);
      lease.ifPresent(Lease::release);
      return lease.isPresent();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  // --- Gone

  @Test
  void index_thatIsDeleted_isEmptyForWhoeverLooks_andMadeAnewByTheNextLock() throws Exception {
    LockManager locks = cluster.manager();
    Lease lost = locks.acquire(ID);
    String before = incarnation();
    cluster.deleteIndex();

    assertThat(locks.list()).isEmpty();
    assertThat(locks.find(ID)).isEmpty();
    assertThat(cluster.exists(cluster.index())).as("looking makes nothing").isFalse();
    assertThat(lost.renew()).isFalse();
    assertThat(lost.isHeld()).isFalse();

    Lease lease = locks.acquire(ID, PATIENT);
    assertThat(lease.isHeld()).isTrue();
    assertThat(incarnation()).isNotEqualTo(before);
    assertThat(lost.release()).isEqualTo(ReleaseResult.NOT_HELD);
    assertThat(cluster.document(ID)).as("the new holder's").isPresent();
  }

  @Test
  void looking_beforeAnyLock_findsNothing_andMakesNothing() {
    LockManager locks = cluster.manager();

    assertThat(locks.list()).isEmpty();
    assertThat(locks.find(ID)).isEmpty();
    assertThat(locks.forceRelease(ID)).isFalse();
    assertThat(cluster.exists(cluster.index())).isFalse();
  }

  // --- Names

  @Test
  void names_thatElasticsearchWouldRefuse_areRefusedBeforeAnyRequest() {
    for (String bad :
        List.of("", "Upper", "_underscore", "-hyphen", "with space", "with/slash", "..", "a*b")) {
      assertThatThrownBy(() -> ElasticsearchLockStore.builder("http://h").indexNames(bad, "a"))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("\"" + bad + "\"");
      assertThatThrownBy(() -> ElasticsearchLockStore.builder("http://h").indexNames("i", bad))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("\"" + bad + "\"");
    }
    assertThatThrownBy(() -> ElasticsearchLockStore.builder("http://h").indexNames("a", "a"))
        .isInstanceOf(IllegalArgumentException.class);
  }

  // --- Words

  private void make(String index, String mapping, String... aliases) {
    make(index, "{}", mapping, List.of(aliases));
  }

  private void make(String index, String settings, String mapping, List<String> aliases) {
    String named = String.join(",", aliases.stream().map(a -> "\"" + a + "\":{}").toList());
    cluster.ok(
        "PUT",
        "/" + index + "?wait_for_active_shards=0",
        "{\"settings\":" + settings + ",\"aliases\":{" + named + "},\"mappings\":" + mapping + "}");
  }

  private String incarnation() {
    return cluster.state().get("aliases").toString();
  }

  private static LockStoreUnavailableException refusal(LockManager locks) {
    LockStoreUnavailableException refusal =
        catchThrowableOfType(LockStoreUnavailableException.class, () -> locks.tryAcquire(ID));
    assertThat(refusal).hasCauseInstanceOf(LockIndexException.class);
    assertThat(refusal.isRetryable()).isFalse();
    return refusal;
  }
}
