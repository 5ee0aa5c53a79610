package dev.holdfast.history;

import static dev.holdfast.history.Operation.Type.INFO;
import static dev.holdfast.history.Operation.Type.INVOKE;
import static dev.holdfast.history.Operation.Type.OK;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class HistoryTest {

  @Test
  void merge_severalWriters_isSortedRebasedAndIndexed() {
    History history =
        Histories.merge(
            List.of(
                List.of(
                    operation(500, INVOKE, 0, "acquire"),
                    operation(700, OK, 0, "acquire", "until", 900)),
                List.of(operation(400, INVOKE, 1, "acquire"), operation(700, INFO, 1, "acquire")),
                List.of(operation(600, INFO, Operation.NEMESIS, "start"))));
    assertThat(history.operations())
        .extracting(Operation::index)
        .containsExactly(0L, 1L, 2L, 3L, 4L);
    assertThat(history.operations())
        .extracting(Operation::time)
        .containsExactly(0L, 100L, 200L, 300L, 300L);
    assertThat(history.operations())
        .extracting(Operation::process)
        .containsExactly(1L, 0L, -1L, 0L, 1L);
    assertThat(history.operations().get(3).value()).isEqualTo(Map.of("until", 500L));
  }

  @Test
  void merge_oneProcessInTwoHistories_isRefused() {
    assertThatThrownBy(
            () ->
                Histories.merge(
                    List.of(
                        List.of(operation(1, INVOKE, 3, "acquire")),
                        List.of(operation(2, OK, 3, "acquire")))))
        .isInstanceOf(HistoryFormatException.class)
        .hasMessageContaining("process 3 occurs in two");
  }

  @Test
  void merge_nothing_isEmpty() {
    assertThat(Histories.merge(List.of()).operations()).isEmpty();
    assertThat(Histories.merge(List.of()).endNanos()).isZero();
  }

  @Test
  void of_answers_arePairedWithTheirInvocations() {
    History history =
        new HistoryScript()
            .ok(0, 50, "acquire", "lock", "a")
            .invoked(10, "release", "lock", "a")
            .lost(20, "c1", 1)
            .nemesis(30, "start")
            .build();
    assertThat(history.calls()).extracting(Call::f).containsExactly("acquire", "release");
    assertThat(history.calls()).extracting(Call::isOk).containsExactly(true, false);
    assertThat(history.calls())
        .extracting(Call::completedAt)
        .containsExactly(50_000_000L, Long.MAX_VALUE);
    assertThat(history.notices()).extracting(Operation::f).containsExactly("lost");
    assertThat(history.nemesis()).extracting(Operation::f).containsExactly("start");
  }

  @Test
  void of_nonsense_isRefused() {
    assertThatThrownBy(
            () -> History.of(List.of(operation(2, INVOKE, 0, "x"), operation(1, OK, 0, "x"))))
        .hasMessageContaining("earlier than the operation before it");
    assertThatThrownBy(
            () -> History.of(List.of(operation(1, INVOKE, 0, "x"), operation(1, INVOKE, 0, "x"))))
        .hasMessageContaining("before its process was done");
    assertThatThrownBy(() -> History.of(List.of(operation(1, OK, 0, "x"))))
        .hasMessageContaining("answers no invocation");
    assertThatThrownBy(
            () -> History.of(List.of(operation(1, INVOKE, 0, "x"), operation(1, OK, 0, "y"))))
        .hasMessageContaining("answers an invocation of x");
  }

  @Test
  void faults_startedStoppedAndMomentary_areFound() {
    History history =
        new HistoryScript()
            .nemesis(0, "start-partition", "target", "n1")
            .nemesis(10, "start-partition", "target", "n1")
            .nemesis(15, "start-partition", "target", "n2")
            .nemesis(20, "kill", "target", "n3")
            .nemesis(30, "stop-partition", "target", "n1")
            .nemesis(40, "stop-partition", "target", "n1")
            .nemesis(50, "start", "fault", "pause")
            .nemesis(60, "stop", "fault", "pause")
            .nemesis(70, "start", "fault", "pause")
            .nemesis(80, "kill", "target", "n3")
            .build();
    assertThat(FaultInterval.of(history))
        .containsExactly(
            fault("partition", "n1", 0, 40, true),
            fault("partition", "n2", 15, 80, false),
            fault("kill", "n3", 20, 20, true),
            fault("pause", "", 50, 60, true),
            fault("pause", "", 70, 80, false),
            fault("kill", "n3", 80, 80, true));
  }

  private static FaultInterval fault(
      String name, String target, long from, long to, boolean healed) {
    return new FaultInterval(name, target, from * 1_000_000, to * 1_000_000, healed);
  }

  private static Operation operation(
      long time, Operation.Type type, long process, String f, Object... value) {
    return new Operation(
        -1,
        time,
        type,
        process,
        f,
        value.length == 0 ? Map.of() : Map.of((String) value[0], value[1]));
  }
}
