package dev.holdfast.lock;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.lock.internal.Texts;
import dev.holdfast.lock.store.Incarnation;
import dev.holdfast.lock.store.Version;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

class FencingTokenTest {
  private static final long MAX_TERM = (1L << 12) - 1;
  private static final long MAX_SEQ_NO = (1L << 37) - 1;

  @Property
  void order_ofTokens_isThatOfTheirTexts(
      @ForAll("tokens") FencingToken one, @ForAll("tokens") FencingToken other) {
    assertThat(Integer.signum(one.compareTo(other)))
        .isEqualTo(Integer.signum(one.toString().compareTo(other.toString())));
    assertThat(one.compareTo(other) == 0).isEqualTo(one.equals(other));
  }

  @Property
  void order_ofTokensThatFit_isThatOfTheirLongs(
      @ForAll("smallTokens") FencingToken one, @ForAll("smallTokens") FencingToken other) {
    assertThat(Integer.signum(one.compareTo(other)))
        .isEqualTo(Integer.signum(Long.compare(one.toLong(), other.toLong())));
    assertThat(one.toLong()).isNotNegative();
  }

  @Property
  void order_isThatOfEraThenTermThenSequenceNumberThenHandoff(
      @ForAll("tokens") FencingToken one, @ForAll("tokens") FencingToken other) {
    int expected = Integer.compare(one.era(), other.era());
    expected = expected != 0 ? expected : Long.compare(one.primaryTerm(), other.primaryTerm());
    expected = expected != 0 ? expected : Long.compare(one.seqNo(), other.seqNo());
    expected = expected != 0 ? expected : Integer.compare(one.handoff(), other.handoff());

    assertThat(Integer.signum(one.compareTo(other))).isEqualTo(Integer.signum(expected));
  }

  @Property
  void parse_ofTheText_givesTheToken(@ForAll("tokens") FencingToken token) {
    assertThat(FencingToken.parse(token.toString())).isEqualTo(token);
    assertThat(token.toString()).hasSize(8 + 16 + 16 + 3 + 3);
  }

  @Property
  void parse_ofAnyOtherText_isRefusedAndNamesIt(@ForAll String text) {
    assertThatThrownBy(() -> FencingToken.parse(text))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(Texts.printable(text));
  }

  @Example
  void parse_ofATextWhosePartsAreTooLarge_isRefused() {
    assertThatThrownBy(() -> FencingToken.parse("ffffffff-0000000000000001-0000000000000001-000"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("ffffffff-0000");
    assertThatThrownBy(() -> FencingToken.parse("00000000-ffffffffffffffff-0000000000000001-000"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("ffffffffffffffff");
  }

  @Example
  void toLong_ofTheHighestThatFit_isTheLargestLong() {
    assertThat(new FencingToken(15, MAX_TERM, MAX_SEQ_NO, 1023).toLong()).isEqualTo(Long.MAX_VALUE);
    assertThat(new FencingToken(0, 0, 0, 0).toLong()).isZero();
  }

  @Example
  void toLong_ofAPartThatDoesNotFit_throwsAndNamesPartValueAndRemedy() {
    assertThatThrownBy(() -> new FencingToken(16, 1, 1, 0).toLong())
        .isInstanceOf(ArithmeticException.class)
        .hasMessageContainingAll("era", "16", "4 bits", "toString()");
    assertThatThrownBy(() -> new FencingToken(0, MAX_TERM + 1, 1, 0).toLong())
        .isInstanceOf(ArithmeticException.class)
        .hasMessageContainingAll("primary term", "4096", "12 bits", "raised fencing era");
    assertThatThrownBy(() -> new FencingToken(0, 1, MAX_SEQ_NO + 1, 0).toLong())
        .isInstanceOf(ArithmeticException.class)
        .hasMessageContainingAll(
            "sequence number", "137438953472", "37 bits", "raised fencing era");
  }

  @Example
  void parts_outOfRange_areRefusedWithTheirValues() {
    assertThatThrownBy(() -> new FencingToken(-1, 0, 0, 0))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("-1");
    assertThatThrownBy(() -> new FencingToken(0, -2, 0, 0)).hasMessageContaining("-2");
    assertThatThrownBy(() -> new FencingToken(0, 0, -3, 0)).hasMessageContaining("-3");
    assertThatThrownBy(() -> new FencingToken(0, 0, 0, 1024))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContainingAll("0 to 1023", "1024");
    assertThatThrownBy(() -> new FencingToken(0, 0, 0, -1)).hasMessageContaining("-1");
  }

  @Example
  void token_ofAVersion_hasItsPartsAndTheErasRank() {
    FencingToken old = FencingToken.of(new Version(new Incarnation("i", 3), 900, 900), 1023);
    FencingToken raised = FencingToken.of(new Version(new Incarnation("j", 4), 1, 0), 0);

    assertThat(old).isEqualTo(new FencingToken(3, 900, 900, 1023));
    assertThat(raised).isGreaterThan(old);
    assertThat(raised.toLong()).isGreaterThan(old.toLong());
  }

  @Provide
  Arbitrary<FencingToken> tokens() {
    return tokens(Integer.MAX_VALUE, Long.MAX_VALUE, Long.MAX_VALUE);
  }

  @Provide
  Arbitrary<FencingToken> smallTokens() {
    return tokens(15, MAX_TERM, MAX_SEQ_NO);
  }

  /** Few different small values beside the whole range, so that parts are often equal. */
  private static Arbitrary<FencingToken> tokens(int maxEra, long maxTerm, long maxSeqNo) {
    return Combinators.combine(
            parts(maxEra), parts(maxTerm), parts(maxSeqNo), parts(FencingToken.MAX_HANDOFF))
        .as(
            (era, term, seqNo, handoff) ->
                new FencingToken(era.intValue(), term, seqNo, handoff.intValue()))
        .withoutEdgeCases();
  }

  private static Arbitrary<Long> parts(long max) {
    return Arbitraries.oneOf(
        Arbitraries.of(0L, 1L, max - 1, max), Arbitraries.longs().between(0, max));
  }
}
