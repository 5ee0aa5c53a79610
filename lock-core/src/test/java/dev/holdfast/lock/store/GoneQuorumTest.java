package dev.holdfast.lock.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class GoneQuorumTest {
  private static final String GONE = "gone";

  /** Which node was asked what, in that order. */
  private final List<String> asked = new ArrayList<>();

  private Function<List<String>, CompletableFuture<List<String>>> node(int number, String answer) {
    return operations -> {
      asked.add(number + " " + String.join(",", operations));
      return answer.equals("silent")
          ? CompletableFuture.failedFuture(new IOException("n" + number + " is silent"))
          : CompletableFuture.completedFuture(
              operations.stream().map(operation -> answer).toList());
    };
  }

  private GoneQuorum<String, String> quorum(String... answers) {
    return new GoneQuorum<>(
        IntStream.range(0, answers.length).mapToObj(i -> node(i, answers[i])).toList(),
        GONE::equals,
        (gone, why) -> "unknown: " + why);
  }

  @Test
  void confirmed_nothingIsGone_asksNobody() {
    List<String> results = List.of("applied", "conflict");

    assertThat(quorum(GONE).confirmed(List.of("a", "b"), results).join()).isEqualTo(results);
    assertThat(asked).isEmpty();
  }

  @Test
  void confirmed_aMajorityOfNodes_isBelieved_andNoMoreAreAsked() {
    assertThat(quorum(GONE, GONE, "applied").confirmed(List.of("a"), List.of(GONE)).join())
        .containsExactly(GONE);
    assertThat(asked).containsExactly("0 a", "1 a");
  }

  @Test
  void confirmed_theSingleNode_isAskedAgain() {
    assertThat(quorum(GONE).confirmed(List.of("a"), List.of(GONE)).join()).containsExactly(GONE);
    assertThat(asked).containsExactly("0 a");
  }

  @Test
  void confirmed_halfOfTheNodes_isNotEnough() {
    assertThat(quorum(GONE, "silent").confirmed(List.of("a"), List.of(GONE)).join())
        .singleElement()
        .asString()
        .contains("1 of 2 nodes", "n1 is silent");
    assertThat(quorum(GONE, GONE, "silent", "silent").confirmed(List.of("a"), List.of(GONE)).join())
        .singleElement()
        .asString()
        .contains("2 of 4 nodes");
  }

  @Test
  void confirmed_anyNodeCarriesItOut_isItsResult() {
    assertThat(quorum(GONE, "silent", "applied").confirmed(List.of("a"), List.of(GONE)).join())
        .containsExactly("applied");
  }

  @Test
  void confirmed_onlyWhatIsGone_isSentAgain_andResultsKeepTheirPlaces() {
    GoneQuorum<String, String> quorum = quorum("applied", GONE, GONE);

    assertThat(quorum.confirmed(List.of("a", "b", "c", "d"), List.of("x", GONE, "y", GONE)).join())
        .containsExactly("x", "applied", "y", "applied");
    assertThat(asked).containsExactly("0 b,d");
  }

  @Test
  void confirmed_aNodeThatDoesNotAnswer_isNotAskedFirstNextTime() {
    GoneQuorum<String, String> quorum = quorum("silent", GONE, GONE);
    quorum.confirmed(List.of("a"), List.of(GONE)).join();
    asked.clear();

    assertThat(quorum.confirmed(List.of("b"), List.of(GONE)).join()).containsExactly(GONE);
    assertThat(asked).containsExactly("1 b", "2 b");
  }

  @Test
  void confirmed_anotherNumberOfAnswers_isNoVote() {
    GoneQuorum<String, String> quorum =
        new GoneQuorum<>(
            List.of(operations -> CompletableFuture.completedFuture(List.of())),
            GONE::equals,
            (gone, why) -> "unknown: " + why);

    assertThat(quorum.confirmed(List.of("a"), List.of(GONE)).join())
        .containsExactly("unknown: 0 of 1 nodes say that the index is gone");
    assertThat(quorum.confirmed(List.of("a"), List.of()).join()).isEmpty();
  }

  @Test
  void confirmed_givenUp_asksNobodyElse_andGivesUpTheRequest() {
    CompletableFuture<List<String>> request = new CompletableFuture<>();
    GoneQuorum<String, String> quorum =
        new GoneQuorum<>(
            List.of(operations -> request, node(1, GONE)), GONE::equals, (gone, why) -> why);

    quorum.confirmed(List.of("a"), List.of(GONE)).cancel(false);

    assertThat(request).isCancelled();
    assertThat(asked).isEmpty();
  }

  @Test
  void constructor_noNodes_isRefused() {
    assertThatIllegalArgumentException().isThrownBy(this::quorum);
  }
}
