package dev.holdfast.lock.elasticsearch;

import co.elastic.clients.json.JsonpDeserializer;
import co.elastic.clients.json.JsonpMappingException;
import co.elastic.clients.json.JsonpUtils;
import jakarta.json.stream.JsonParser;
import jakarta.json.stream.JsonParser.Event;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * An index as {@code GET /name} describes it. Settings and mapping are kept as flat text, such as
 * {@code settings.index.translog.durability}, whichever way they were nested: what a newer
 * Elasticsearch, or a template of others, adds cannot fail to be read, and takes bounded space.
 *
 * @param name of the index
 * @param aliases that lead to it
 * @param values by path; an object is there as {@link #OBJECT}, a list as its values with commas
 */
record IndexDescription(String name, Set<String> aliases, Map<String, String> values) {
  static final String OBJECT = "{}";

  private static final int MAX_INDICES = 100;
  private static final int MAX_VALUES = 5_000;
  private static final int MAX_TEXT = 1_000;
  private static final int MAX_DEPTH = 20;

  /** Reads the answer of {@code GET /name}: any number of indices. */
  static final JsonpDeserializer<List<IndexDescription>> READER =
      JsonpDeserializer.of(
          EnumSet.of(Event.START_OBJECT), (parser, mapper, event) -> indices(parser));

  /** The value at that path, or null. */
  @Nullable String get(String path) {
    return values.get(path);
  }

  /** The value of that index setting, or null if it has its default. */
  @Nullable String setting(String name) {
    return values.get("settings.index." + name);
  }

  private static List<IndexDescription> indices(JsonParser parser) {
    List<IndexDescription> indices = new ArrayList<>();
    while (parser.next() != Event.END_OBJECT) {
      String name = parser.getString();
      Event value = parser.next();
      if (value != Event.START_OBJECT) {
        throw noIndex(parser);
      } else if (indices.size() < MAX_INDICES) {
        indices.add(index(name, parser));
      } else {
        JsonpUtils.skipValue(parser, value);
      }
    }
    if (indices.isEmpty()) {
      throw noIndex(parser);
    }
    return indices;
  }

  /** Whatever answered so is not Elasticsearch, and says nothing about the index. */
  private static JsonpMappingException noIndex(JsonParser parser) {
    return new JsonpMappingException("the answer describes no index", parser.getLocation());
  }

  private static IndexDescription index(String name, JsonParser parser) {
    Map<String, String> aliases = new LinkedHashMap<>();
    boolean describesAliases = false;
    Map<String, String> values = new LinkedHashMap<>();
    while (parser.next() != Event.END_OBJECT) {
      String part = parser.getString();
      Event value = parser.next();
      if (part.equals("aliases") && value == Event.START_OBJECT) {
        describesAliases = true;
        while (parser.next() != Event.END_OBJECT) {
          String alias = parser.getString();
          JsonpUtils.skipValue(parser, parser.next());
          keep(aliases, alias, "");
        }
      } else {
        flatten(parser, value, part, values, 0);
      }
    }
    if (!describesAliases) {
      throw noIndex(parser);
    }
    return new IndexDescription(name, Set.copyOf(aliases.keySet()), Map.copyOf(values));
  }

  private static void flatten(
      JsonParser parser, Event value, String path, Map<String, String> values, int depth) {
    switch (value) {
      case START_OBJECT -> {
        keep(values, path, OBJECT);
        while (parser.next() != Event.END_OBJECT) {
          String key = parser.getString();
          Event inner = parser.next();
          if (depth < MAX_DEPTH && values.size() < MAX_VALUES && key.length() <= MAX_TEXT) {
            flatten(parser, inner, path + "." + key, values, depth + 1);
          } else {
            JsonpUtils.skipValue(parser, inner);
          }
        }
      }
      case START_ARRAY -> {
        StringBuilder items = new StringBuilder();
        for (Event item = parser.next(); item != Event.END_ARRAY; item = parser.next()) {
          if (item == Event.VALUE_STRING && items.length() < MAX_TEXT) {
            items.append(items.isEmpty() ? "" : ",").append(parser.getString());
          } else {
            JsonpUtils.skipValue(parser, item);
          }
        }
        keep(values, path, items.toString());
      }
      case VALUE_STRING, VALUE_NUMBER -> keep(values, path, parser.getString());
      case VALUE_TRUE -> keep(values, path, "true");
      case VALUE_FALSE -> keep(values, path, "false");
      default -> {
        // A null is a value that is not set.
      }
    }
  }

  private static void keep(Map<String, String> values, String path, String value) {
    if (values.size() < MAX_VALUES && path.length() <= MAX_TEXT) {
      values.put(path, value.length() <= MAX_TEXT ? value : value.substring(0, MAX_TEXT));
    }
  }
}
