package dev.holdfast.lock.internal;

import org.jspecify.annotations.Nullable;

/**
 * Untrusted text in log lines and messages: lock ids, owners, and what servers say. Such a text
 * must not begin a line of its own, move a terminal's cursor, or change the order in which its
 * surroundings are displayed.
 */
public final class Texts {
  /** How many characters {@link #shortened} leaves of a text. */
  public static final int MAX_SHORTENED = 1_000;

  private Texts() {}

  /**
   * The text with everything escaped that is not displayed as itself: control characters (line
   * breaks and ESC among them), line and paragraph separators, format characters (which override
   * the direction of text, or cannot be seen), and unpaired surrogates. Other text is returned
   * unchanged; the result is unchanged by another call.
   *
   * @param text any object's text, {@code "null"} for null
   */
  public static String printable(@Nullable Object text) {
    String all = String.valueOf(text);
    int first = firstHidden(all);
    if (first < 0) {
      return all;
    }
    StringBuilder escaped = new StringBuilder(all.length() + 16).append(all, 0, first);
    all.substring(first).codePoints().forEach(c -> append(escaped, c));
    return escaped.toString();
  }

  /** Returns the printable form of what a server says, cut so that it cannot fill a log. */
  public static String shortened(@Nullable String text) {
    return text == null || text.length() <= MAX_SHORTENED
        ? printable(text)
        : printable(text.substring(0, MAX_SHORTENED)) + "... (" + text.length() + " characters)";
  }

  /** Returns an owner as it is shown; one that a record does not name is said to be unknown. */
  public static String owner(String owner) {
    return owner.isEmpty() ? "an unknown owner" : owner;
  }

  /** Whether the text is its own printable form. */
  public static boolean isPrintable(String text) {
    return firstHidden(text) < 0;
  }

  private static int firstHidden(String text) {
    for (int i = 0; i < text.length(); i += Character.charCount(text.codePointAt(i))) {
      if (isHidden(text.codePointAt(i))) {
        return i;
      }
    }
    return -1;
  }

  private static boolean isHidden(int codePoint) {
    return switch (Character.getType(codePoint)) {
      case Character.CONTROL,
          Character.FORMAT,
          Character.LINE_SEPARATOR,
          Character.PARAGRAPH_SEPARATOR,
          Character.SURROGATE ->
          true;
      default -> false;
    };
  }

  private static void append(StringBuilder escaped, int codePoint) {
    if (!isHidden(codePoint)) {
      escaped.appendCodePoint(codePoint);
      return;
    }
    switch (codePoint) {
      case '\n' -> escaped.append("\\n");
      case '\r' -> escaped.append("\\r");
      case '\t' -> escaped.append("\\t");
      default -> {
        for (char unit : Character.toChars(codePoint)) {
          escaped.append(String.format("\\u%04x", (int) unit));
        }
      }
    }
  }
}
