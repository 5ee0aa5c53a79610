package dev.holdfast.history;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
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

  private List<Operation> read(String text) throws IOException {
    return HistoryReader.read(Files.writeString(folder.resolve("history.edn"), text));
  }
}
