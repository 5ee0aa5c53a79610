package dev.holdfast.history.report;

import com.fasterxml.jackson.databind.JsonNode;
import dev.holdfast.history.Call;
import dev.holdfast.history.Operation;
import dev.holdfast.history.check.Verdict;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Base64;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;

/** Text templating for pages. Stateless. */
final class Html {

  static final DateTimeFormatter WHEN =
      DateTimeFormatter.ofPattern("d MMMM yyyy, HH:mm:ss 'UTC'", Locale.ENGLISH)
          .withZone(ZoneOffset.UTC);

  static final DateTimeFormatter SHORTLY =
      DateTimeFormatter.ofPattern("d MMM yyyy, HH:mm 'UTC'", Locale.ENGLISH)
          .withZone(ZoneOffset.UTC);

  /** The number of digits of a fencing token that are shown; timeline.js has the same. */
  static final int FENCE_DIGITS = 5;

  private Html() {}

  /** Makes any text safe as the content of an element or of a quoted attribute. */
  static String escape(String text) {
    StringBuilder out = new StringBuilder(text.length() + 16);
    visible(text)
        .codePoints()
        .forEach(
            c -> {
              switch (c) {
                case '&' -> out.append("&amp;");
                case '<' -> out.append("&lt;");
                case '>' -> out.append("&gt;");
                case '"' -> out.append("&quot;");
                case '\'' -> out.append("&#39;");
                default -> out.appendCodePoint(c);
              }
            });
    return out.toString();
  }

  /** Puts a sign in place of what is not to be seen, or would change how the rest is seen. */
  static String visible(String text) {
    return text.codePoints()
        .map(c -> isShown(c) ? c : 0xFFFD)
        .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
        .toString();
  }

  private static boolean isShown(int c) {
    boolean control = Character.isISOControl(c) && c != '\n' && c != '\t';
    boolean half = c <= 0xFFFF && Character.isSurrogate((char) c);
    boolean turnsText = (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069);
    return !control && !half && !turnsText;
  }

  /** JSON that is safe within a script element: no text in it can end the element. */
  static String scriptJson(JsonNode node) {
    return node.toString().replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026");
  }

  private static String scriptHash(String script) {
    try {
      byte[] hash =
          MessageDigest.getInstance("SHA-256").digest(script.getBytes(StandardCharsets.UTF_8));
      return "sha256-" + Base64.getEncoder().encodeToString(hash);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java has SHA-256", e);
    }
  }

  /** The address of a file beside or below a page, escaped for an attribute. */
  static String link(String path) {
    return escape("./" + path.replace("%", "%25").replace("#", "%23").replace("?", "%3F"));
  }

  /** The address that makes the page's timeline show a span of time. */
  static String timelineLink(long fromNanos, long toNanos) {
    return "#at="
        + BigDecimal.valueOf(fromNanos, 9).toPlainString()
        + ","
        + BigDecimal.valueOf(toNanos, 9).toPlainString();
  }

  /** A verdict: the word, and a sign that needs no colour. */
  static String badge(Verdict verdict) {
    return badge(verdict.text(), word(verdict));
  }

  /** A word in the colour, and with the sign, of a style. */
  static String badge(String style, String word) {
    return "<span class=\"badge " + style + "\">" + icon(style) + word + "</span>";
  }

  /** Returns what a page says first of all. */
  static String banner(String style, String word, String more) {
    return "<div class=\"verdict "
        + style
        + "\" role=\"status\">"
        + icon(style)
        + "<div><strong>"
        + word
        + "</strong>"
        + more
        + "</div></div>\n";
  }

  /** A cell of a number, which has its name beside it where the table is too wide. */
  static void labelled(StringBuilder out, String label, String text) {
    out.append("<td class=\"number\" data-label=\"").append(label).append("\">");
    out.append(escape(text)).append("</td>");
  }

  static String word(Verdict verdict) {
    return switch (verdict) {
      case VALID -> "Valid";
      case INVALID -> "Invalid";
      case UNKNOWN -> "Unknown";
    };
  }

  private static String icon(String style) {
    String path =
        switch (style) {
          case "valid" -> "M3 8.5 6.5 12 13 4.5";
          case "invalid" -> "M4 4 12 12 M12 4 4 12";
          case "skipped" -> "M4 8 12 8";
          default -> "M5.2 6a2.8 2.6 0 1 1 3.9 2.4C8.2 8.9 8 9.3 8 10.2 M8 13v.2";
        };
    return "<svg class=\"icon\" viewBox=\"0 0 16 16\" aria-hidden=\"true\"><path d=\""
        + path
        + "\"/></svg>";
  }

  /**
   * All of a page before its body. The one script of the page is named, so that no other is run.
   */
  static String head(String title, String script, String style) {
    return fill(
        "head.html",
        Map.of(
            "title", escape(title),
            "scriptHash", scriptHash(script),
            "style", resource("page.css") + style));
  }

  /** A call in a few words, and all of them when pointed at. */
  static String call(Call call) {
    return "<span class=\"call\" title=\""
        + escape(call.describe())
        + "\">"
        + escape(call.f() + " by " + call.client() + ", operation " + shownIndex(call))
        + (call.fence().isPresent() ? ", fence " + shortFence(call.fence().getAsLong()) : "")
        + "</span>";
  }

  /** The number by which pages name a call: of its answer, as verdicts do, if there is one. */
  static long shownIndex(Call call) {
    Operation completion = call.completion();
    return completion == null ? call.invocation().index() : completion.index();
  }

  /** A fencing token that can be told from those around it. */
  static String shortFence(long fence) {
    String digits = Long.toString(fence);
    return digits.length() <= FENCE_DIGITS + 1
        ? digits
        : "…" + digits.substring(digits.length() - FENCE_DIGITS);
  }

  /** Puts a number with its name into a list of them. */
  static void number(StringBuilder out, String name, String value) {
    out.append("<div><dt>").append(name).append("</dt><dd>").append(value).append("</dd></div>\n");
  }

  /**
   * The head of a table and the beginning of its body; names that begin with {@code >} are of
   * numbers.
   */
  static void tableHead(StringBuilder out, String... names) {
    out.append("<thead><tr>");
    for (String name : names) {
      boolean number = name.startsWith(">");
      out.append(number ? "<th scope=\"col\" class=\"number\">" : "<th scope=\"col\">");
      out.append(number ? name.substring(1) : name).append("</th>");
    }
    out.append("</tr></thead><tbody>\n");
  }

  static void cell(StringBuilder out, String style, String text) {
    out.append(style.isEmpty() ? "<td>" : "<td class=\"" + style + "\">");
    out.append(escape(text)).append("</td>");
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

  static String resource(String name) {
    try (InputStream in = Html.class.getResourceAsStream(name)) {
      return new String(Objects.requireNonNull(in, name).readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
