package dev.holdfast.docs;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import dev.holdfast.lock.Lease;
import dev.holdfast.lock.LockManager;
import dev.holdfast.lock.memory.InMemoryLockStore;
import dev.holdfast.lock.micrometer.HoldfastMetrics;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * The dashboard and the alert rules use the series that a Prometheus registry exports, with the
 * tags and values that these have; and each meter is shown.
 */
class DashboardsTest {
  private static final Path DASHBOARDS = DocFiles.ROOT.resolve("docs/dashboards");

  private static final Pattern EXPORTED =
      Pattern.compile("^(holdfast_[a-z_]+)(?:\\{(.*)})? ", Pattern.MULTILINE);
  private static final Pattern TAG = Pattern.compile("([a-z_]+)=~?\"([^\"]*)\"");
  private static final Pattern USED = Pattern.compile("(holdfast_[a-z_]+)(?:\\{([^}]*)})?");
  private static final Pattern GROUPED = Pattern.compile("by \\(([a-z_, ]+)\\)");

  /** What Prometheus adds to every series. */
  private static final Set<String> OF_THE_TARGET = Set.of("instance", "job");

  /** For each exported series its tags, with their values. */
  private static final Map<String, Map<String, Set<String>>> SERIES = new HashMap<>();

  @BeforeAll
  static void export() throws InterruptedException {
    PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    HoldfastMetrics metrics = HoldfastMetrics.boundTo(registry);
    try (LockManager locks =
            LockManager.builder(new InMemoryLockStore()).listener(metrics).build();
        Lease lease = locks.acquire("job")) {
      assertThat(lease.renew()).isTrue();
    }
    Matcher exported = EXPORTED.matcher(registry.scrape());
    while (exported.find()) {
      Map<String, Set<String>> tags =
          SERIES.computeIfAbsent(exported.group(1), name -> new HashMap<>());
      Matcher tag = TAG.matcher(exported.group(2) == null ? "" : exported.group(2));
      while (tag.find()) {
        tags.computeIfAbsent(tag.group(1), name -> new HashSet<>()).add(tag.group(2));
      }
    }
  }

  /** What is wrong with a query; empty if it asks for what there is. */
  private static List<String> mistakes(String query) {
    List<String> mistakes = new ArrayList<>();
    Set<String> tagsThere = new HashSet<>(OF_THE_TARGET);
    Matcher used = USED.matcher(query);
    boolean any = false;
    while (used.find()) {
      any = true;
      Map<String, Set<String>> tags = SERIES.get(used.group(1));
      if (tags == null) {
        mistakes.add("no series " + used.group(1));
        continue;
      }
      tagsThere.addAll(tags.keySet());
      Matcher tag = TAG.matcher(used.group(2) == null ? "" : used.group(2));
      while (tag.find()) {
        Set<String> values = tags.get(tag.group(1));
        if (OF_THE_TARGET.contains(tag.group(1))) {
          continue;
        }
        if (values == null || !values.containsAll(Arrays.asList(tag.group(2).split("\\|", -1)))) {
          mistakes.add(used.group(1) + " has no " + tag.group());
        }
      }
    }
    if (!any) {
      mistakes.add("no series of ours in " + query);
    }
    Matcher grouped = GROUPED.matcher(query);
    while (grouped.find()) {
      for (String tag : grouped.group(1).split(", *", -1)) {
        if (!tagsThere.contains(tag)) {
          mistakes.add("no tag " + tag + " in " + query);
        }
      }
    }
    if (query.chars().filter(c -> c == '(').count()
        != query.chars().filter(c -> c == ')').count()) {
      mistakes.add("brackets of " + query);
    }
    return mistakes;
  }

  private static List<String> dashboardQueries() throws IOException {
    JsonNode dashboard =
        new ObjectMapper().readTree(DASHBOARDS.resolve("holdfast-grafana.json").toFile());
    assertThat(dashboard.get("title").asText()).isNotEmpty();
    for (JsonNode panel : dashboard.get("panels")) {
      assertThat(panel.get("title").asText()).isNotEmpty();
      assertThat(panel.get("description").asText()).isNotEmpty();
      assertThat(panel.get("targets")).isNotEmpty();
    }
    return dashboard.get("panels").findValuesAsText("expr");
  }

  private static List<String> alertQueries() throws IOException {
    JsonNode rules = new YAMLMapper().readTree(DASHBOARDS.resolve("holdfast-alerts.yaml").toFile());
    List<String> queries = new ArrayList<>();
    for (JsonNode rule : rules.at("/groups/0/rules")) {
      assertThat(rule.get("alert").asText()).matches("Holdfast[A-Z][A-Za-z]+");
      assertThat(rule.at("/labels/severity").asText()).isIn("warning", "critical");
      assertThat(rule.at("/annotations/summary").asText()).isNotEmpty();
      queries.add(rule.get("expr").asText());
    }
    return queries;
  }

  @Test
  void dashboard_usesSeriesThatAreExported() throws IOException {
    assertThat(dashboardQueries()).isNotEmpty().allSatisfy(q -> assertThat(mistakes(q)).isEmpty());
  }

  @Test
  void alerts_useSeriesThatAreExported() throws IOException {
    assertThat(alertQueries()).isNotEmpty().allSatisfy(q -> assertThat(mistakes(q)).isEmpty());
  }

  private static List<String> misfiring(JsonNode rules) {
    List<String> names = new ArrayList<>();
    for (JsonNode rule : rules) {
      String query = rule.get("expr").asText();
      boolean bareMaximum = query.contains("_seconds_max") && !query.contains("max_over_time(");
      boolean startsAtOnce = query.contains("min_over_time(");
      if ((bareMaximum && rule.has("for")) || startsAtOnce) {
        names.add(rule.get("alert").asText());
      }
    }
    return names;
  }

  /**
   * A maximum of Micrometer's lives for a few minutes, so it does not stay for a {@code for}; and
   * min_over_time takes a series that has just begun for one that was there all the time.
   */
  @Test
  void alerts_canFire_andOnlyAfterTheirTime() throws IOException {
    YAMLMapper yaml = new YAMLMapper();
    JsonNode rules = yaml.readTree(DASHBOARDS.resolve("holdfast-alerts.yaml").toFile());
    assertThat(misfiring(rules.at("/groups/0/rules"))).isEmpty();
    assertThat(
            misfiring(
                yaml.readTree(
                    "[{alert: A, expr: 'max(x_seconds_max) > 60', for: 5m},"
                        + " {alert: B, expr: 'min_over_time(x[15m]) > 0'},"
                        + " {alert: C, expr: 'max(max_over_time(x_seconds_max[9m])) > 6', for: 1m}]")))
        .containsExactly("A", "B");
  }

  @Test
  void dashboard_showsEachMeter() throws IOException {
    assertThat(meters(dashboardQueries())).isEqualTo(meters(SERIES.keySet()));
  }

  @Test
  void alerts_coverLossesRenewalsOutagesWaitsTakeoversAndDroppedEvents() throws IOException {
    assertThat(meters(alertQueries()))
        .contains(
            "holdfast_lock_lost",
            "holdfast_lock_renew",
            "holdfast_lock_acquire",
            "holdfast_locks_waiting",
            "holdfast_lock_takeovers",
            "holdfast_lock_events_dropped");
  }

  private static Set<String> meters(Iterable<String> texts) {
    Set<String> meters = new TreeSet<>();
    for (String text : texts) {
      USED.matcher(text)
          .results()
          .forEach(
              used ->
                  meters.add(
                      used.group(1).replaceAll("_seconds_(count|sum|max)$|_total$|_seconds$", "")));
    }
    return meters;
  }

  @Test
  void queries_forWhatIsNotExported_areFound() {
    assertThat(mistakes("rate(holdfast_lock_gone_total[5m])"))
        .containsExactly("no series holdfast_lock_gone_total");
    assertThat(mistakes("sum by (why) (holdfast_lock_lost_total{reason=~\"expired|bored\"}"))
        .containsExactly(
            "holdfast_lock_lost_total has no reason=~\"expired|bored\"",
            "no tag why in sum by (why) (holdfast_lock_lost_total{reason=~\"expired|bored\"}",
            "brackets of sum by (why) (holdfast_lock_lost_total{reason=~\"expired|bored\"}");
  }
}
