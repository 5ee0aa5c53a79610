package dev.holdfast.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.SerializableString;
import com.fasterxml.jackson.core.io.CharacterEscapes;
import com.fasterxml.jackson.core.json.JsonWriteFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.holdfast.lock.internal.Texts;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Option;

/** Where answers go: as text or as JSON; plain in both cases, without colours. */
final class Output {
  @CommandLine.Spec(CommandLine.Spec.Target.MIXEE)
  private CommandLine.Model.@Nullable CommandSpec spec;

  @Option(names = "--json", description = "Print JSON.")
  private boolean json;

  /** Loaded only where JSON is printed. */
  private static final class Json {
    static final ObjectMapper LINES = ascii();
    static final ObjectMapper PAGES = ascii().enable(SerializationFeature.INDENT_OUTPUT);

    /** Nothing that a terminal interprets, and the same in all encodings. */
    private static ObjectMapper ascii() {
      JsonMapper mapper = JsonMapper.builder().enable(JsonWriteFeature.ESCAPE_NON_ASCII).build();
      mapper.getFactory().setCharacterEscapes(new Escapes());
      return mapper;
    }

    static String write(ObjectMapper mapper, Object value) {
      try {
        return mapper.writeValueAsString(value);
      } catch (JsonProcessingException e) {
        throw new IllegalStateException("maps of texts and numbers are always JSON", e);
      }
    }
  }

  /** Escapes DEL, which JSON allows. */
  private static final class Escapes extends CharacterEscapes {
    private static final long serialVersionUID = 1L;
    private static final char DEL = 0x7f;

    @Override
    public int[] getEscapeCodesForAscii() {
      int[] codes = CharacterEscapes.standardAsciiEscapesForJSON();
      codes[DEL] = CharacterEscapes.ESCAPE_STANDARD;
      return codes;
    }

    @Override
    public @Nullable SerializableString getEscapeSequence(int character) {
      return null;
    }
  }

  boolean isJson() {
    return json;
  }

  CommandLine commandLine() {
    if (spec == null) {
      throw new IllegalStateException("not part of a command");
    }
    return spec.commandLine();
  }

  PrintWriter out() {
    return commandLine().getOut();
  }

  /** Whether something could not be written there; also if it goes to standard output. */
  static boolean isBroken(PrintWriter out) {
    // The writer that picocli makes for System.out does not know of that one's errors.
    return out.checkError() || System.out.checkError();
  }

  PrintWriter err() {
    return commandLine().getErr();
  }

  /** Prints an answer as JSON on several lines. */
  void json(Object value) {
    out().println(Json.write(Json.PAGES, value));
    out().flush();
  }

  /** One of many answers as JSON, on one line. */
  static String jsonLine(Object value) {
    return Json.write(Json.LINES, value);
  }

  /** Prints a line, with control characters escaped. */
  void line(String text) {
    out().println(Texts.printable(text));
    out().flush();
  }

  /** Prints a message to standard error. */
  void message(String text) {
    err().println("holdfast: " + Texts.printable(text));
    err().flush();
  }

  /** Prints rows in columns as wide as their widest cell; the first row is the heading. */
  void table(List<List<String>> rows) {
    List<List<String>> shown =
        rows.stream().map(row -> row.stream().map(Texts::printable).toList()).toList();
    List<Integer> widths = new ArrayList<>();
    for (int column = 0; column < shown.get(0).size(); column++) {
      int at = column;
      widths.add(shown.stream().mapToInt(row -> width(row.get(at))).max().orElse(0));
    }
    for (List<String> row : shown) {
      StringBuilder line = new StringBuilder();
      for (int column = 0; column < row.size(); column++) {
        String cell = row.get(column);
        line.append(cell);
        if (column < row.size() - 1) {
          line.append(" ".repeat(widths.get(column) - width(cell) + 2));
        }
      }
      out().println(line);
    }
    out().flush();
  }

  private static int width(String text) {
    return text.codePointCount(0, text.length());
  }
}
