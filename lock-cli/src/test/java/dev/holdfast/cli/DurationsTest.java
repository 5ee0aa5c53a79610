package dev.holdfast.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

class DurationsTest {
  @ParameterizedTest
  @CsvSource({
    "500ms, PT0.5S",
    "10s, PT10S",
    "5m, PT5M",
    "1h30m, PT90M",
    "2d, PT48H",
    "0s, PT0S",
    "PT10S, PT10S",
    "pt1m, PT1M"
  })
  void duration_asPeopleWriteIt_isUnderstood(String text, Duration duration) {
    assertThat(Durations.parse(text)).isEqualTo(duration);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", "10", "s", "-1s", "10 s", "5q", "PT", "PT-5S", "-PT5S", "1h30", "1e3s"})
  void text_thatIsNoDuration_isRejectedWithExamples(String text) {
    assertThatThrownBy(() -> Durations.parse(text))
        .isInstanceOf(CommandLine.TypeConversionException.class)
        .hasMessage("\"" + text + "\" is not a duration like 500ms, 10s, 5m, 1h30m or PT10S");
  }

  @ParameterizedTest
  @CsvSource({
    "PT0S, 0s",
    "PT0.0042S, 4.2ms",
    "PT0.25S, 250ms",
    "PT59.9S, 59s",
    "PT3M12S, 3m 12s",
    "PT2H, 2h",
    "PT50H1M, 2d 2h",
    "PT-5S, -5s"
  })
  void duration_isShownInTwoUnits(Duration duration, String text) {
    assertThat(Durations.text(duration)).isEqualTo(text);
  }
}
