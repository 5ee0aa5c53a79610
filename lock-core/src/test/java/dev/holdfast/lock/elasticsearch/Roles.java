package dev.holdfast.lock.elasticsearch;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;

/** The roles that docs/operations.md gives to operators, read from there. */
final class Roles {
  private static final ObjectMapper MAPPER = new ObjectMapper();

  private Roles() {}

  /** The JSON behind {@code PUT /_security/role/NAME}. */
  static JsonNode named(String name) {
    try {
      String page = Files.readString(operations());
      String request = "PUT /_security/role/" + name + "\n";
      int at = page.indexOf(request);
      if (at < 0) {
        throw new IllegalStateException("docs/operations.md has no role " + name);
      }
      int begin = at + request.length();
      return MAPPER.readTree(page.substring(begin, page.indexOf("```", begin)));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Also for tests of a module that is deeper in the repository. */
  private static Path operations() {
    for (Path at = Path.of("").toAbsolutePath(); at != null; at = at.getParent()) {
      Path page = at.resolve("docs/operations.md");
      if (Files.exists(page)) {
        return page;
      }
    }
    throw new IllegalStateException(
        "no docs/operations.md in or above " + Path.of("").toAbsolutePath());
  }

  static List<String> privileges(String name) {
    List<String> all = new ArrayList<>();
    named(name).at("/indices/0/privileges").forEach(privilege -> all.add(privilege.asText()));
    return all;
  }

  static JsonNode without(String name, String privilege) {
    JsonNode role = named(name);
    Iterator<JsonNode> all = ((ArrayNode) role.at("/indices/0/privileges")).elements();
    while (all.hasNext()) {
      if (all.next().asText().equals(privilege)) {
        all.remove();
        return role;
      }
    }
    throw new IllegalStateException("role " + name + " has no privilege " + privilege);
  }
}
