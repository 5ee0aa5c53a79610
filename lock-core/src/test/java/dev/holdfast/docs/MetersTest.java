package dev.holdfast.docs;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.lock.micrometer.HoldfastMetrics;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.Tag;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** The meters that are documented are those that are registered. */
class MetersTest {
  private static final Path OPERATIONS = DocFiles.ROOT.resolve("docs/operations.md");
  private static final Path JAVADOC =
      DocFiles.ROOT.resolve(
          "lock-core/src/main/java/dev/holdfast/lock/micrometer/HoldfastMetrics.java");

  /** A row of the table: name, type, and tag with its values. */
  private static final Pattern ROW =
      Pattern.compile("^\\| `(holdfast\\.[a-z.]+)` \\| ([a-z]+) \\|([^|]*)\\|", Pattern.MULTILINE);

  private static final Pattern VALUE = Pattern.compile("`([a-z_]+)`");

  /** For each meter its type, its tag and the tag's values. */
  private static Map<String, Set<String>> registered() {
    SimpleMeterRegistry registry = new SimpleMeterRegistry();
    HoldfastMetrics.boundTo(registry);
    Map<String, Set<String>> meters = new TreeMap<>();
    for (Meter meter : registry.getMeters()) {
      Set<String> facts = meters.computeIfAbsent(meter.getId().getName(), any -> new TreeSet<>());
      facts.add("type " + meter.getId().getType().name().toLowerCase(Locale.ROOT));
      for (Tag tag : meter.getId().getTags()) {
        facts.add(tag.getKey());
        facts.add(tag.getValue());
      }
    }
    return meters;
  }

  private static Map<String, Set<String>> documented(String text) {
    Map<String, Set<String>> meters = new TreeMap<>();
    ROW.matcher(text)
        .results()
        .forEach(
            row -> {
              Set<String> facts = new TreeSet<>();
              facts.add("type " + row.group(2));
              VALUE.matcher(row.group(3)).results().forEach(value -> facts.add(value.group(1)));
              meters.put(row.group(1), facts);
            });
    return meters;
  }

  @Test
  void metersInOperations_areThoseThatAreRegistered() {
    assertThat(documented(DocFiles.text(OPERATIONS))).isEqualTo(registered());
  }

  @Test
  void metersInTheJavadoc_areThoseThatAreRegistered() {
    Set<String> named =
        Pattern.compile("<td>\\{@code (holdfast\\.[a-z.]+)}")
            .matcher(DocFiles.text(JAVADOC))
            .results()
            .map(result -> result.group(1))
            .collect(Collectors.toSet());

    assertThat(named).isEqualTo(registered().keySet());
  }

  @Test
  void meter_withAnotherTypeOrValue_isFound() {
    assertThat(documented("| `holdfast.lock.renew` | timer | `outcome`: `done`, `failed` | x |"))
        .isEqualTo(
            Map.of("holdfast.lock.renew", Set.of("type timer", "outcome", "done", "failed")));
  }
}
