package dev.holdfast.history;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class OperationTest {

  @Test
  void toEdn_client_isOneMapInTheFixedOrder() {
    Map<String, Object> value = new LinkedHashMap<>();
    value.put("ttl", 2000);
    value.put("zone", "x");
    value.put("fence", 17);
    value.put("client", "c1");
    value.put("attempt", 2);
    value.put("lock", "a");
    assertThat(new Operation(0, 1234, Operation.Type.INVOKE, 3, "acquire", value).toEdn())
        .isEqualTo(
            "{:index 0, :time 1234, :type :invoke, :process 3, :f :acquire, :value {:lock \"a\","
                + " :client \"c1\", :fence 17, :ttl 2000, :attempt 2, :zone \"x\"}}");
  }

  @Test
  void toEdn_nemesisWithoutIndexAndValue_saysNemesisAndNil() {
    assertThat(
            new Operation(-1, 5, Operation.Type.INFO, Operation.NEMESIS, "start", Map.of()).toEdn())
        .isEqualTo("{:time 5, :type :info, :process :nemesis, :f :start, :value nil}");
  }

  @Test
  void toEdn_lineBreaksQuotesControlsAndHalfSurrogates_areEscaped() {
    assertThat(
            new Operation(
                    -1,
                    5,
                    Operation.Type.FAIL,
                    1,
                    "acquire",
                    Map.of("lock", "a\n\"\\\0ü😀"),
                    "\ud800\r")
                .toEdn())
        .isEqualTo(
            "{:time 5, :type :fail, :process 1, :f :acquire, :value {:lock"
                + " \"a\\n\\\"\\\\\\u0000ü😀\"}, :error \"\\ud800\\r\"}");
  }

  @Test
  void constructor_valueChangedLater_keepsItsCopy() {
    List<Object> list = new ArrayList<>(List.of(1));
    Map<String, Object> value = new LinkedHashMap<>(Map.of("list", list));
    Operation operation = new Operation(0, 0, Operation.Type.OK, 0, "x", value);
    list.add(2);
    value.clear();
    assertThat(operation.value()).isEqualTo(Map.of("list", List.of(1L)));
    assertThatThrownBy(() -> operation.value().clear())
        .isInstanceOf(UnsupportedOperationException.class);
  }

  @Test
  void constructor_nonsense_saysWhatIsWrong() {
    assertThatThrownBy(() -> operation(-2, 0, "x", Map.of())).hasMessageContaining("index");
    assertThatThrownBy(() -> operation(0, -2, "x", Map.of())).hasMessageContaining("process");
    assertThatThrownBy(() -> operation(0, 0, "a b", Map.of())).hasMessageContaining("\"a b\"");
    assertThatThrownBy(() -> operation(0, 0, "x", Map.of("fence", "17")))
        .hasMessageContaining("fence must be a whole number");
    assertThatThrownBy(() -> operation(0, 0, "x", Map.of("ttl", -1))).hasMessageContaining("ttl");
    assertThatThrownBy(() -> operation(0, 0, "x", Map.of("at", new Object())))
        .hasMessageContaining("java.lang.Object cannot be recorded");
    assertThatThrownBy(() -> operation(0, 0, "x", Map.of("n", Double.NaN)))
        .hasMessageContaining("finite");
  }

  @Test
  void client_absent_isTheProcess() {
    assertThat(operation(0, 3, "x", Map.of()).client()).isEqualTo("process 3");
    assertThat(operation(0, 3, "x", Map.of("client", 7)).client()).isEqualTo("7");
  }

  private static Operation operation(
      long index, long process, String f, Map<String, Object> value) {
    return new Operation(index, 0, Operation.Type.OK, process, f, value);
  }
}
