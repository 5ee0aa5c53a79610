package dev.holdfast.history;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;

class TenureTest {

  @Test
  void held_released_endsAtTheInvocationOfTheRelease() {
    assertHeld(
        new HistoryScript().acquired(0, 10, "c1", 1, 1000).released(400, 500, "c1", 1), 10, 400);
  }

  @Test
  void held_lost_endsAtTheNotice() {
    assertHeld(
        new HistoryScript()
            .acquired(0, 10, "c1", 1, 1000)
            .lost(300, "c1", 1)
            .released(400, 500, "c1", 1),
        10,
        300);
  }

  @Test
  void held_neverEnded_endsWithTheLease() {
    assertHeld(new HistoryScript().acquired(0, 10, "c1", 1, 1000), 0 + 10, 1000);
    assertHeld(
        new HistoryScript()
            .ok(
                0,
                10,
                "acquire",
                "client",
                "c1",
                "ttl",
                1000,
                "until",
                TimeUnit.MILLISECONDS.toNanos(900)),
        10,
        900);
  }

  @Test
  void held_withoutTtl_neverEnds() {
    Tenure tenure =
        Tenure.of(new HistoryScript().ok(0, 10, "acquire", "client", "c1").build()).get(0);
    assertThat(tenure.held()).containsExactly(new Tenure.Span(10_000_000, Long.MAX_VALUE));
  }

  @Test
  void held_renewedInTime_isOneSpan() {
    assertHeld(
        new HistoryScript()
            .acquired(0, 10, "c1", 1, 1000)
            .renewed(500, 510, "c1", 1, 1000)
            .renewed(1400, 1410, "c1", 1, 1000),
        10,
        2400);
  }

  @Test
  void held_renewedAfterItsEnd_isTwoSpans() {
    assertHeld(
        new HistoryScript().acquired(0, 10, "c1", 1, 1000).renewed(1500, 1510, "c1", 1, 1000),
        10,
        1000,
        1510,
        2500);
  }

  @Test
  void held_believed_isProlonged_butNotRenewed() {
    HistoryScript believed =
        new HistoryScript().acquired(0, 10, "c1", 1, 1000).believed(500, 510, "c1", 1, 1000);
    assertHeld(believed, 10, 1500);
    assertThat(Tenure.of(believed.build()))
        .singleElement()
        .satisfies(
            tenure -> {
              assertThat(tenure.renewals()).isEmpty();
              assertThat(tenure.confirmations()).hasSize(1);
            });
  }

  @Test
  void held_renewalUnanswered_doesNotProlong() {
    assertHeld(
        new HistoryScript()
            .acquired(0, 10, "c1", 1, 1000)
            .invoked(500, "renew", "lock", "a", "client", "c1", "fence", 1),
        10,
        1000);
  }

  @Test
  void held_answeredAfterItsEnd_isNever() {
    assertHeld(new HistoryScript().acquired(0, 1200, "c1", 1, 1000));
  }

  @Test
  void of_eventsWithoutFence_belongToTheLastGrantOfThatClient() {
    List<Tenure> tenures =
        Tenure.of(
            new HistoryScript()
                .acquired(0, 10, "c1", 1, 1000)
                .ok(20, 30, "release", "lock", "a", "client", "c1")
                .acquired(40, 50, "c1", 2, 1000)
                .notice(60, "lost", "lock", "a", "client", "c1")
                .build());
    assertThat(tenures.get(0).release()).isNotNull();
    assertThat(tenures.get(0).loss()).isNull();
    assertThat(tenures.get(1).release()).isNull();
    assertThat(tenures.get(1).loss()).isNotNull();
  }

  @Test
  void of_lossToldBeforeTheGrantWasWritten_belongsToItsFence() {
    assertHeld(new HistoryScript().lost(5, "c1", 1).acquired(0, 10, "c1", 1, 1000));
  }

  /** Some pair overlaps if and only if the sweep finds one. */
  @Property(tries = 2000)
  void overlaps_anyLeases_agreeWithComparingAllPairs(
      @ForAll @Size(max = 8) List<@IntRange(max = 30) Integer> starts,
      @ForAll @Size(min = 8, max = 8) List<@IntRange(min = 1, max = 9) Integer> lengths) {
    HistoryScript script = new HistoryScript();
    for (int i = 0; i < starts.size(); i++) {
      script.acquired(starts.get(i), starts.get(i), "c" + i, i, lengths.get(i));
    }
    List<Tenure> tenures = Tenure.of(script.build());
    List<Tenure> overlapping = new ArrayList<>();
    for (Tenure one : tenures) {
      for (Tenure other : tenures) {
        Tenure.Span a = one.held().get(0);
        Tenure.Span b = other.held().get(0);
        if (!one.equals(other) && a.fromNanos() < b.toNanos() && b.fromNanos() < a.toNanos()) {
          overlapping.add(other);
        }
      }
    }
    assertThat(Tenure.overlaps(tenures).isEmpty()).isEqualTo(overlapping.isEmpty());
    assertThat(overlapping)
        .containsAll(Tenure.overlaps(tenures).stream().map(Tenure.Overlap::second).toList());
  }

  private static void assertHeld(HistoryScript script, long... millis) {
    List<Tenure.Span> spans = new ArrayList<>();
    for (int i = 0; i < millis.length; i += 2) {
      spans.add(new Tenure.Span(millis[i] * 1_000_000, millis[i + 1] * 1_000_000));
    }
    assertThat(Tenure.of(script.build())).hasSize(1);
    assertThat(Tenure.of(script.build()).get(0).held()).isEqualTo(spans);
  }
}
