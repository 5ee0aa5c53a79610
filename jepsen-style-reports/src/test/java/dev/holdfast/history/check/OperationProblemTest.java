package dev.holdfast.history.check;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.history.Operation;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Which operations a model can check or leave out, and what is said of others. */
class OperationProblemTest {
  private final LinearizabilityChecker lease = checker("lease");
  private final LinearizabilityChecker register = checker("cas-register");

  private static LinearizabilityChecker checker(String model) {
    return new LinearizabilityChecker(model, Duration.ofSeconds(10));
  }

  private static Operation operation(Operation.Type type, String f, Map<String, Object> value) {
    return new Operation(Operation.NO_INDEX, 0, type, 1, f, value);
  }

  private static @Nullable String problem(LinearizabilityChecker checker, String f) {
    return checker.problem(operation(Operation.Type.INVOKE, f, Map.of("lock", "a")));
  }

  @Test
  void operations_ofTheModel_areNoProblem() {
    assertThat(problem(lease, "acquire")).isNull();
    assertThat(problem(lease, "renew")).isNull();
    assertThat(problem(register, "read")).isNull();
  }

  @Test
  void operations_ofTheResourceBehindALock_andNotices_areLeftOut() {
    for (String f : List.of("write", "increment", "lost", "expire")) {
      assertThat(problem(lease, f)).as(f).isNull();
    }
    assertThat(problem(register, "increment")).contains("does not know increment");
    assertThat(problem(register, "lost")).contains("does not know lost");
    assertThat(problem(register, "expire")).contains("does not know expire");
  }

  @Test
  void operations_thatNoModelHas_areNamed_withThoseThatItHas() {
    assertThat(problem(lease, "frobnicate"))
        .startsWith("the model does not know frobnicate; lease has acquire, ");
    assertThat(problem(register, "acquire"))
        .isEqualTo("the model does not know acquire; cas-register has cas, read, write");
  }

  @Test
  void value_besideOtherKeys_isNone_ofARegister() {
    Map<String, Object> both = Map.of("value", 1, "weight", 2);
    assertThat(register.problem(operation(Operation.Type.INVOKE, "write", both)))
        .isEqualTo("what the value is cannot be told: beside the key value it has weight");
    assertThat(register.problem(operation(Operation.Type.INVOKE, "write", Map.of("value", 1))))
        .isNull();
    assertThat(lease.problem(operation(Operation.Type.INVOKE, "acquire", both))).isNull();
  }

  @Test
  void cas_takesAPair_whenItIsInvoked() {
    Map<String, Object> pair = Map.of("value", List.of(1, 2));
    Map<String, Object> three = Map.of("value", List.of(1, 2, 3));
    assertThat(register.problem(operation(Operation.Type.INVOKE, "cas", pair))).isNull();
    for (Map<String, Object> wrong : List.of(three, Map.<String, Object>of("value", 1))) {
      assertThat(register.problem(operation(Operation.Type.INVOKE, "cas", wrong)))
          .startsWith("the value of a cas must be a pair");
      assertThat(register.problem(operation(Operation.Type.OK, "cas", wrong))).isNull();
    }
  }

  @Test
  void names_tellTheModel() {
    assertThat(checker("semaphore:2").name()).isEqualTo("linearizable-semaphore-2");
    assertThat(LinearizabilityChecker.isName("linearizable-lease")).isTrue();
    assertThat(LinearizabilityChecker.isName("fencing")).isFalse();
  }
}
