package dev.holdfast.history.report;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Objects;

/** Text templating for pages. Stateless. */
final class Html {

  private Html() {}

  /** Makes any text safe as the content of an element or of a quoted attribute. */
  static String escape(String text) {
    StringBuilder out = new StringBuilder(text.length() + 16);
    text.codePoints()
        .forEach(
            c -> {
              switch (c) {
                case '&' -> out.append("&amp;");
                case '<' -> out.append("&lt;");
                case '>' -> out.append("&gt;");
                case '"' -> out.append("&quot;");
                case '\'' -> out.append("&#39;");
                default -> {
                  boolean shown = c == '\n' || c == '\t' || !Character.isISOControl(c);
                  boolean whole = c > 0xFFFF || !Character.isSurrogate((char) c);
                  out.appendCodePoint(shown && whole ? c : 0xFFFD);
                }
              }
            });
    return out.toString();
  }

  /**
   * Fills the {@code {{names}}} of a template beside this class. What is put in is not looked at
   * again.
   */
  static String fill(String template, Map<String, String> values) {
    String text = resource(template);
    StringBuilder out = new StringBuilder(text.length() * 2);
    int done = 0;
    for (int open = text.indexOf("{{"); open >= 0; open = text.indexOf("{{", done)) {
      int close = text.indexOf("}}", open);
      String name = text.substring(open + 2, close);
      out.append(text, done, open).append(Objects.requireNonNull(values.get(name), name));
      done = close + 2;
    }
    return out.append(text, done, text.length()).toString();
  }

  private static String resource(String name) {
    try (InputStream in = Html.class.getResourceAsStream(name)) {
      return new String(Objects.requireNonNull(in, name).readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
