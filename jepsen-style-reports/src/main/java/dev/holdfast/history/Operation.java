package dev.holdfast.history;

import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalLong;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * One line of a history: a client asked for something, or was told the result. Immutable.
 *
 * <p>A value may hold strings, booleans, whole numbers, finite floating-point numbers, lists and
 * maps with string keys; an entry whose value is {@code null} counts as absent. Its keys are kept
 * in a fixed order, so that equal operations are written alike.
 *
 * @param index the place in the history, from 0; {@link #NO_INDEX} while recording
 * @param time nanoseconds from the start of the history; while recording, on the recorder's
 *     monotonic clock
 * @param type whether this asks or answers, and how
 * @param process the logical thread that did it, at most one operation at a time, or {@link
 *     #NEMESIS}
 * @param f what was done, see {@link Vocabulary}
 * @param value with what arguments or result, see {@link Vocabulary}
 * @param error why it failed or is unknown, in words; {@code null} where there is nothing to say
 */
public record Operation(
    long index,
    long time,
    Type type,
    long process,
    String f,
    Map<String, Object> value,
    @Nullable String error) {

  /** Says what an operation tells. */
  public enum Type {
    /** Somebody begins to ask. */
    INVOKE,
    /** It happened. */
    OK,
    /** It certainly did not happen, and never will. */
    FAIL,
    /**
     * It may have happened, may happen later, or never; or this is a notice that answers nothing.
     */
    INFO;

    /**
     * Returns the name as written in a history, such as {@code ok}.
     *
     * @return the name in lower case
     */
    public String text() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /** The index of an operation that has none yet. */
  public static final long NO_INDEX = -1;

  /** The process of the operations that break things, written {@code :nemesis}. */
  public static final long NEMESIS = -1;

  /** The lock of an operation that names none. */
  public static final String UNNAMED_LOCK = "lock";

  private static final Pattern NAME =
      Pattern.compile("[A-Za-z*!_?$%&=<>][A-Za-z0-9.*+!_?$%&=<>-]*");

  /** Validates, and copies the value deeply. */
  public Operation {
    require(index >= NO_INDEX, "index must not be negative, but is " + index);
    require(process >= NEMESIS, "process must not be negative, but is " + process);
    require(isName(f), "f must be a plain name, but is \"" + f + "\"");
    value = Edn.normalise(value);
    for (String key : new String[] {Vocabulary.FENCE, Vocabulary.TTL, Vocabulary.UNTIL}) {
      Object number = value.get(key);
      require(
          number == null || number instanceof Long,
          key + " must be a whole number of at most 64 bits, but is " + number);
    }
    require(
        !(value.get(Vocabulary.TTL) instanceof Long ttl && ttl < 0), "ttl must not be negative");
  }

  /**
   * Makes an operation without an error text.
   *
   * @param index see the record
   * @param time see the record
   * @param type see the record
   * @param process see the record
   * @param f see the record
   * @param value see the record
   */
  public Operation(
      long index, long time, Type type, long process, String f, Map<String, Object> value) {
    this(index, time, type, process, f, value, null);
  }

  /**
   * Returns this operation at another place.
   *
   * @param newIndex the index to have
   * @return the copy
   */
  public Operation withIndex(long newIndex) {
    return new Operation(newIndex, time, type, process, f, value, error);
  }

  /**
   * Returns this operation with one more entry in its value, or another.
   *
   * @param key the entry's key
   * @param content its new value
   * @return the copy
   */
  public Operation with(String key, Object content) {
    Map<String, Object> changed = new LinkedHashMap<>(value);
    changed.put(key, content);
    return with(changed);
  }

  /**
   * Returns this operation with the name of its object under another key of its value.
   *
   * @param key the key; if it is {@link Vocabulary#LOCK}, nothing changes
   * @return the copy; this, if the value has no such key
   */
  public Operation named(String key) {
    Object name = value.get(key);
    if (name == null || key.equals(Vocabulary.LOCK)) {
      return this;
    }
    Map<String, Object> changed = new LinkedHashMap<>(value);
    changed.remove(key); // it is the name now, and no part of what the object holds
    changed.put(Vocabulary.LOCK, name.toString());
    return with(changed);
  }

  /** This operation at another time. */
  Operation withTime(long newTime) {
    return new Operation(index, newTime, type, process, f, value, error);
  }

  /**
   * Returns this operation with another value.
   *
   * @param newValue the value to have
   * @return the copy
   */
  public Operation with(Map<String, Object> newValue) {
    return new Operation(index, time, type, process, f, newValue, error);
  }

  /**
   * Tells whether the nemesis did this.
   *
   * @return whether the process is the nemesis
   */
  public boolean isNemesis() {
    return process == NEMESIS;
  }

  /**
   * Returns the lock that this is about.
   *
   * @return the value's {@code lock}, or {@link #UNNAMED_LOCK}
   */
  public String lock() {
    Object lock = value.get(Vocabulary.LOCK);
    return lock == null ? UNNAMED_LOCK : lock.toString();
  }

  /**
   * Returns who did this.
   *
   * @return the value's {@code client}, else the process in words
   */
  public String client() {
    Object client = value.get(Vocabulary.CLIENT);
    return client != null ? client.toString() : isNemesis() ? "nemesis" : "process " + process;
  }

  /**
   * Returns a whole number from the value.
   *
   * @param key the key
   * @return the number, or empty where it is absent or something else
   */
  public OptionalLong number(String key) {
    return value.get(key) instanceof Long number ? OptionalLong.of(number) : OptionalLong.empty();
  }

  /**
   * Writes this operation as EDN, without a line break.
   *
   * @return for example {@code {:index 0, :time 1234, :type :invoke, :process 3, :f :acquire,
   *     :value {:lock "a"}}}
   */
  public String toEdn() {
    StringBuilder out = new StringBuilder(160).append('{');
    if (index != NO_INDEX) {
      out.append(":index ").append(index).append(", ");
    }
    out.append(":time ").append(time).append(", :type :").append(type.text()).append(", :process ");
    if (isNemesis()) {
      out.append(":nemesis");
    } else {
      out.append(process);
    }
    out.append(", :f :").append(f).append(", :value ");
    Object plain = value.size() == 1 ? value.get("value") : null;
    boolean isPlain = plain != null && !(plain instanceof Map<?, ?> map && !map.isEmpty());
    if (value.isEmpty()) {
      out.append("nil");
    } else {
      Edn.write(out, isPlain ? plain : value);
    }
    if (error != null) {
      out.append(", :error ");
      Edn.write(out, error);
    }
    return out.append('}').toString();
  }

  /** Tells whether a text can be written as a keyword, such as {@code :name}. */
  static boolean isName(String text) {
    return Vocabulary.OPERATIONS.contains(text) || NAME.matcher(text).matches();
  }

  private static void require(boolean condition, String otherwise) {
    if (!condition) {
      throw new IllegalArgumentException(otherwise);
    }
  }
}
