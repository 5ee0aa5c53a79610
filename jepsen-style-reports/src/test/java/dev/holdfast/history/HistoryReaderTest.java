package dev.holdfast.history;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.UnaryOperator;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class HistoryReaderTest {

  private static final String GOOD = "{:type :invoke, :process 0, :f :acquire, :value nil}";

  @TempDir Path folder;

  @Test
  void read_withoutTimesAndIndices_countsTheLines() throws IOException {
    List<Operation> all = read("; a comment\n\n" + GOOD + "\n{:type :ok :process 0 :f :acquire}\n");
    assertThat(all).extracting(Operation::index).containsExactly(0L, 1L);
    assertThat(all).extracting(Operation::time).containsExactly(0L, 1L);
  }

  @Test
  void read_vectorOverManyLines_isUnderstood() throws IOException {
    List<Operation> all =
        read(
            " ; a register\n[{:type :invoke :process 0 :f :cas\n :value [1 2]}, ; why\n"
                + "{:type :info :process :nemesis :f :start :value :majority}\n] ; the end");
    assertThat(all).extracting(Operation::f).containsExactly("cas", "start");
    assertThat(all.get(0).value()).isEqualTo(Map.of("value", List.of(1L, 2L)));
    assertThat(all.get(1).isNemesis()).isTrue();
    assertThat(all.get(1).value()).isEqualTo(Map.of("value", "majority"));
  }

  @Test
  void read_emptyFileAndEmptyVector_areEmpty() throws IOException {
    assertThat(read("")).isEmpty();
    assertThat(read("[]\n")).isEmpty();
  }

  @Test
  void read_jepsensOwnTagsAndKeys_areUnderstood() throws IOException {
    List<Operation> all =
        read(
            "#jepsen.history.Op{:index 4, :time 9, :type :fail, :process 1, :f :acquire, :value"
                + " nil, :error [:timeout \"x\"], :clock 7}\n");
    assertThat(all)
        .containsExactly(
            new Operation(
                4, 9, Operation.Type.FAIL, 1, "acquire", Map.of(), "[\"timeout\" \"x\"]"));
  }

  @Test
  void read_tornLastLine_countsForNothing() throws IOException {
    assertThat(read(GOOD + "\n{:type :ok, :process 0, :f :acq")).hasSize(1);
    assertThat(read(GOOD + "\n" + GOOD)).hasSize(2);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '\u0001',
      value = {
        "{:type :ok, :process 0, :f :acq| not EDN",
        "42| an operation must be a map, but is 42",
        "{:process 0, :f :x}| no :type",
        "{:type :maybe, :process 0, :f :x}| :type must be :invoke, :ok, :fail or :info, but is"
            + " maybe",
        "{:type :ok, :process -3, :f :x}| :process must be a whole number or :nemesis, but is -3",
        "{:type :ok, :process 0}| no :f",
        "{:type :ok, :process 0, :f \"a b\"}| f must be a plain name, but is \"a b\"",
        "{:type :ok, :process 0, :f :x, :value {:fence \"9\"}}| fence must be a whole number",
        "{:type :ok, :process 0, :f :x, :time 5}| :time, though others have none",
        "{:type :ok, :process 0, :f :x, :index 1.5}| :index must be a whole number, but is 1.5",
        "{:type :ok, :process 0, :f :x} {}| more than one form on the line",
        "{:type :ok, :process 0, :f :x, :value}| not EDN",
      })
  void read_badLine_saysFileLineAndWhatIsWrong(String line, String problem) {
    assertThatThrownBy(() -> read(GOOD + "\n" + line + "\n" + GOOD + "\n"))
        .isInstanceOf(HistoryFormatException.class)
        .hasMessageContaining("history.edn, line 2: ")
        .hasMessageContaining(problem.strip());
  }

  @Test
  void read_badElementOfVector_saysItsLine() {
    assertThatThrownBy(() -> read("[" + GOOD + "\n\n{:type :ok, :process 0}\n]"))
        .isInstanceOf(HistoryFormatException.class)
        .hasMessageContaining("line 3: no :f");
    assertThatThrownBy(() -> read("[" + GOOD + "\n"))
        .isInstanceOf(HistoryFormatException.class)
        .hasMessageContaining("line 2");
    assertThatThrownBy(() -> read("[" + GOOD + "]\n" + GOOD))
        .isInstanceOf(HistoryFormatException.class)
        .hasMessageContaining("something follows the vector");
  }

  @Test
  void read_notUtf8_isSaid() throws IOException {
    Path file = folder.resolve("history.edn");
    Files.write(file, new byte[] {'{', (byte) 0xFF, '}', '\n'});
    assertThatThrownBy(() -> HistoryReader.read(file))
        .isInstanceOf(HistoryFormatException.class)
        .hasMessageContaining("line 1: not UTF-8");
  }

  @Test
  void read_nestedWithoutEnd_isRefused() {
    assertThatThrownBy(() -> read(GOOD + "\n" + "[".repeat(200_000) + "\n" + GOOD + "\n"))
        .isInstanceOf(HistoryFormatException.class)
        .hasMessageContaining("line 2");
  }

  @Test
  void read_jsonLines_areTheSameAsEdn() throws IOException {
    List<Operation> edn =
        read(
            """
            {:time 5, :type :invoke, :process 0, :f :acquire, :value {:lock "a", :ttl 100}}
            {:time 6, :type :ok, :process 0, :f :acquire, :value {:lock "a", :fence 7, :list [1 2.5 nil true]}}
            {:time 7, :type :info, :process :nemesis, :f :start, :value nil, :error "why"}
            """);
    String json =
        """
        {"time": 5, "type": "invoke", "process": 0, "f": "acquire", "value": {"lock": "a", "ttl": 100}}

        { "type": "ok", "time": 6, "process": 0, "f": "acquire", "value": {"lock": "a", "fence": 7, "list": [1, 2.5, null, true]}}
        {"time": 7, "type": "info", "process": "nemesis", "f": "start", "value": null, "error": "why"}
        """;
    assertThat(read(json)).isEqualTo(edn);
    assertThat(read("\n [\n" + json.strip().replaceAll("\\}\n+", "},\n") + "\n]\n")).isEqualTo(edn);
  }

  @Test
  void read_jsonCutAnywhere_isThePrefixOfItsWholeLines() throws IOException {
    String line = "{\"type\": \"invoke\", \"process\": 0, \"f\": \"acquire\"}";
    for (int length = 0; length < line.length(); length++) {
      assertThat(read(line + "\n" + line.substring(0, length))).hasSize(1);
    }
    assertThat(read(line + "\n" + line)).hasSize(2);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '\u0001',
      value = {
        "{\"type\": \"ok\", \"process\": 0, \"f\": | not JSON",
        "{\"type\": \"ok\", \"process\": 0, \"f\": \"x\"} {}| more than one form",
        "{\"type\": \"ok\", \"type\": \"ok\", \"process\": 0, \"f\": \"x\"}| not JSON: Duplicate",
        "{\"type\": \"ok\", \"process\": 1.5, \"f\": \"x\"}| :process must be a whole number",
        "{\"type\": \"ok\", \"process\": 0}| no :f",
        "7| an operation must be a map",
      })
  void read_badJson_saysFileLineAndWhatIsWrong(String bad, String problem) {
    String good = "{\"type\": \"invoke\", \"process\": 0, \"f\": \"acquire\"}";
    assertThatThrownBy(() -> read(good + "\n" + bad + "\n" + good + "\n"))
        .isInstanceOf(HistoryFormatException.class)
        .hasMessageContaining("history.edn, line 2: ")
        .hasMessageContaining(problem.strip());
  }

  @Test
  void read_badJsonArray_saysTheLine() {
    String good = "{\"type\": \"invoke\", \"process\": 0, \"f\": \"acquire\"}";
    assertThatThrownBy(() -> read("[" + good + ",\n\n{\"type\": \"ok\"}\n]"))
        .hasMessageContaining("line 3: no :process");
    assertThatThrownBy(() -> read("[" + good + ",\n"))
        .isInstanceOf(HistoryFormatException.class)
        .hasMessageContaining("line 2: not JSON");
    assertThatThrownBy(() -> read("[" + good + "]\n" + good))
        .isInstanceOf(HistoryFormatException.class)
        .hasMessageContaining("line 2: something follows the array");
  }

  @Test
  void read_longLinesOverSeveralBlocks_areWhole() throws IOException {
    String name = "x".repeat(70_000);
    String line = "{:type :invoke, :process 0, :f :acquire, :value {:lock \"" + name + "\"}}";
    assertThat(read(line + "\n\n" + line)).extracting(Operation::lock).containsExactly(name, name);
    assertThatThrownBy(() -> read(GOOD + "\n" + line.replace(name, "x".repeat(1 << 20)) + "\n"))
        .hasMessageContaining("line 2: longer than 1048576 bytes");
  }

  @Test
  void readHistory_whatDoesNotFit_saysFileAndLine() throws IOException {
    Path file =
        Files.writeString(
            folder.resolve("history.edn"),
            "; two\n" + GOOD + "\n\n{:type :ok, :process 3, :f :acquire}\n");
    assertThatThrownBy(() -> HistoryReader.readHistory(file, UnaryOperator.identity(), count -> {}))
        .isInstanceOf(HistoryFormatException.class)
        .hasMessageContaining("history.edn, line 4: ")
        .hasMessageContaining("answers no invocation");
    assertThatThrownBy(() -> HistoryReader.readAll(List.of(file)))
        .isInstanceOf(HistoryFormatException.class)
        .hasMessageContaining("history.edn, line 4: ");
  }

  @Test
  void readHistory_longFile_tellsHowFarItIs() throws IOException {
    Path file = Files.writeString(folder.resolve("history.edn"), notices(25_000));
    List<Long> told = new ArrayList<>();
    History history = HistoryReader.readHistory(file, UnaryOperator.identity(), told::add);
    assertThat(history.notices()).hasSize(25_000);
    assertThat(told).containsExactly(10_000L, 20_000L);
  }

  private static String notices(int count) {
    return "{:type :info, :process 0, :f :lost}\n".repeat(count);
  }

  // --- Histories as others publish them

  private static final String HELD =
      """
      {:type :invoke, :process 0, :f :acquire, :value nil, :time 10, :index 0}
      {:type :ok, :process 0, :f :acquire, :value nil, :time 20, :index 1}
      """;

  private final List<String> warnings = new ArrayList<>();

  private History history(byte[] bytes) throws IOException {
    Path file = Files.write(folder.resolve("history.edn"), bytes);
    return HistoryReader.readHistory(file, UnaryOperator.identity(), count -> {}, warnings::add);
  }

  private History history(String text) throws IOException {
    return history(text.getBytes(StandardCharsets.UTF_8));
  }

  @Test
  void readHistory_listInParentheses_isUnderstood() throws IOException {
    assertThat(history("; all\n(" + HELD + ")\n").calls()).hasSize(1);
    assertThatThrownBy(() -> history("(" + HELD))
        .hasMessageContaining("line 3: the list is not closed");
    assertThatThrownBy(() -> history("(" + HELD + ")\n42"))
        .hasMessageContaining("line 4: something follows the list");
  }

  @Test
  void readHistory_vectorOrArrayOnOneLongLine_isUnderstood() throws IOException {
    String call = HELD.replaceAll(", :index \\d+", "").replaceAll(":time \\d+", ":time 5");
    String edn = "[" + call.replace('\n', ' ').repeat(20_000) + "]";
    assertThat(edn.length()).isGreaterThan(1 << 20);
    assertThat(history(edn).calls()).hasSize(20_000);
    String json =
        "["
            + "{\"type\": \"info\", \"process\": 1, \"f\": \"lost\", \"value\": null}, "
                .repeat(30_000)
            + "{\"type\": \"info\", \"process\": 1, \"f\": \"lost\"}]";
    assertThat(json.length()).isGreaterThan(1 << 20);
    assertThat(history(json).notices()).hasSize(30_001);
  }

  @Test
  void readHistory_gzip_isUnderstood() throws IOException {
    for (String text : List.of(HELD, "[" + HELD + "]", "\uFEFF" + HELD)) {
      ByteArrayOutputStream bytes = new ByteArrayOutputStream();
      try (OutputStream out = new GZIPOutputStream(bytes)) {
        out.write(text.getBytes(StandardCharsets.UTF_8));
      }
      assertThat(history(bytes.toByteArray()).calls()).hasSize(1);
    }
  }

  @Test
  void readHistory_byteOrderMark_isSkipped() throws IOException {
    assertThat(history("\uFEFF" + HELD).calls()).hasSize(1);
    assertThat(history("\uFEFF[" + HELD + "]").calls()).hasSize(1);
    assertThat(history("\uFEFF{\"type\": \"info\", \"process\": 1, \"f\": \"x\"}").notices())
        .hasSize(1);
  }

  @Test
  void readHistory_pipe_isReadOnce() throws IOException, InterruptedException {
    Path pipe = folder.resolve("pipe");
    assumeTrue(isMade(pipe), "mkfifo makes pipes");
    for (String text : List.of(HELD, "[" + HELD + "]")) {
      CompletableFuture<Path> written =
          CompletableFuture.supplyAsync(
              () -> {
                try {
                  return Files.writeString(pipe, text, StandardOpenOption.WRITE);
                } catch (IOException e) {
                  throw new UncheckedIOException(e);
                }
              });
      assertThat(HistoryReader.readHistory(pipe, UnaryOperator.identity(), count -> {}).calls())
          .hasSize(1);
      assertThat(written.join()).isEqualTo(pipe);
    }
  }

  private static boolean isMade(Path pipe) throws InterruptedException {
    try {
      return new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor() == 0;
    } catch (IOException e) {
      return false;
    }
  }

  @Test
  void readHistory_timesThatGoBack_followTheLines() throws IOException {
    History history =
        history(
            """
            {:type :invoke, :process 0, :f :write, :value 1, :time 100, :index 4}
            {:type :ok, :process 0, :f :write, :value 1, :time 120, :index 6}
            {:type :invoke, :process 1, :f :read, :value nil, :time 119, :index 7}
            {:type :invoke, :process 2, :f :read, :value nil, :time 119, :index 8}
            {:type :ok, :process 1, :f :read, :value nil, :time 121, :index 9}
            {:type :ok, :process 2, :f :read, :value nil, :time 130, :index 10}
            """);
    assertThat(history.operations())
        .extracting(Operation::time)
        .as("after the line before, and two of one time still at one time")
        .containsExactly(100L, 120L, 121L, 121L, 122L, 130L);
    assertThat(warnings)
        .singleElement()
        .asString()
        .contains("history.edn: 3 times go back", "the order of the lines counts");
  }

  @ParameterizedTest
  @ValueSource(strings = {":index 0", ":index 1"})
  void readHistory_indexThatDoesNotRise_isAnError(String index) {
    String bad = HELD.replace(":index 0", ":index 1").replaceFirst(":index 1}\n$", index + "}\n");
    for (String text : List.of(bad, "[" + bad + "]")) {
      assertThatThrownBy(() -> history(text))
          .isInstanceOf(HistoryFormatException.class)
          .hasMessageContaining(
              "history.edn, line 2: :index must rise, but "
                  + index.substring(7)
                  + " comes after 1");
    }
  }

  @Test
  void readHistory_tornLastLine_isReported() throws IOException {
    assertThat(history(HELD + "{:type :invoke, :process 0, :f :rel").calls()).hasSize(1);
    assertThat(warnings)
        .singleElement()
        .asString()
        .endsWith("history.edn, line 3: the last line was not written to its end, and is left out");
    warnings.clear();
    assertThat(history(HELD.strip()).calls()).hasSize(1);
    assertThat(warnings).isEmpty();
  }

  /** With a newline or without one, it is the same error. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '\u0001',
      value = {
        "{:type :ok, :process 0, :f :release} {:type :ok}| more than one form on the line",
        "{:type :ok, :process 0, :f :release} {:type :o| not EDN",
        "{:type :ok, :process 0, :f :release, :value 1/2}| not",
        "{:type :ok, :process 0, :f :release, :value 1/2, :ti| not",
        "{:type :ok, :process 0, :f :release, :value}| not EDN",
        "{:type :ok, :process 0, :f :release]| not EDN",
        "ab\u0002\u0003x| more than one form on the line",
        "{\u0000\u0000x| not",
        ":a :b| more than one form on the line",
        "release)| not",
        "\"half a name| not EDN",
      })
  void readHistory_lastLineThatIsWrong_isAnErrorAlsoWithoutANewline(String line, String problem) {
    for (String end : List.of("", "\n")) {
      assertThatThrownBy(() -> history(HELD + line + end))
          .isInstanceOf(HistoryFormatException.class)
          .hasMessageContaining("history.edn, line 3: " + problem.strip());
    }
  }

  @Test
  void readHistory_lastLineThatIsNoText_isAnError() throws IOException {
    for (byte[] end : List.of(bytes("{:type :i", 0xFF, 0xFE), bytes("", 0x80), bytes("{}", 0xE2))) {
      byte[] all = Arrays.copyOf(bytes(HELD), HELD.length() + end.length);
      System.arraycopy(end, 0, all, HELD.length(), end.length);
      assertThatThrownBy(() -> history(all))
          .isInstanceOf(HistoryFormatException.class)
          .hasMessageContaining("history.edn, line 3: not UTF-8");
    }
    assertThat(warnings).isEmpty();
  }

  private static byte[] bytes(String text, int... more) {
    byte[] begun = text.getBytes(StandardCharsets.UTF_8);
    byte[] all = Arrays.copyOf(begun, begun.length + more.length);
    for (int i = 0; i < more.length; i++) {
      all[begun.length + i] = (byte) more[i];
    }
    return all;
  }

  /** Every beginning of a line, also one that ends within a character. */
  @Test
  void readHistory_lineThatIsCutAnywhere_isReported() throws IOException {
    String edn =
        "#jepsen.history.Op{:type :info, :process 0, :f :lost, :value {:lock \"\u00e4 \u20ac\","
            + " :x [1.5 -2 true nil #{3} \\newline #inst \"2026-01-01T00:00:00Z\"]}}";
    String json =
        "{\"type\": \"info\", \"process\": 0, \"f\": \"lost\", \"value\": {\"lock\":"
            + " \"\u00e4 \u20ac\\u00e4\", \"x\": [1.5, -2e-1, true, false, null]}}";
    for (String line : List.of(edn, json)) {
      byte[] whole = bytes(line + "\n" + line);
      for (int length = whole.length / 2 + 2; length < whole.length; length++) {
        warnings.clear();
        byte[] cut = Arrays.copyOf(whole, length);
        assertThat(history(cut).notices()).as(new String(cut, StandardCharsets.UTF_8)).hasSize(1);
        assertThat(warnings).hasSize(1);
      }
      warnings.clear();
      assertThat(history(whole).notices()).hasSize(2);
      assertThat(warnings).isEmpty();
    }
  }

  @Test
  void readHistory_tuples_areOfTheirKeys() throws IOException {
    History history =
        history(
            """
            {:type :invoke, :process 0, :f :write, :value [3 5]}
            {:type :ok, :process 0, :f :write, :value [3 5]}
            {:type :info, :process :nemesis, :f :start, :value nil}
            {:type :invoke, :process 1, :f :read, :value #jepsen.independent/tuple ["x" nil]}
            {:type :ok, :process 1, :f :read, :value ["x" nil]}
            {:type :invoke, :process 2, :f :cas, :value [3 [5 6]]}
            {:type :ok, :process 2, :f :cas, :value [3 [5 6]]}
            {:type :invoke, :process 3, :f :acquire, :value [:a {:client "c", :ttl 5}]}
            """);
    assertThat(history.calls()).extracting(Call::lock).containsExactly("3", "x", "3", "a");
    assertThat(history.calls())
        .extracting(call -> call.invocation().value().get("value"))
        .containsExactly(5L, null, List.of(5L, 6L), null);
    assertThat(history.calls().get(3).client()).isEqualTo("c");
  }

  @Test
  void readHistory_tuplesButForAnAnswerThatSaysNothing_areOfTheirKeys() throws IOException {
    for (String answer :
        List.of(
            ":info, :process 0, :f :write, :value nil",
            ":fail, :process 0, :f :write",
            ":info, :process 0, :f :write, :value :timed-out",
            ":ok, :process 0, :f :write, :value nil")) {
      History history =
          history(
              """
              {:type :invoke, :process 0, :f :write, :value [3 5]}
              {:type %s}
              {:type :info, :process 9, :f :note, :value nil}
              {:type :invoke, :process 1, :f :write, :value [4 5]}
              {:type :ok, :process 1, :f :write, :value [4 5]}
              """
                  .formatted(answer));
      assertThat(history.calls()).extracting(Call::lock).as(answer).containsExactly("3", "4");
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        ":invoke, :process 1, :f :acquire, :value nil",
        ":invoke, :process 1, :f :acquire, :value \"a\"",
        ":invoke, :process 1, :f :acquire, :value {:lock \"a\"}",
        ":invoke, :process 1, :f :write, :value 4",
        ":ok, :process 0, :f :acquire, :value 4",
        ":info, :process 1, :f :lost, :value nil",
      })
  void readHistory_tuplesAndOtherValues_areAnErrorOfTheLine(String other) {
    assertThatThrownBy(
            () ->
                history(
                    """
                    {:type :invoke, :process 2, :f :read, :value [3 nil]}
                    {:type :invoke, :process 0, :f :acquire, :value [3 nil]}
                    {:type %s}
                    """
                        .formatted(other)))
        .isInstanceOf(HistoryFormatException.class)
        .hasMessageContaining("history.edn, line 3: the value is no tuple [key value], though");
  }

  @Test
  void readHistory_listsOfAnyLength_areValues() throws IOException {
    History history =
        history(
            """
            {:type :invoke, :process 0, :f :write, :value [1 2]}
            {:type :invoke, :process 1, :f :write, :value [1 2 3]}
            {:type :invoke, :process 2, :f :write, :value 4}
            """);
    assertThat(history.calls()).extracting(Call::lock).containsOnly(Operation.UNNAMED_LOCK);
  }

  @Test
  void readHistory_pairsThatAreNoTuples_areValues() throws IOException {
    String cas =
        """
        {:type :invoke, :process 0, :f :cas, :value [1 2]}
        {:type :ok, :process 0, :f :cas, :value [1 2]}
        """;
    String pairs =
        """
        {:type :invoke, :process 0, :f :write, :value [1 2]}
        {:type :ok, :process 0, :f :write, :value [1 2]}
        {:type :invoke, :process 0, :f :read, :value nil}
        {:type :ok, :process 0, :f :read, :value [1 2]}
        """;
    for (String text : List.of(cas, pairs)) {
      Operation first = history(text).operations().get(0);
      assertThat(first.lock()).isEqualTo(Operation.UNNAMED_LOCK);
      assertThat(first.value()).isEqualTo(Map.of("value", List.of(1L, 2L)));
    }
  }

  @Test
  void readHistory_valueThatIsTheNameOfTheLock_isRead() throws IOException {
    History history =
        history(
            """
            {:type :invoke, :process 0, :f :acquire, :value "a"}
            {:type :invoke, :process 1, :f :acquire, :value :b}
            {:type :invoke, :process 2, :f :release, :value 7}
            {:type :invoke, :process 3, :f :write, :value 7}
            """);
    assertThat(history.calls())
        .extracting(Call::lock)
        .containsExactly("a", "b", "7", Operation.UNNAMED_LOCK);
  }

  @Test
  void readHistory_clientsThatAreNumbers_areTheProcessesOfThatNumber() throws IOException {
    History history =
        history(
            """
            {:type :invoke, :process 3, :f :acquire, :value nil}
            {:type :invoke, :process 4, :f :release, :value {:client 3}}
            {:type :info, :process :nemesis, :f :start, :value nil}
            """);
    assertThat(history.calls()).extracting(Call::client).containsExactly("3", "3");
    assertThat(history.nemesis().get(0).client()).isEqualTo("nemesis");
    assertThat(history(HELD).calls().get(0).client()).isEqualTo("process 0");
  }

  @Test
  void readHistory_clientOfTheAnswerAlone_isTheClient() throws IOException {
    History history =
        history(
            """
            {:type :invoke, :process 3, :f :acquire, :value {:lock "a"}}
            {:type :ok, :process 3, :f :acquire, :value {:lock "a", :client "x"}}
            {:type :invoke, :process 4, :f :release, :value {:lock "a"}}
            """);
    assertThat(history.calls()).extracting(Call::client).containsExactly("x", "process 4");
  }

  @Test
  void readHistory_answerOfAnotherLock_isAnErrorOfItsLine() {
    assertThatThrownBy(
            () ->
                history(
                    """
                    {:type :invoke, :process 3, :f :acquire, :value {:lock "a"}}
                    {:type :ok, :process 3, :f :acquire, :value {:lock "b"}}
                    """))
        .isInstanceOf(HistoryFormatException.class)
        .hasMessageContaining("history.edn, line 2: ")
        .hasMessageContaining("names another lock than its invocation, a");
  }

  @Test
  void readHistory_whatTheChangeTurnsAway_isAnErrorOfItsLine() {
    Path file = folder.resolve("history.edn");
    assertThatThrownBy(
            () ->
                HistoryReader.readHistory(
                    Files.writeString(file, "; one\n" + HELD),
                    operation -> {
                      throw new IllegalArgumentException("not wanted");
                    },
                    count -> {}))
        .isInstanceOf(HistoryFormatException.class)
        .hasMessageEndingWith("history.edn, line 2: not wanted");
  }

  private List<Operation> read(String text) throws IOException {
    return HistoryReader.read(Files.writeString(folder.resolve("history.edn"), text));
  }
}
