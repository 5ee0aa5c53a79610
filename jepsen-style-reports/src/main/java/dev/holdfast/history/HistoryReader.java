package dev.holdfast.history;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.Reader;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.LongConsumer;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import us.bpsm.edn.EdnSyntaxException;
import us.bpsm.edn.Keyword;
import us.bpsm.edn.TaggedValue;
import us.bpsm.edn.parser.Parseable;
import us.bpsm.edn.parser.Parser;
import us.bpsm.edn.parser.Parsers;

/**
 * Reads histories in Jepsen's format: one map a line, or a single vector of maps, as UTF-8. They
 * may be EDN, or JSON of the same keys: {@code {"type": "invoke", "process": 3, "f": "acquire",
 * "value": {"lock": "a"}}}; which of the two is seen by the first key. A file is read as a stream:
 * only its operations are kept in memory.
 *
 * <p>A last line that was not written to its end leaves the operation that it would have completed
 * open, as an {@code :info} does. {@code :index} and {@code :time} may be absent, {@code :time}
 * from all operations of a file or from none; the order of the lines then counts. A {@code :value}
 * that is not a map is read as a map with the single key {@code value}. Unknown keys are ignored.
 */
public final class HistoryReader {

  /** The largest number of operations that one history may hold. */
  public static final int MAX_OPERATIONS = 10_000_000;

  private static final int MAX_LINE_BYTES = 1 << 20;

  /** How many different texts are kept to be used again for equal ones. */
  private static final int MAX_TEXTS = 100_000;

  private static final int TELL_EVERY = 10_000;

  private static final Keyword INDEX = Keyword.newKeyword("index");
  private static final Keyword TIME = Keyword.newKeyword("time");
  private static final Keyword TYPE = Keyword.newKeyword("type");
  private static final Keyword PROCESS = Keyword.newKeyword("process");
  private static final Keyword F = Keyword.newKeyword("f");
  private static final Keyword VALUE = Keyword.newKeyword("value");
  private static final Keyword ERROR = Keyword.newKeyword("error");

  private static final ObjectMapper JSON =
      JsonMapper.builder()
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .enable(DeserializationFeature.USE_LONG_FOR_INTS)
          .build();

  private final Path file;
  private final LongConsumer progress;
  private final Parser parser =
      Parsers.newParser(
          Parsers.newParserConfigBuilder().acceptUnicodeEscapesInStringLiterals(true).build());
  private final List<Operation> operations = new ArrayList<>();
  private final Map<String, String> texts = new HashMap<>();
  private int[] lines = new int[1_024];
  private int line;
  private boolean timed;
  private boolean json;

  private HistoryReader(Path file, LongConsumer progress) {
    this.file = file;
    this.progress = progress;
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
    HistoryReader reader = new HistoryReader(file, count -> {});
    reader.read();
    return List.copyOf(reader.operations);
  }

  /**
   * Reads one file, and pairs its operations.
   *
   * @param file the file
   * @param change is applied to each operation, such as to name its lock
   * @param progress is told, now and then, how many operations have been read
   * @return the history
   * @throws IOException if the file cannot be read
   * @throws HistoryFormatException if it cannot be understood; it names the file and the line
   */
  public static History readHistory(
      Path file, UnaryOperator<Operation> change, LongConsumer progress) throws IOException {
    HistoryReader reader = new HistoryReader(file, progress);
    reader.read();
    reader.operations.replaceAll(change);
    try {
      return History.of(reader.operations);
    } catch (HistoryFormatException e) {
      throw e.in(file, reader.lines);
    }
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
    try {
      return Histories.merge(parts);
    } catch (HistoryFormatException e) {
      for (Path file : files) {
        // Names the file and the line, if it is one of them that makes no sense.
        History unused = readHistory(file, UnaryOperator.identity(), count -> {});
      }
      throw e;
    }
  }

  private void read() throws IOException {
    json = isJson();
    if (readLines()) {
      if (json) {
        readArray();
      } else {
        readVector();
      }
    }
  }

  /** Tells whether the first key of the first map is in quotes. */
  private boolean isJson() throws IOException {
    try (InputStream in = new BufferedInputStream(Files.newInputStream(file))) {
      boolean inMap = false;
      boolean inVector = false;
      while (true) {
        int next = in.read();
        if (Character.isWhitespace(next)) {
          continue;
        } else if (inMap) {
          return next == '"';
        }
        inMap = next == '{';
        if (!inMap && (inVector || next != '[')) {
          return false;
        }
        inVector = true;
      }
    }
  }

  /** Reads line by line; returns true, having read nothing, if the file holds a vector. */
  private boolean readLines() throws IOException {
    try (InputStream in = Files.newInputStream(file)) {
      byte[] block = new byte[1 << 16];
      ByteArrayOutputStream begun = new ByteArrayOutputStream(512);
      while (true) {
        int length = in.read(block);
        int from = 0;
        for (int i = 0; i < length; i++) {
          if (block[i] == '\n') {
            begin(begun, block, from, i);
            from = i + 1;
            if (isVector(begun, false)) {
              return true;
            }
          }
        }
        if (length < 0) {
          return isVector(begun, true);
        }
        begin(begun, block, from, length);
      }
    }
  }

  private void begin(ByteArrayOutputStream begun, byte[] block, int from, int to) {
    if (begun.size() + to - from > MAX_LINE_BYTES) {
      line++;
      throw problem("longer than " + MAX_LINE_BYTES + " bytes");
    }
    begun.write(block, from, to - from);
  }

  /** Reads a line, unless it begins a vector. */
  private boolean isVector(ByteArrayOutputStream bytes, boolean torn) {
    line++;
    String text = decode(bytes.toByteArray(), torn);
    bytes.reset();
    if (text.startsWith("[") && operations.isEmpty()) {
      return true;
    }
    if (!text.isEmpty() && !text.startsWith(";")) {
      readLine(text, torn);
    }
    return false;
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
    Object form;
    try {
      form = json ? parseJson(text) : parseEdn(text);
    } catch (HistoryFormatException e) {
      if (torn) {
        return;
      }
      throw e;
    }
    add(form);
  }

  private @Nullable Object parseEdn(String text) {
    Parseable input = Parsers.newParseable(text);
    Object form = parse(input);
    if (parse(input) != Parser.END_OF_INPUT) {
      throw problem("more than one form on the line");
    }
    return form;
  }

  private @Nullable Object parseJson(String text) {
    try (JsonParser input = JSON.createParser(text)) {
      Object form = input.readValueAs(Object.class);
      if (input.nextToken() != null) {
        throw problem("more than one form on the line");
      }
      return form;
    } catch (JsonProcessingException e) {
      throw problem("not JSON: " + e.getOriginalMessage());
    } catch (IOException e) {
      throw new UncheckedIOException(e); // there is no file behind it
    }
  }

  private void readArray() throws IOException {
    line = 1;
    try (Reader reader = Files.newBufferedReader(file);
        JsonParser input = JSON.createParser(reader)) {
      JsonToken next = input.nextToken(); // the opening bracket
      while (true) {
        next = input.nextToken();
        line = input.currentTokenLocation().getLineNr();
        if (next == JsonToken.END_ARRAY) {
          break;
        } else if (next == null) {
          throw problem("the array is not closed");
        }
        add(input.readValueAs(Object.class));
      }
      if (input.nextToken() != null) {
        line = input.currentTokenLocation().getLineNr();
        throw problem("something follows the array");
      }
    } catch (JsonProcessingException e) {
      line = e.getLocation() == null ? line : e.getLocation().getLineNr();
      throw problem("not JSON: " + e.getOriginalMessage());
    } catch (CharacterCodingException e) {
      throw problem("not UTF-8");
    }
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
    Long time = wholeNumber(map, TIME);
    if (operations.isEmpty()) {
      timed = time != null;
    } else if (timed != (time != null)) {
      throw problem(timed ? "no :time, though others have one" : ":time, though others have none");
    }
    Long index = wholeNumber(map, INDEX);
    Object error = get(map, ERROR);
    try {
      operations.add(
          new Operation(
              index != null ? index : operations.size(),
              time != null ? time : operations.size(),
              type(map),
              process(map),
              Edn.keyText(required(map, F)),
              value(get(map, VALUE)),
              error == null ? null : errorText(error)));
    } catch (IllegalArgumentException e) {
      throw problem(e.getMessage() + "");
    }
    int place = operations.size() - 1;
    if (place == lines.length) {
      lines = Arrays.copyOf(lines, 2 * place);
    }
    lines[place] = line;
    if (place % TELL_EVERY == TELL_EVERY - 1) {
      progress.accept(operations.size());
    }
  }

  private Operation.Type type(Map<?, ?> map) {
    String text = Edn.keyText(required(map, TYPE));
    for (Operation.Type type : Operation.Type.values()) {
      if (type.text().equals(text.toLowerCase(Locale.ROOT))) {
        return type;
      }
    }
    throw problem(":type must be :invoke, :ok, :fail or :info, but is " + text);
  }

  private long process(Map<?, ?> map) {
    Object process = required(map, PROCESS);
    if (process instanceof Long number && number >= 0) {
      return number;
    }
    if (Edn.keyText(process).equals("nemesis")) {
      return Operation.NEMESIS;
    }
    throw problem(":process must be a whole number or :nemesis, but is " + process);
  }

  private Map<String, Object> value(@Nullable Object value) {
    Object plain = Edn.normalise(value instanceof Map<?, ?> map ? shared(map) : value, 0);
    return plain == null ? Map.of() : plain instanceof PlainMap map ? map : Map.of("value", plain);
  }

  /** Puts one text in the place of equal ones: most operations name the same few locks. */
  private Map<Object, @Nullable Object> shared(Map<?, ?> map) {
    Map<Object, @Nullable Object> shared = new HashMap<>();
    map.forEach((key, each) -> shared.put(key, each instanceof String text ? shared(text) : each));
    return shared;
  }

  private String shared(String text) {
    if (texts.size() == MAX_TEXTS) {
      texts.clear();
    }
    String known = texts.putIfAbsent(text, text);
    return known == null ? text : known;
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

  private @Nullable Long wholeNumber(Map<?, ?> map, Keyword key) {
    Object value = get(map, key);
    if (value == null || value instanceof Long) {
      return (Long) value;
    }
    throw problem(key + " must be a whole number, but is " + value);
  }

  private Object required(Map<?, ?> map, Keyword key) {
    Object value = get(map, key);
    if (value == null) {
      throw problem("no " + key);
    }
    return value;
  }

  private @Nullable Object get(Map<?, ?> map, Keyword key) {
    return json ? map.get(key.getName()) : map.get(key);
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
