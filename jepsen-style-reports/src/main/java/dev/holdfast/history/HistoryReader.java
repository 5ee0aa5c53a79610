package dev.holdfast.history;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.BufferedInputStream;
import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.Reader;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CoderResult;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.LongConsumer;
import java.util.function.UnaryOperator;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.zip.GZIPInputStream;
import org.jspecify.annotations.Nullable;
import us.bpsm.edn.EdnSyntaxException;
import us.bpsm.edn.Keyword;
import us.bpsm.edn.TaggedValue;
import us.bpsm.edn.parser.Parseable;
import us.bpsm.edn.parser.Parser;
import us.bpsm.edn.parser.Parsers;

/**
 * Reads histories in Jepsen's format: one map a line, or a single vector or list of maps, as UTF-8,
 * plain or compressed by gzip, from a file or a pipe. They may be EDN, or JSON of the same keys:
 * {@code {"type": "invoke", "process": 3, "f": "acquire", "value": {"lock": "a"}}}; which of the
 * two is seen by the first key. A file is read once, as a stream: only its operations are kept in
 * memory.
 *
 * <p>A last line that was not written to its end is left out, and reported; so the operation that
 * it would have completed is open, as after an {@code :info}.
 *
 * <p>{@code :index} and {@code :time} may be absent, {@code :time} from all operations of a file or
 * from none; the order of the lines then counts. It also counts where times go back, as threads
 * write down times that they took before: such a time is taken as just after the one before it. An
 * {@code :index} that does not rise is an error.
 *
 * <p>A {@code :value} that is not a map is read as a map with the single key {@code value}. But
 * where it names what the operation is about, it is read as that lock's name: where the values of
 * all that clients asked for are Jepsen's tuples {@code [key value]}, and the value of an operation
 * on a lock that is a single name or number. Keys of an operation that are not known are ignored.
 */
public final class HistoryReader {

  /** The largest number of operations that one history may hold. */
  public static final int MAX_OPERATIONS = 10_000_000;

  private static final int MAX_LINE_BYTES = 1 << 20;

  /** Within how many bytes a history shows what it is. */
  private static final int LOOK_AHEAD = 1 << 16;

  private static final int GZIP = 0x8b1f;
  private static final int[] BYTE_ORDER_MARK = {0xEF, 0xBB, 0xBF};

  private static final Map<String, Operation.Type> TYPES =
      Arrays.stream(Operation.Type.values())
          .collect(Collectors.toMap(Operation.Type::text, type -> type));

  /** The key of a value that is not a map. */
  private static final String PLAIN = "value";

  /** The number of distinct texts that are kept, to share equal ones. */
  private static final int MAX_TEXTS = 100_000;

  /** What may stand at the end of a line of JSON that was cut within a word or a number. */
  private static final Pattern CUT_WORD =
      Pattern.compile("[:\\[,]\\s*(t|tr|tru|f|fa|fal|fals|n|nu|nul|-|-?\\d[\\d.eE+-]*)$");

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
  private final Consumer<String> warnings;
  private final Parser parser =
      Parsers.newParser(
          Parsers.newParserConfigBuilder().acceptUnicodeEscapesInStringLiterals(true).build());
  private final List<Operation> operations = new ArrayList<>();
  private final Map<String, String> texts = new HashMap<>();
  private int[] lines = new int[1_024];
  private int line;
  private boolean timed;
  private boolean json;
  private boolean isOfLocks;

  /** By how much a time was moved at most. */
  private long furthest;

  private long lastIndex = Operation.NO_INDEX;
  private @Nullable HistoryFormatException disorder;

  private HistoryReader(Path file, LongConsumer progress, Consumer<String> warnings) {
    this.file = file;
    this.progress = progress;
    this.warnings = warnings;
  }

  /**
   * Reads one file as it stands: times, values and, where they are given, indices are the file's
   * own.
   *
   * @param file the file
   * @return its operations in the order of its lines
   * @throws IOException if the file cannot be read
   * @throws HistoryFormatException if it cannot be understood
   */
  public static List<Operation> read(Path file) throws IOException {
    HistoryReader reader = new HistoryReader(file, count -> {}, warning -> {});
    reader.read();
    return List.copyOf(reader.operations);
  }

  /**
   * Reads one file, and pairs its operations.
   *
   * @param file the file
   * @param change is applied to each operation, such as to name its lock
   * @param progress is called from time to time with the number of operations have been read
   * @return the history
   * @throws IOException if the file cannot be read
   * @throws HistoryFormatException if it cannot be understood; it names the file and the line
   */
  public static History readHistory(
      Path file, UnaryOperator<Operation> change, LongConsumer progress) throws IOException {
    return readHistory(file, change, progress, warning -> {});
  }

  /**
   * Reads one file, and pairs its operations.
   *
   * @param file the file
   * @param change is applied to each operation, such as to name its lock. What it does not want it
   *     rejects with an {@link IllegalArgumentException}, whose message says why
   * @param progress is called from time to time with the number of operations have been read
   * @param warnings is told what was read otherwise than it was written: a last line that was not
   *     written to its end, times that go back
   * @return the history
   * @throws IOException if the file cannot be read
   * @throws HistoryFormatException if it cannot be understood; it names the file and the line
   */
  public static History readHistory(
      Path file, UnaryOperator<Operation> change, LongConsumer progress, Consumer<String> warnings)
      throws IOException {
    ReadHistory read = readWhole(file, change, progress);
    read.warnings().forEach(warnings);
    return read.history();
  }

  /**
   * Reads one file, pairs its operations, and keeps them as they are in the file, too.
   *
   * @param file the file
   * @param change as for {@link #readHistory}
   * @param progress is notified, now and then, of how many operations have been read
   * @return the history, and what was written
   * @throws IOException if the file cannot be read
   * @throws HistoryFormatException if it cannot be understood; it names the file and the line
   */
  public static ReadHistory readWhole(
      Path file, UnaryOperator<Operation> change, LongConsumer progress) throws IOException {
    List<String> warnings = new ArrayList<>();
    HistoryReader reader = new HistoryReader(file, progress, warnings::add);
    reader.read();
    List<Operation> written = List.copyOf(reader.operations);
    List<Operation> operations = reader.understood();
    for (int i = 0; i < operations.size(); i++) {
      try {
        operations.set(i, change.apply(operations.get(i)));
      } catch (IllegalArgumentException e) {
        throw new HistoryFormatException(file, reader.lines[i], e.getMessage() + "");
      }
    }
    try {
      History history = History.of(operations).movedBy(reader.furthest);
      return new ReadHistory(history, written, warnings);
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
    long furthest = 0;
    for (Path file : files) {
      HistoryReader reader = new HistoryReader(file, count -> {}, warning -> {});
      reader.read();
      parts.add(reader.understood());
      furthest = Math.max(furthest, reader.furthest);
    }
    try {
      return Histories.merge(parts).movedBy(furthest);
    } catch (HistoryFormatException e) {
      for (Path file : files) {
        // Names the file and the line, if it is one of them that makes no sense.
        History unused = readHistory(file, UnaryOperator.identity(), count -> {});
      }
      throw e;
    }
  }

  private void read() throws IOException {
    try (InputStream in = open()) {
      char opening = look(in);
      if (opening == '{') {
        readLines(in);
      } else if (json) {
        readArray(in);
      } else {
        readVector(in, opening == '[' ? ']' : ')');
      }
    }
  }

  /** Makes a history of what was read: what is when, and about what. */
  private List<Operation> understood() {
    if (disorder != null) {
      throw disorder;
    }
    isOfLocks =
        operations.stream()
            .anyMatch(operation -> Vocabulary.LEASE_OPERATIONS.contains(operation.f()));
    operations.replaceAll(tuples() ? this::ofTuple : HistoryReader::ofNamedLock);
    inOrder();
    return operations;
  }

  /** Lets no time be before the ones of the lines before it. */
  private void inOrder() {
    long written = 0;
    long now = 0;
    int moved = 0;
    for (int i = 0; i < operations.size(); i++) {
      long time = operations.get(i).time();
      // What was moved comes after the line before it, though what follows may have that time, too.
      now = time > now || i == 0 ? time : time == written ? now : now + 1;
      written = time;
      if (time < now) {
        moved++;
        furthest = Math.max(furthest, now - time);
        operations.set(i, operations.get(i).withTime(now));
      }
    }
    if (moved > 0) {
      warnings.accept(
          file
              + ": "
              + Formats.count(moved, "time")
              + (moved == 1 ? " goes" : " go")
              + " back, by up to "
              + Formats.seconds(furthest)
              + "; the order of the lines counts");
    }
  }

  /** The text of the file, which is opened once, as it may be a pipe. */
  private InputStream open() throws IOException {
    InputStream in =
        new BufferedInputStream(new Unsized(Files.newInputStream(file)), 2 * LOOK_AHEAD);
    try {
      in.mark(2);
      boolean isGzip = (in.read() | in.read() << Byte.SIZE) == GZIP;
      in.reset();
      if (isGzip) {
        in = new BufferedInputStream(new GZIPInputStream(in, LOOK_AHEAD), 2 * LOOK_AHEAD);
      }
      in.mark(BYTE_ORDER_MARK.length);
      for (int each : BYTE_ORDER_MARK) {
        if (in.read() != each) {
          in.reset();
          break;
        }
      }
      return in;
    } catch (IOException e) {
      in.close();
      throw e;
    }
  }

  /**
   * Returns whether the history is JSON, by whether the first key of the first map is in quotes.
   *
   * @return what opens the list of all operations; a brace if they are lines
   */
  private char look(InputStream in) throws IOException {
    in.mark(LOOK_AHEAD);
    char opening = '{';
    int next = ' ';
    for (int i = 1; i < LOOK_AHEAD && isBlank(next); i++) {
      next = in.read();
      while (next == ';' && i < LOOK_AHEAD) {
        for (; next != '\n' && next >= 0 && i < LOOK_AHEAD; i++) {
          next = in.read();
        }
      }
      if ((next == '[' || next == '(') && opening == '{') {
        opening = (char) next;
        next = ' ';
      } else if (next == '{') {
        for (next = ' '; i < LOOK_AHEAD && isBlank(next); i++) {
          next = in.read();
        }
        json = next == '"';
      }
    }
    in.reset();
    return opening;
  }

  private static boolean isBlank(int character) {
    return Character.isWhitespace(character) || character == ',';
  }

  private void readLines(InputStream in) throws IOException {
    byte[] block = new byte[1 << 16];
    ByteArrayOutputStream begun = new ByteArrayOutputStream(512);
    while (true) {
      int length = in.read(block);
      int from = 0;
      for (int i = 0; i < length; i++) {
        if (block[i] == '\n') {
          begin(begun, block, from, i);
          from = i + 1;
          readLine(begun, false);
        }
      }
      if (length < 0) {
        readLine(begun, true);
        return;
      }
      begin(begun, block, from, length);
    }
  }

  private void begin(ByteArrayOutputStream begun, byte[] block, int from, int to) {
    if (begun.size() + to - from > MAX_LINE_BYTES) {
      line++;
      throw problem("longer than " + MAX_LINE_BYTES + " bytes");
    }
    begun.write(block, from, to - from);
  }

  private void readLine(ByteArrayOutputStream bytes, boolean last) {
    line++;
    Object form;
    byte[] written = bytes.toByteArray();
    bytes.reset();
    try {
      String text = decode(written);
      if (text.isEmpty() || text.startsWith(";")) {
        return;
      }
      form = json ? parseJson(text) : parseEdn(text);
    } catch (HistoryFormatException e) {
      if (last && isTorn(written)) {
        warnings.accept(
            file
                + ", line "
                + line
                + ": the last line was not written to its end, and is left out");
        return;
      }
      throw e;
    }
    add(form);
  }

  /**
   * Whether a line is the beginning of an operation, and nothing but its end is missing; the last
   * character may be cut, too.
   */
  private boolean isTorn(byte[] bytes) {
    CharBuffer decoded = CharBuffer.allocate(bytes.length);
    CoderResult outcome =
        StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes), decoded, false);
    String text = decoded.flip().toString().strip();
    boolean isText = text.codePoints().allMatch(c -> c == '\t' || !Character.isISOControl(c));
    boolean isTag = text.startsWith("#") && !text.startsWith("#_") && !json;
    boolean isBegun = text.startsWith("{") || isTag;
    return !outcome.isError() && isText && isBegun && (json ? endsInJson(text) : endsInEdn(text));
  }

  private boolean endsInEdn(String text) {
    Line input = new Line(text);
    try {
      return isMissing(parser.nextValue(input)); // else something follows a whole form
    } catch (EdnSyntaxException | IllegalArgumentException | UnsupportedOperationException e) {
      return input.isAtEnd;
    } catch (StackOverflowError e) {
      return false;
    }
  }

  private static boolean isMissing(@Nullable Object form) {
    return form == Parser.END_OF_INPUT
        || (form instanceof TaggedValue tagged && tagged.getValue() == Parser.END_OF_INPUT);
  }

  private static boolean endsInJson(String text) {
    try (JsonParser input = JSON.createParser(text)) {
      Object unused = input.readValueAs(Object.class);
      return false;
    } catch (JsonProcessingException e) { // a number or a word may be cut, too
      boolean isEnd = e.getOriginalMessage().startsWith("Unexpected end-of-input");
      return isEnd || CUT_WORD.matcher(text).find();
    } catch (IOException e) {
      throw new UncheckedIOException(e); // there is no file behind it
    }
  }

  private String decode(byte[] bytes) {
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString().strip();
    } catch (CharacterCodingException e) {
      throw problem("not UTF-8");
    }
  }

  private @Nullable Object parseEdn(String text) {
    Parseable input = new Line(text);
    Object form = parse(input);
    if (isMissing(form)) {
      throw problem("not EDN: there is no whole form on the line");
    } else if (parse(input) != Parser.END_OF_INPUT) {
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

  private static Reader reader(InputStream in) {
    // Made of a decoder, not of a name: it is to find fault with what is not UTF-8.
    return new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8.newDecoder()));
  }

  private void readArray(InputStream in) throws IOException {
    line = 1;
    try (Reader reader = reader(in);
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

  private void readVector(InputStream in, char closing) throws IOException {
    line = 1;
    String container = closing == ']' ? "vector" : "list";
    try (Reader reader = reader(in);
        LineCounter input = new LineCounter(reader)) {
      input.skipToForm(); // the opening bracket
      while (true) {
        int next = input.skipToForm();
        if (next == closing) {
          break;
        }
        input.unread(next);
        Object form = parse(input);
        if (form == Parser.END_OF_INPUT) {
          throw problem("the " + container + " is not closed");
        }
        add(form);
      }
      if (parse(input) != Parser.END_OF_INPUT) {
        throw problem("something follows the " + container);
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
    if (index != null && index <= lastIndex && disorder == null) {
      disorder = problem(":index must rise, but " + index + " comes after " + lastIndex);
    }
    lastIndex = index != null ? index : lastIndex;
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
              error == null ? null : text(Edn.normalise(error, 0))));
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
    Operation.Type type = TYPES.get(text);
    type = type == null ? TYPES.get(text.toLowerCase(Locale.ROOT)) : type;
    if (type != null) {
      return type;
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

  /**
   * Returns whether the values are tuples, which name what they are about. What was asked for and
   * what succeeded decides: the answer to anything else need not say anything.
   */
  private boolean tuples() {
    if (operations.stream().noneMatch(each -> each.value().get(PLAIN) instanceof List<?>)) {
      return false;
    }
    Values values = new Values();
    Set<Long> pending = new HashSet<>();
    for (int i = 0; i < operations.size(); i++) {
      Operation operation = operations.get(i);
      boolean isAnswer = operation.type() != Operation.Type.INVOKE;
      boolean isNotice = isAnswer && !pending.remove(operation.process());
      if (!isAnswer) {
        boolean unused = pending.add(operation.process());
      }
      boolean isSilent =
          isNotice
              ? !Vocabulary.LEASE_OPERATIONS.contains(operation.f())
              : isAnswer && !tells(operation);
      if (!operation.isNemesis() && !isSilent) {
        values.add(i, operation);
      }
    }
    // A pair that was read, though nobody asked for the value of a key, is a value.
    if (values.tuple < 0 || values.isOther || (values.isReadOfNothing && values.tupleRead < 0)) {
      return false;
    } else if (values.noTuple < 0) {
      return true;
    }
    line = lines[values.noTuple];
    throw problem(
        "the value is no tuple [key value], though that of line "
            + lines[values.tuple]
            + " is one; what this operation is about cannot be told");
  }

  private static boolean tells(Operation answer) {
    return answer.type() == Operation.Type.OK && !answer.value().isEmpty();
  }

  /** Of which kinds the values of a history are; places are of the first, or -1. */
  private static final class Values {
    int tuple = -1;
    int tupleRead = -1;
    int noTuple = -1;

    /** Whether a value is a list that cannot be a tuple. */
    boolean isOther;

    boolean isReadOfNothing;

    void add(int place, Operation operation) {
      boolean isRead = operation.f().equals("read") && operation.type() == Operation.Type.INVOKE;
      if (operation.value().get(PLAIN) instanceof List<?> list) {
        isOther |=
            list.size() != 2 || (operation.f().equals("cas") && !(list.get(1) instanceof List<?>));
        tuple = tuple < 0 ? place : tuple;
        tupleRead = tupleRead < 0 && isRead ? place : tupleRead;
      } else {
        noTuple = noTuple < 0 ? place : noTuple;
        isReadOfNothing |= isRead && operation.value().isEmpty();
      }
    }
  }

  private Operation ofTuple(Operation operation) {
    if (operation.isNemesis() || !(operation.value().get(PLAIN) instanceof List<?> pair)) {
      return operation;
    }
    Map<String, Object> value = new HashMap<>();
    if (pair.get(1) instanceof Map<?, ?> map && isOfLocks) {
      map.forEach((key, each) -> value.put(String.valueOf(key), each));
    } else if (pair.get(1) != null) {
      value.put(PLAIN, pair.get(1));
    }
    value.put(Vocabulary.LOCK, shared(text(pair.get(0))));
    return operation.with(value);
  }

  private static Operation ofNamedLock(Operation operation) {
    Object plain = operation.value().get(PLAIN);
    boolean isAlone =
        Vocabulary.LEASE_OPERATIONS.contains(operation.f()) && operation.value().size() == 1;
    return isAlone && (plain instanceof String || plain instanceof Number)
        ? operation.with(Map.of(Vocabulary.LOCK, text(plain)))
        : operation;
  }

  private static String text(@Nullable Object plain) {
    if (plain instanceof String text) {
      return text;
    }
    StringBuilder out = new StringBuilder();
    Edn.write(out, plain);
    return out.toString();
  }

  private Map<String, Object> value(@Nullable Object value) {
    Object plain = Edn.normalise(value instanceof Map<?, ?> map ? shared(map) : value, 0);
    if (!(plain instanceof PlainMap map)) {
      return plain == null ? Map.of() : Map.of(PLAIN, plain);
    }
    // A map without entries is a value, too, and another one than none.
    boolean isEmpty = map.isEmpty() && value instanceof Map<?, ?> written && !isNamed(written);
    return isEmpty ? Map.of(PLAIN, map) : map;
  }

  /** Whether a map has a key that means something here, though perhaps without a value. */
  private static boolean isNamed(Map<?, ?> map) {
    return map.keySet().stream()
        .map(Edn::keyText)
        .anyMatch(key -> key.equals(PLAIN) || Vocabulary.KEYS.contains(key));
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

  /** Does not ask how much more there is, which a pipe's stream answers with an exception. */
  private static final class Unsized extends FilterInputStream {

    Unsized(InputStream in) {
      super(in);
    }

    @Override
    public int available() {
      return 1;
    }
  }

  /**
   * Hands a line to edn-java, whose own class throws and catches an exception at each line's end.
   */
  private static final class Line implements Parseable {

    private final String text;
    private int next;
    private boolean isAtEnd;

    Line(String text) {
      this.text = text;
    }

    @Override
    public int read() {
      if (next == text.length()) {
        isAtEnd = true;
        return END_OF_INPUT;
      }
      return text.charAt(next++);
    }

    @Override
    public void unread(int ch) {
      if (ch != END_OF_INPUT) {
        next--;
      }
    }

    @Override
    public void close() {}
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
