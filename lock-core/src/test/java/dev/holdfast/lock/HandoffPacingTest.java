package dev.holdfast.lock;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class HandoffPacingTest {
  private final HandoffPacing pace = new HandoffPacing();

  @Test
  void handOversInARenewal_areHalfAsManyAgainAsInTheLast() {
    assertThat(pace.handoffsInARenewal()).isEqualTo(HandoffPacing.MIN_IN_A_RENEWAL);
    pace.renewed(100);
    assertThat(pace.handoffsInARenewal()).isEqualTo(150);
    pace.renewed(60);
    assertThat(pace.handoffsInARenewal()).isEqualTo(90);
    pace.renewed(12);
    assertThat(pace.handoffsInARenewal()).isEqualTo(18);
    pace.renewed(10);
    assertThat(pace.handoffsInARenewal()).isEqualTo(HandoffPacing.MIN_IN_A_RENEWAL);
    pace.renewed(0);
    assertThat(pace.handoffsInARenewal()).isEqualTo(HandoffPacing.MIN_IN_A_RENEWAL);
  }
}
