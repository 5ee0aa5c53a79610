package dev.holdfast.history.check;

import static dev.holdfast.history.Operation.Type.FAIL;
import static dev.holdfast.history.Operation.Type.INFO;
import static dev.holdfast.history.Operation.Type.OK;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.history.History;
import dev.holdfast.history.HistoryScript;
import dev.holdfast.history.Operation;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The search for an order beside trying all orders. */
class EveryOrderTest {

  private static final Duration LIMIT = Duration.ofMinutes(1);
  private static final int HISTORIES = 10_000;

  /** Small random histories, and the verdict by trying all orders. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "mutex",
        "owner-mutex",
        "reentrant-mutex:2",
        "fenced-mutex",
        "semaphore:2",
        "lease",
        "register",
        "cas-register"
      })
  void check_randomHistories_agreesWithTryingAllOrders(String model) {
    SplittableRandom random = new SplittableRandom(model.hashCode());
    int valid = 0;
    int invalid = 0;
    for (int judged = 0; judged < HISTORIES; ) {
      History history = random(random, model);
      Verdict verdict = new LinearizabilityChecker(model, LIMIT).check(history).verdict();
      if (verdict != Verdict.UNKNOWN) { // nothing succeeded: not judged
        boolean explained = EveryOrder.explains(model, history);
        assertThat(verdict)
            .as("%s", history.operations())
            .isEqualTo(explained ? Verdict.VALID : Verdict.INVALID);
        valid += explained ? 1 : 0;
        invalid += explained ? 0 : 1;
        judged++;
      }
    }
    assertThat(valid).as("valid ones").isGreaterThan(HISTORIES / 20);
    assertThat(invalid).as("invalid ones").isGreaterThan(HISTORIES / 20);
  }

  /** Cut after each answer: the first of these that nothing explains is the one that is named. */
  @ParameterizedTest
  @ValueSource(strings = {"owner-mutex", "lease", "cas-register"})
  void violation_randomHistories_namesTheSmallestFailingPrefix(String model) {
    SplittableRandom random = new SplittableRandom(model.hashCode());
    for (int found = 0; found < HISTORIES / 10; ) {
      History history = inDistinctMoments(random(random, model));
      Result result = new LinearizabilityChecker(model, LIMIT).check(history);
      if (result.verdict() == Verdict.INVALID) {
        found++;
        int length = 1;
        while (EveryOrder.explains(model, History.of(history.operations().subList(0, length)))) {
          length++;
        }
        assertThat(result.details().get(0))
            .as("%s", history.operations())
            .containsPattern("\\(operations \\d+ and " + (length - 1) + "\\D");
      }
    }
  }

  private static History random(SplittableRandom random, String model) {
    HistoryScript script = new HistoryScript();
    int calls = 2 + random.nextInt(4);
    for (int i = 0; i < calls; i++) {
      long from = random.nextInt(12);
      long to = from + random.nextInt(6);
      Operation.Type type = random.nextInt(8) == 0 ? INFO : random.nextInt(10) == 0 ? FAIL : OK;
      if (model.endsWith("register")) {
        String f =
            List.of("read", "write", "cas").get(random.nextInt(model.equals("register") ? 2 : 3));
        Object value =
            f.equals("cas") ? List.of(random.nextInt(2), random.nextInt(2)) : random.nextInt(2);
        script.call(from, to, type, f, "value", value);
      } else {
        boolean hasLeases = model.equals("lease") || model.equals("fenced-mutex");
        String f =
            List.of("acquire", "release", "acquire", "renew")
                .get(random.nextInt(hasLeases ? 4 : 2));
        // Tokens in most cases as they ought to be: rising, and none where nobody was told.
        long fence =
            f.equals("acquire") && random.nextInt(4) > 0 ? 1 + from : 1 + random.nextInt(12);
        List<Object> value =
            new ArrayList<>(List.of("lock", "a", "client", "c" + random.nextInt(2), "ttl", 3));
        if (random.nextInt(4) > 0) {
          value.addAll(List.of("fence", fence));
        }
        script.call(from, to, type, f, value.toArray());
      }
    }
    return script.build();
  }

  /** The same in the same order, but no two things at the same time. */
  private static History inDistinctMoments(History history) {
    List<Operation> apart = new ArrayList<>();
    for (Operation operation : history.operations()) {
      apart.add(
          new Operation(
              operation.index(),
              operation.time() + operation.index(),
              operation.type(),
              operation.process(),
              operation.f(),
              operation.value()));
    }
    return History.of(apart);
  }
}
