package dev.holdfast.history.check;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.history.History;
import dev.holdfast.history.HistoryReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Histories in the forms in which Jepsen, Knossos and Porcupine publish theirs. */
class PublishedHistoriesTest {

  @TempDir Path folder;

  @Test
  void casRegister_crashedWriteThatTakesEffectLater_isValid() throws IOException {
    assertVerdict(
        Verdict.VALID,
        "cas-register",
        """
        {:process 4, :type :invoke, :f :write, :value 4}
        {:process 3, :type :invoke, :f :cas, :value [1 4]}
        {:process 1, :type :invoke, :f :read, :value nil}
        {:process 1, :type :ok, :f :read, :value nil}
        {:process 4, :type :info, :f :write, :value 4, :error :timeout}
        {:process 3, :type :fail, :f :cas, :value [1 4]}
        {:process 2, :type :invoke, :f :write, :value 1}
        {:process 2, :type :ok, :f :write, :value 1}
        {:process 2, :type :invoke, :f :read, :value nil}
        {:process 2, :type :ok, :f :read, :value 4}
        {:process 9, :type :invoke, :f :cas, :value [4 0]}
        {:process 9, :type :ok, :f :cas, :value [4 0]}
        {:process :nemesis, :type :info, :f :start, :value "Cut off {:n1 #{:n2}}"}
        {:process 1, :type :invoke, :f :read, :value nil}
        {:process 1, :type :info, :f :read, :value nil, :error :timeout}
        """);
  }

  @Test
  void casRegister_crashedWriteThatTakesEffectTwice_isInvalid() throws IOException {
    assertVerdict(
        Verdict.INVALID,
        "cas-register",
        """
        [{:process 0 :type :invoke :f :write :value 4}
         {:process 0 :type :info   :f :write :value 4}
         {:process 1 :type :invoke :f :write :value 1}
         {:process 1 :type :ok     :f :write :value 1}
         {:process 1 :type :invoke :f :read  :value nil}
         {:process 1 :type :ok     :f :read  :value 4}
         {:process 1 :type :invoke :f :write :value 2}
         {:process 1 :type :ok     :f :write :value 2}
         {:process 1 :type :invoke :f :read  :value nil}
         {:process 1 :type :ok     :f :read  :value 4}]
        """);
  }

  @Test
  void casRegister_concurrentCompareAndSets_onlyOneOfThemCanWin() throws IOException {
    String both =
        """
        {:process 0, :type :invoke, :f :write, :value 0, :time 1, :index 0}
        {:process 0, :type :ok, :f :write, :value 0, :time 2, :index 1}
        {:process 1, :type :invoke, :f :cas, :value [0 1], :time 3, :index 2}
        {:process 2, :type :invoke, :f :cas, :value [0 2], :time 4, :index 3}
        {:process 1, :type :ok, :f :cas, :value [0 1], :time 5, :index 4}
        {:process 2, :type :ok, :f :cas, :value [0 2], :time 6, :index 5}
        """;
    assertVerdict(Verdict.INVALID, "cas-register", both);
    assertVerdict(
        Verdict.VALID,
        "cas-register",
        both.replace(":ok, :f :cas, :value [0 2]", ":fail, :f :cas, :value [0 2]"));
  }

  @Test
  void register_readsOnEitherSideOfAConcurrentWrite_doNotGoBack() throws IOException {
    String forth =
        """
        {"process": 0, "type": "invoke", "f": "write", "value": "new"}
        {"process": 1, "type": "invoke", "f": "read", "value": null}
        {"process": 1, "type": "ok", "f": "read", "value": null}
        {"process": 2, "type": "invoke", "f": "read", "value": null}
        {"process": 2, "type": "ok", "f": "read", "value": "new"}
        {"process": 0, "type": "ok", "f": "write", "value": "new"}
        """;
    String back =
        forth
            .replace("\"read\", \"value\": \"new\"", "\"read\", \"value\": \"x\"")
            .replace(
                "\"type\": \"ok\", \"f\": \"read\", \"value\": null",
                "\"type\": \"ok\", \"f\": \"read\", \"value\": \"new\"")
            .replace("\"read\", \"value\": \"x\"", "\"read\", \"value\": null");
    assertVerdict(Verdict.VALID, "register", forth);
    assertVerdict(Verdict.INVALID, "register", back);
  }

  @Test
  void locks_withValuesOfOneKeyOrNone_takeTheProcessAsTheClient() throws IOException {
    String mutex =
        """
        {:process 0, :type :invoke, :f :acquire, :value nil}
        {:process 0, :type :ok, :f :acquire, :value nil}
        {:process 1, :type :invoke, :f :release, :value nil}
        {:process 1, :type :ok, :f :release, :value nil}
        """;
    assertVerdict(Verdict.VALID, "mutex", mutex);
    assertVerdict(Verdict.INVALID, "owner-mutex", mutex);

    String fenced =
        """
        {:process 0, :type :invoke, :f :acquire, :value nil}
        {:process 0, :type :ok, :f :acquire, :value {:fence 3}}
        {:process 0, :type :invoke, :f :release, :value nil}
        {:process 0, :type :ok, :f :release, :value nil}
        {:process 1, :type :invoke, :f :acquire, :value nil}
        {:process 1, :type :ok, :f :acquire, :value {:fence 4}}
        """;
    assertVerdict(Verdict.VALID, "fenced-mutex", fenced);
    assertVerdict(Verdict.INVALID, "fenced-mutex", fenced.replace(":fence 4", ":fence 3"));
  }

  @Test
  void locks_thatValuesOrTuplesName_areCheckedOneByOne() throws IOException {
    for (List<String> name :
        List.of(List.of("\"a\"", "\"b\""), List.of("[1 nil]", "[2 nil]"), List.of(":a", ":b"))) {
      String both =
          """
          {:process 0, :type :invoke, :f :acquire, :value A}
          {:process 0, :type :ok, :f :acquire, :value A}
          {:process 1, :type :invoke, :f :acquire, :value B}
          {:process 1, :type :ok, :f :acquire, :value B}
          """;
      String two = both.replace(":value A", ":value " + name.get(0));
      assertVerdict(Verdict.VALID, "mutex", two.replace(":value B", ":value " + name.get(1)));
      assertVerdict(Verdict.INVALID, "mutex", two.replace(":value B", ":value " + name.get(0)));
    }
  }

  @Test
  void register_timesThatGoBack_areInTheOrderOfTheLines() throws IOException {
    String text =
        """
        {:process 0, :type :invoke, :f :write, :value 1, :time 100}
        {:process 0, :type :ok, :f :write, :value 1, :time 120}
        {:process 1, :type :invoke, :f :read, :value nil, :time 119}
        {:process 1, :type :ok, :f :read, :value 1, :time 130}
        """;
    assertVerdict(Verdict.VALID, "register", text);
    assertVerdict(
        Verdict.INVALID, "register", text.replace(":read, :value 1", ":read, :value nil"));
  }

  /** The value is the whole map, wherever it stands. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{:a 1}|{:a 2}",
        "{:a 1}|{:b 1}",
        "{:a 1}|nil",
        "{}|nil",
        "{}|{:a 1}",
        "{:a {:b [1 2]}}|{:a {:b [2 1]}}",
        "#{1 2}|#{1 3}",
        "[{:a 1} 3]|[{:a 2} 3]",
        "{:lock \"x\", :a 1}|{:lock \"x\", :a 2}",
        "{:lock \"x\", :value {:a 1}}|{:lock \"x\", :value {:a 2}}",
        "[\"x\" {:a 1}]|[\"x\" {:a 2}]",
        "[\"x\" {:lock 1}]|[\"x\" {:lock 2}]",
      })
  void register_valuesThatAreMapsOrLists_areCompared(String written, String other)
      throws IOException {
    String text =
        """
        {:process 0, :type :invoke, :f :write, :value WRITTEN}
        {:process 0, :type :ok, :f :write, :value WRITTEN}
        {:process 1, :type :invoke, :f :read, :value ASKED}
        {:process 1, :type :ok, :f :read, :value SEEN}
        """
            .replace("WRITTEN", written)
            .replace("ASKED", written.startsWith("[\"x") ? "[\"x\" nil]" : "nil")
            .replace("nil}\n", written.startsWith("{:lock") ? "{:lock \"x\"}}\n" : "nil}\n");
    assertVerdict(Verdict.VALID, "register", text.replace("SEEN", written));
    assertVerdict(Verdict.INVALID, "register", text.replace("SEEN", other));
  }

  /** Made of the same elements in another order, and more of them than stay in order by chance. */
  @Test
  void register_equalSetsInAnyOrder_areEqual() throws IOException {
    assertVerdict(
        Verdict.VALID,
        "register",
        """
        {:process 0, :type :invoke, :f :write, :value #{1 17 33 "a" "b"}}
        {:process 0, :type :ok, :f :write, :value #{1 17 33 "a" "b"}}
        {:process 1, :type :invoke, :f :read, :value nil}
        {:process 1, :type :ok, :f :read, :value #{"b" 33 17 "a" 1}}
        """);
  }

  /** A lease of 10 s, and a clock that is behind by as much as is given. */
  @Test
  void leases_measuredByTimesThatGoBack_areNotJudged() throws IOException {
    String text =
        """
        {:process 0, :type :invoke, :f :acquire, :value {:ttl 10000}, :time 50000000000}
        {:process 0, :type :ok, :f :acquire, :value {:ttl 10000}, :time 51000000000}
        {:process 1, :type :invoke, :f :acquire, :value {:ttl 10000}, :time BACK}
        {:process 1, :type :ok, :f :acquire, :value {:ttl 10000}, :time 58000000000}
        """;
    String far = text.replace("BACK", "50000000000");
    String near = text.replace("BACK", "50999000000");
    for (Checker checker :
        List.of(
            new LinearizabilityChecker("lease", Duration.ofMinutes(1)),
            new MutualExclusionChecker(),
            new TtlExpiryChecker(0.02))) {
      Result doubt = checker.check(history(far));
      assertThat(doubt.verdict()).as(checker.name()).isEqualTo(Verdict.UNKNOWN);
      assertThat(doubt.summary()).contains("times go back by up to 1.000 s", "lease of 10.000 s");
      assertThat(checker.check(history(near)).verdict()).isEqualTo(Verdict.INVALID);
    }
    assertVerdict(Verdict.INVALID, "mutex", far);
    assertVerdict(Verdict.INVALID, "lease", far.replaceAll("\\{:ttl 10000}", "nil"));
  }

  private History history(String text) throws IOException {
    Path file = Files.writeString(folder.resolve("history"), text);
    return HistoryReader.readHistory(file, UnaryOperator.identity(), count -> {});
  }

  private void assertVerdict(Verdict verdict, String model, String text) throws IOException {
    Path file = Files.writeString(folder.resolve("history"), text);
    History history = HistoryReader.readHistory(file, UnaryOperator.identity(), count -> {});
    Result result = new LinearizabilityChecker(model, Duration.ofMinutes(1)).check(history);
    assertThat(result.verdict()).as("%s: %s", text, result).isEqualTo(verdict);
  }
}
