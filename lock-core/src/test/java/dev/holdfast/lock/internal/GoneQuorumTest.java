package dev.holdfast.lock.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class GoneQuorumTest {
  private static final String GONE = "gone";
  private static final String SILENT = "silent";

  /** Which node was asked what, in that order. */
  private final List<String> asked = new ArrayList<>();

  /** Answers so to each operation, unless it is one that it knows. */
  private Function<List<String>, CompletableFuture<List<String>>> node(
      int number, String answer, List<String> known) {
    return operations -> {
      asked.add(number + " " + String.join(",", operations));
      return answer.equals(SILENT)
          ? CompletableFuture.failedFuture(new IOException("n" + number + " is silent"))
          : CompletableFuture.completedFuture(
              operations.stream().map(each -> known.contains(each) ? "applied" : answer).toList());
    };
  }

  private static GoneQuorum<String, String> of(
      List<Function<List<String>, CompletableFuture<List<String>>>> nodes) {
    return new GoneQuorum<>(nodes, GONE::equals, (gone, why) -> "unknown: " + why);
  }

  private GoneQuorum<String, String> quorum(String... answers) {
    return of(
        IntStream.range(0, answers.length).mapToObj(i -> node(i, answers[i], List.of())).toList());
  }

  @Test
  void ask_theSingleNode_isBelieved() {
    assertThat(quorum(GONE).ask(List.of("a")).join()).containsExactly(GONE);
    assertThat(asked).containsExactly("0 a");
  }

  @Test
  void ask_aMajorityOfNodes_isBelieved_whenTheOthersDoNotAnswer() {
    assertThat(quorum(GONE, GONE, SILENT).ask(List.of("a")).join()).containsExactly(GONE);
    assertThat(quorum(SILENT, GONE, GONE).ask(List.of("a")).join()).containsExactly(GONE);
  }

  @Test
  void ask_aMajorityOfNodes_isNotBelieved_whenOneKnowsBetter() {
    assertThat(quorum(GONE, GONE, "applied").ask(List.of("a")).join()).containsExactly("applied");
    assertThat(asked).containsExactly("0 a", "1 a", "2 a");
  }

  @Test
  void ask_halfOfTheNodes_isNotEnough() {
    assertThat(quorum(GONE, SILENT).ask(List.of("a")).join())
        .singleElement()
        .asString()
        .contains("1 of 2 nodes", "n1 is silent");
    assertThat(quorum(GONE, GONE, SILENT, SILENT).ask(List.of("a")).join())
        .singleElement()
        .asString()
        .contains("2 of 4 nodes");
  }

  @Test
  void ask_nobodyAnswers_fails() {
    assertThatThrownBy(() -> quorum(SILENT, SILENT).ask(List.of("a")).join())
        .hasMessageContaining("0 of 2 nodes")
        .hasMessageContaining("is silent");
  }

  @Test
  void ask_onlyWhatIsStillGone_isSentOn_andResultsKeepTheirPlaces() {
    GoneQuorum<String, String> quorum =
        of(
            List.of(
                node(0, GONE, List.of("b")),
                node(1, GONE, List.of("d")),
                node(2, GONE, List.of())));

    assertThat(quorum.ask(List.of("a", "b", "c", "d")).join())
        .containsExactly(GONE, "applied", GONE, "applied");
    assertThat(asked).containsExactly("0 a,b,c,d", "1 a,c,d", "2 a,c");
  }

  @Test
  void ask_aNodeThatDoesNotAnswer_isNotAskedFirstNextTime() {
    GoneQuorum<String, String> quorum = quorum(SILENT, GONE, GONE);
    quorum.ask(List.of("a")).join();
    asked.clear();

    assertThat(quorum.ask(List.of("b")).join()).containsExactly(GONE);
    assertThat(asked.get(0)).isEqualTo("1 b");
  }

  @Test
  void ask_givenUp_asksNobodyElse_givesUpTheRequest_andBeginsWithAnotherNextTime() {
    CompletableFuture<List<String>> request = new CompletableFuture<>();
    GoneQuorum<String, String> quorum =
        of(
            List.of(
                operations -> {
                  asked.add("0 " + String.join(",", operations));
                  return request;
                },
                node(1, "applied", List.of())));

    quorum.ask(List.of("a")).cancel(false);

    assertThat(request).isCancelled();
    assertThat(asked).containsExactly("0 a");
    assertThat(quorum.ask(List.of("b")).join()).containsExactly("applied");
    assertThat(asked).containsExactly("0 a", "1 b");
  }

  @Test
  void ask_anotherNumberOfAnswers_isNoVote() {
    GoneQuorum<String, String> quorum =
        of(
            List.of(
                operations -> CompletableFuture.completedFuture(List.of()),
                node(1, GONE, List.of())));

    assertThat(quorum.ask(List.of("a")).join()).singleElement().asString().contains("1 of 2");
  }

  @Test
  void ask_aLongFailure_isShortened() {
    GoneQuorum<String, String> quorum =
        of(
            List.of(
                operations -> CompletableFuture.failedFuture(new IOException("x".repeat(100_000))),
                node(1, GONE, List.of())));

    assertThat(quorum.ask(List.of("a")).join())
        .allSatisfy(result -> assertThat(result).hasSizeLessThan(2 * Texts.MAX_SHORTENED));
  }

  @Test
  void constructor_noNodes_isRefused() {
    assertThatIllegalArgumentException().isThrownBy(this::quorum);
  }
}
