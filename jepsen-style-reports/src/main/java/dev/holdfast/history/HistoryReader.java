package dev.holdfast.history;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.Reader;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import us.bpsm.edn.EdnSyntaxException;
import us.bpsm.edn.Keyword;
import us.bpsm.edn.TaggedValue;
import us.bpsm.edn.parser.Parseable;
import us.bpsm.edn.parser.Parser;
import us.bpsm.edn.parser.Parsers;

/**
 * Reads histories in Jepsen's format: one map a line, or a single vector of maps, as UTF-8.
 *
 * <p>A last line that was not written to its end counts for nothing, which leaves the operation
 * that it would have completed open. {@code :index} and {@code :time} may be absent, {@code :time}
 * from all operations of a file or from none; the order of the lines then counts. A {@code :value}
 * that is not a map is read as a map with the single key {@code value}. Unknown keys are ignored.
 */
public final class HistoryReader {

  /** The largest number of operations that one history may hold. */
  public static final int MAX_OPERATIONS = 10_000_000;

  private static final int MAX_LINE_BYTES = 1 << 20;

  private final Path file;
  private final Parser parser =
      Parsers.newParser(
          Parsers.newParserConfigBuilder().acceptUnicodeEscapesInStringLiterals(true).build());
  private final List<Operation> operations = new ArrayList<>();
  private long line;
  private boolean timed;

  private HistoryReader(Path file) {
    this.file = file;
  }

  /**
   * Reads one file as it stands: times and, where they are given, indices are the file's own.
   *
   * @param file the file
   * @return its operations in the order of its lines
   * @throws IOException if the file cannot be read
   * @throws HistoryFormatException if it cannot be understood
   */
  public static List<Operation> read(Path file) throws IOException {
    HistoryReader reader = new HistoryReader(file);
    if (reader.readLines()) {
      reader.readVector();
    }
    return List.copyOf(reader.operations);
  }

  /**
   * Reads files that were written at the same time on the same clock, and merges them.
   *
   * @param files at least one file
   * @return the whole history, see {@link Histories#merge}
   * @throws IOException if a file cannot be read
   * @throws HistoryFormatException if a file cannot be understood, or they do not fit together
   */
  public static History readAll(List<Path> files) throws IOException {
    List<List<Operation>> parts = new ArrayList<>();
    for (Path file : files) {
      parts.add(read(file));
    }
    return Histories.merge(parts);
  }

  /** Reads line by line; returns true, having read nothing, if the file holds a vector. */
  private boolean readLines() throws IOException {
    try (InputStream in = new BufferedInputStream(Files.newInputStream(file), 1 << 16)) {
      ByteArrayOutputStream bytes = new ByteArrayOutputStream(512);
      while (true) {
        int next = in.read();
        if (next != '\n' && next != -1) {
          if (bytes.size() == MAX_LINE_BYTES) {
            line++;
            throw problem("longer than " + MAX_LINE_BYTES + " bytes");
          }
          bytes.write(next);
          continue;
        }
        line++;
        boolean torn = next == -1;
        String text = decode(bytes.toByteArray(), torn);
        bytes.reset();
        if (text.startsWith("[") && operations.isEmpty()) {
          return true;
        }
        if (!text.isEmpty() && !text.startsWith(";")) {
          readLine(text, torn);
        }
        if (torn) {
          return false;
        }
      }
    }
  }

  private String decode(byte[] bytes, boolean torn) {
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString().strip();
    } catch (CharacterCodingException e) {
      if (torn) {
        return "";
      }
      throw problem("not UTF-8");
    }
  }

  private void readLine(String text, boolean torn) {
    Parseable input = Parsers.newParseable(text);
    Object form;
    try {
      form = parse(input);
    } catch (HistoryFormatException e) {
      if (torn) {
        return;
      }
      throw e;
    }
    if (parse(input) != Parser.END_OF_INPUT) {
      throw problem("more than one form on the line");
    }
    add(form);
  }

  private void readVector() throws IOException {
    line = 1;
    try (Reader reader = Files.newBufferedReader(file);
        LineCounter input = new LineCounter(reader)) {
      input.skipToForm(); // the opening bracket
      while (true) {
        int next = input.skipToForm();
        if (next == ']') {
          break;
        }
        input.unread(next);
        Object form = parse(input);
        if (form == Parser.END_OF_INPUT) {
          throw problem("the vector is not closed");
        }
        add(form);
      }
      if (parse(input) != Parser.END_OF_INPUT) {
        throw problem("something follows the vector");
      }
    } catch (CharacterCodingException e) {
      throw problem("not UTF-8");
    }
  }

  private @Nullable Object parse(Parseable input) {
    try {
      return parser.nextValue(input);
    } catch (EdnSyntaxException e) {
      throw problem("not EDN: " + e.getMessage());
    } catch (IllegalArgumentException | UnsupportedOperationException e) {
      throw problem("not understood: " + e.getMessage());
    } catch (StackOverflowError e) {
      throw problem("nested too deeply");
    }
  }

  private void add(@Nullable Object form) {
    if (operations.size() == MAX_OPERATIONS) {
      throw problem("more than " + MAX_OPERATIONS + " operations");
    }
    Object untagged = form instanceof TaggedValue tagged ? tagged.getValue() : form;
    if (!(untagged instanceof Map<?, ?> map)) {
      throw problem("an operation must be a map, but is " + untagged);
    }
    Long time = wholeNumber(map, "time");
    if (operations.isEmpty()) {
      timed = time != null;
    } else if (timed != (time != null)) {
      throw problem(timed ? "no :time, though others have one" : ":time, though others have none");
    }
    Long index = wholeNumber(map, "index");
    Object error = get(map, "error");
    try {
      operations.add(
          new Operation(
              index != null ? index : operations.size(),
              time != null ? time : operations.size(),
              type(map),
              process(map),
              Edn.keyText(required(map, "f")),
              value(get(map, "value")),
              error == null ? null : errorText(error)));
    } catch (IllegalArgumentException e) {
      throw problem(e.getMessage() + "");
    }
  }

  private Operation.Type type(Map<?, ?> map) {
    String text = Edn.keyText(required(map, "type"));
    for (Operation.Type type : Operation.Type.values()) {
      if (type.text().equals(text.toLowerCase(Locale.ROOT))) {
        return type;
      }
    }
    throw problem(":type must be :invoke, :ok, :fail or :info, but is " + text);
  }

  private long process(Map<?, ?> map) {
    Object process = required(map, "process");
    if (process instanceof Long number && number >= 0) {
      return number;
    }
    if (Edn.keyText(process).equals("nemesis")) {
      return Operation.NEMESIS;
    }
    throw problem(":process must be a whole number or :nemesis, but is " + process);
  }

  @SuppressWarnings("unchecked") // normalising checks the keys
  private static Map<String, Object> value(@Nullable Object value) {
    Object plain = Edn.normalise(value, 0);
    return plain == null
        ? Map.of()
        : plain instanceof Map<?, ?> map ? (Map<String, Object>) map : Map.of("value", plain);
  }

  private static String errorText(Object error) {
    Object plain = Edn.normalise(error, 0);
    if (plain instanceof String text) {
      return text;
    }
    StringBuilder out = new StringBuilder();
    Edn.write(out, plain);
    return out.toString();
  }

  private @Nullable Long wholeNumber(Map<?, ?> map, String key) {
    Object value = get(map, key);
    if (value == null || value instanceof Long) {
      return (Long) value;
    }
    throw problem(":" + key + " must be a whole number, but is " + value);
  }

  private Object required(Map<?, ?> map, String key) {
    Object value = get(map, key);
    if (value == null) {
      throw problem("no :" + key);
    }
    return value;
  }

  private static @Nullable Object get(Map<?, ?> map, String key) {
    return map.get(Keyword.newKeyword(key));
  }

  private HistoryFormatException problem(String what) {
    return new HistoryFormatException(file, line, what);
  }

  /** Hands characters to edn-java and keeps the number of the current line. */
  private final class LineCounter implements Parseable {

    private final Reader reader;
    private int unread = NONE;
    private static final int NONE = -2;

    LineCounter(Reader reader) {
      this.reader = reader;
    }

    @Override
    public int read() throws IOException {
      int next = unread == NONE ? reader.read() : unread;
      unread = NONE;
      if (next == '\n') {
        line++;
      }
      return next;
    }

    @Override
    public void unread(int ch) {
      unread = ch;
      if (ch == '\n') {
        line--;
      }
    }

    /** Returns the first character that is not white space, a comma or part of a comment. */
    int skipToForm() throws IOException {
      int next = read();
      while (next != END_OF_INPUT && (Character.isWhitespace(next) || next == ',' || next == ';')) {
        for (boolean comment = next == ';';
            comment;
            comment = next != '\n' && next != END_OF_INPUT) {
          next = read();
        }
        next = read();
      }
      return next;
    }

    @Override
    public void close() throws IOException {
      reader.close();
    }
  }
}
