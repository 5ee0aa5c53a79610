package dev.holdfast.history;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.Comparator;
import java.util.Date;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import us.bpsm.edn.Keyword;
import us.bpsm.edn.Named;
import us.bpsm.edn.TaggedValue;

/**
 * Writes values as EDN on one line, and makes values plain. Reading is {@link HistoryReader}'s,
 * through edn-java. Stateless.
 *
 * @see <a href="https://github.com/edn-format/edn">The extensible data notation</a>
 */
public final class Edn {

  private static final int MAX_DEPTH = 100;
  private static final Comparator<Map.Entry<String, Object>> BY_KEY =
      Comparator.<Map.Entry<String, Object>>comparingInt(entry -> rank(entry.getKey()))
          .thenComparing(Map.Entry::getKey);

  private Edn() {}

  /**
   * Appends a value. Strings that are keys of a map are written as keywords where they can be;
   * everything that could break a line or an encoding is escaped.
   *
   * @param out where to append
   * @param value a string, keyword, boolean, number, list or map of such, or null
   * @throws IllegalArgumentException if a part is of another type
   */
  public static void write(StringBuilder out, @Nullable Object value) {
    if (value == null) {
      out.append("nil");
    } else if (value instanceof String text) {
      writeString(out, text);
    } else if (value instanceof BigInteger number) {
      out.append(number).append('N');
    } else if (value instanceof Boolean || value instanceof Number || value instanceof Keyword) {
      out.append(value);
    } else if (value instanceof List<?> list) {
      String separator = "[";
      for (Object each : list) {
        write(out.append(separator), each);
        separator = " ";
      }
      out.append(list.isEmpty() ? "[]" : "]");
    } else if (value instanceof Map<?, ?> map) {
      String separator = "{";
      for (Map.Entry<?, ?> entry : map.entrySet()) {
        out.append(separator);
        if (entry.getKey() instanceof String key && Operation.isName(key)) {
          out.append(':').append(key);
        } else {
          write(out, entry.getKey());
        }
        write(out.append(' '), entry.getValue());
        separator = ", ";
      }
      out.append(map.isEmpty() ? "{}" : "}");
    } else {
      throw new IllegalArgumentException("no EDN for a " + value.getClass().getName());
    }
  }

  private static String text(@Nullable Object value) {
    StringBuilder out = new StringBuilder();
    write(out, value);
    return out.toString();
  }

  private static void writeString(StringBuilder out, String text) {
    out.append('"');
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      switch (c) {
        case '"' -> out.append("\\\"");
        case '\\' -> out.append("\\\\");
        case '\n' -> out.append("\\n");
        case '\r' -> out.append("\\r");
        case '\t' -> out.append("\\t");
        default -> {
          boolean pair = i + 1 < text.length() && Character.isSurrogatePair(c, text.charAt(i + 1));
          if (pair) {
            out.append(c).append(text.charAt(++i));
          } else if (Character.isISOControl(c) || Character.isSurrogate(c)) {
            out.append(String.format("\\u%04x", (int) c));
          } else {
            out.append(c);
          }
        }
      }
    }
    out.append('"');
  }

  /** Copies a value deeply into plain, immutable types, its keys in a fixed order. */
  static PlainMap normalise(Map<String, ?> value) {
    return value instanceof PlainMap plain ? plain : normaliseMap(value, 0);
  }

  private static PlainMap normaliseMap(Map<?, ?> map, int depth) {
    List<Map.Entry<String, Object>> entries = new ArrayList<>(map.size());
    map.forEach(
        (key, each) -> {
          Object copy = normalise(each, depth + 1);
          if (copy != null) {
            entries.add(Map.entry(keyText(key), copy));
          }
        });
    entries.sort(BY_KEY);
    for (int i = 1; i < entries.size(); i++) {
      String key = entries.get(i).getKey();
      if (key.equals(entries.get(i - 1).getKey())) {
        throw new IllegalArgumentException("the key " + key + " occurs twice");
      }
    }
    return new PlainMap(entries);
  }

  private static int rank(String key) {
    int known = Vocabulary.KEYS.indexOf(key);
    return known < 0 ? Vocabulary.KEYS.size() : known;
  }

  static @Nullable Object normalise(@Nullable Object value, int depth) {
    if (depth > MAX_DEPTH) {
      throw new IllegalArgumentException("a value is nested deeper than " + MAX_DEPTH + " levels");
    }
    if (value instanceof Integer || value instanceof Short || value instanceof Byte) {
      return ((Number) value).longValue();
    } else if (value == null
        || value instanceof String
        || value instanceof Boolean
        || value instanceof Long) {
      return value;
    } else if (value instanceof BigInteger number) {
      return number.bitLength() < Long.SIZE ? (Object) number.longValue() : number;
    } else if (value instanceof Double || value instanceof Float || value instanceof BigDecimal) {
      double number = ((Number) value).doubleValue();
      if (!Double.isFinite(number)) {
        throw new IllegalArgumentException("a number must be finite, but is " + value);
      }
      return number;
    } else if (value instanceof Named || value instanceof Character) {
      return keyText(value);
    } else if (value instanceof UUID) {
      return value.toString();
    } else if (value instanceof Date date) {
      return date.toInstant().toString();
    } else if (value instanceof TaggedValue tagged) {
      return normalise(tagged.getValue(), depth + 1);
    } else if (value instanceof Collection<?> collection) {
      List<@Nullable Object> list = new ArrayList<>(collection.size());
      for (Object each : collection) {
        list.add(normalise(each, depth + 1));
      }
      if (collection instanceof Set<?>) { // equal ones may come in different orders
        list.sort(Comparator.comparing(Edn::text));
      }
      return Collections.unmodifiableList(list);
    } else if (value instanceof Map<?, ?> map) {
      return normaliseMap(map, depth + 1);
    }
    throw new IllegalArgumentException(
        "a " + value.getClass().getName() + " cannot be recorded; make it a string or a number");
  }

  /** The text of a key or name: {@code :a/b} is {@code a/b}. */
  static String keyText(@Nullable Object key) {
    if (key instanceof Named named) {
      return named.getPrefix().isEmpty()
          ? named.getName()
          : named.getPrefix() + "/" + named.getName();
    }
    return String.valueOf(key);
  }
}
