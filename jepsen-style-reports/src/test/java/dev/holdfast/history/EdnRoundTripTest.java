package dev.holdfast.history;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.EdgeCasesMode;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

class EdnRoundTripTest {

  @Property(tries = 1000, edgeCases = EdgeCasesMode.NONE)
  void readLines_whatWasWritten_isTheSame(
      @ForAll("operations") Operation first, @ForAll("operations") Operation second)
      throws IOException {
    assertThat(read(first.toEdn() + "\n" + second.toEdn() + "\n")).containsExactly(first, second);
  }

  @Property(tries = 200, edgeCases = EdgeCasesMode.NONE)
  void readVector_whatWasWritten_isTheSame(
      @ForAll("operations") Operation first, @ForAll("operations") Operation second)
      throws IOException {
    assertThat(read("[" + first.toEdn() + "\n " + second.toEdn() + "]"))
        .containsExactly(first, second);
  }

  private static List<Operation> read(String text) throws IOException {
    Path file = Files.createTempFile("history", ".edn");
    try {
      Files.writeString(file, text);
      return HistoryReader.read(file);
    } finally {
      Files.delete(file);
    }
  }

  @Provide
  Arbitrary<Operation> operations() {
    return Combinators.combine(
            Arbitraries.longs().greaterOrEqual(0),
            Arbitraries.longs(),
            Arbitraries.of(Operation.Type.class),
            Arbitraries.longs().greaterOrEqual(-1),
            Arbitraries.of("acquire", "start-partition", "x?", "<=>", "A.b*c!"),
            values(),
            Arbitraries.strings().all().injectNull(0.5))
        .as(Operation::new);
  }

  private static Arbitrary<Map<String, Object>> values() {
    Arbitrary<String> keys =
        Arbitraries.oneOf(
                Arbitraries.strings().all().ofMaxLength(8),
                Arbitraries.of("lock", "client", "a-b", "", "a/b", ":x", "nil"))
            .filter(key -> !Set.of("fence", "ttl", "until").contains(key));
    Arbitrary<Object> scalars =
        Arbitraries.oneOf(
            Arbitraries.strings().all().map(x -> x),
            Arbitraries.longs().map(x -> x),
            Arbitraries.of(true, false).map(x -> x),
            Arbitraries.doubles().map(x -> x),
            Arbitraries.bigIntegers()
                .between(BigInteger.ONE.shiftLeft(64), BigInteger.ONE.shiftLeft(80))
                .map(x -> x));
    Arbitrary<Object> nested =
        Arbitraries.oneOf(
            scalars,
            scalars.list().ofMaxSize(3).map(x -> x),
            Arbitraries.maps(keys, scalars).ofMaxSize(3).map(x -> x));
    return Arbitraries.maps(keys, nested).ofMaxSize(5);
  }
}
