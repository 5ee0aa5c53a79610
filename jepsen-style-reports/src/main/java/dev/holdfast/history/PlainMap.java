package dev.holdfast.history;

import java.util.AbstractMap;
import java.util.AbstractSet;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A small immutable map in one array, its keys in a given order: a history holds a map for each of
 * its millions of operations, and hash tables for a handful of keys would be most of its memory.
 */
final class PlainMap extends AbstractMap<String, Object> {

  private final Object[] keysAndValues;

  /** Copies entries whose keys differ. */
  PlainMap(List<? extends Map.Entry<String, Object>> entries) {
    keysAndValues = new Object[2 * entries.size()];
    int place = 0;
    for (Map.Entry<String, Object> entry : entries) {
      keysAndValues[place++] = entry.getKey();
      keysAndValues[place++] = entry.getValue();
    }
  }

  @Override
  public int size() {
    return keysAndValues.length / 2;
  }

  @Override
  public @Nullable Object get(@Nullable Object key) {
    for (int i = 0; i < keysAndValues.length; i += 2) {
      if (keysAndValues[i].equals(key)) {
        return keysAndValues[i + 1];
      }
    }
    return null;
  }

  @Override
  public boolean containsKey(@Nullable Object key) {
    return get(key) != null;
  }

  @Override
  public Set<Map.Entry<String, Object>> entrySet() {
    return new AbstractSet<>() {
      @Override
      public int size() {
        return PlainMap.this.size();
      }

      @Override
      public Iterator<Map.Entry<String, Object>> iterator() {
        return new Iterator<>() {
          private int place;

          @Override
          public boolean hasNext() {
            return place < keysAndValues.length;
          }

          @Override
          public Map.Entry<String, Object> next() {
            if (!hasNext()) {
              throw new NoSuchElementException();
            }
            place += 2;
            return Map.entry((String) keysAndValues[place - 2], keysAndValues[place - 1]);
          }
        };
      }
    };
  }
}
