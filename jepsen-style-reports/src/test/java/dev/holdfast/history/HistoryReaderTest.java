package dev.holdfast.history;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

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
        "{:type :maybe, :process 0, :f :x}| :type must be :invoke, :ok, :fail or :info, but is maybe",
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

  private List<Operation> read(String text) throws IOException {
    return HistoryReader.read(Files.writeString(folder.resolve("history.edn"), text));
  }
}
