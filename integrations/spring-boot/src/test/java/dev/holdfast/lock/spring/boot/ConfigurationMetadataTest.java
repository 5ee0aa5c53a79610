package dev.holdfast.lock.spring.boot;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.net.URL;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** What editors show of the properties, and the documentation of them. */
class ConfigurationMetadataTest {
  private static Map<String, JsonNode> properties() throws IOException {
    URL metadata =
        ConfigurationMetadataTest.class
            .getClassLoader()
            .resources("META-INF/spring-configuration-metadata.json")
            .filter(
                url ->
                    url.getPath().contains("spring-boot/target")
                        || url.getPath().contains("lock-spring-boot"))
            .findFirst()
            .orElseThrow();
    Map<String, JsonNode> properties = new TreeMap<>();
    try (InputStream in = metadata.openStream()) {
      new ObjectMapper()
          .readTree(in)
          .get("properties")
          .forEach(property -> properties.put(property.get("name").asText(), property));
    }
    return properties;
  }

  @Test
  void properties_allHaveADescriptionThatIsASentence() throws IOException {
    Map<String, JsonNode> properties = properties();

    assertThat(properties).containsKey("holdfast.uris").hasSizeGreaterThan(20);
    assertThat(properties)
        .allSatisfy(
            (name, property) -> {
              assertThat(property.path("description").asText()).as(name).endsWith(".");
              assertThat(property.path("type").asText()).as(name).isNotEmpty();
            });
  }

  /** A property that is not there would be ignored, or be an error, without being noticed here. */
  @Test
  void properties_inTheDocumentation_areThoseThatThereAre() throws IOException {
    List<String> documented =
        Pattern.compile("(?m)^\\| `((?:holdfast|management)\\.[a-z.-]+)` \\|")
            .matcher(Docs.section())
            .results()
            .map(result -> result.group(1))
            .toList();

    TreeSet<String> expected =
        properties().keySet().stream()
            .filter(name -> !name.endsWith(".cache.time-to-live"))
            .collect(Collectors.toCollection(TreeSet::new));
    assertThat(documented).doesNotHaveDuplicates();
    assertThat(new TreeSet<>(documented)).isEqualTo(expected);
  }
}
