package dev.holdfast.cli;

import java.time.Duration;
import java.time.format.DateTimeParseException;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine;

/** Durations as command lines and tables write them. */
final class Durations {
  private static final Pattern PART = Pattern.compile("(\\d{1,9})(ms|s|m|h|d)");
  private static final Pattern WHOLE = Pattern.compile("(?:" + PART.pattern() + ")+");

  private Durations() {}

  /** Such as {@code 500ms}, {@code 10s}, {@code 1h30m} or {@code PT10S}. */
  static final class Converter implements CommandLine.ITypeConverter<Duration> {
    @Override
    public Duration convert(String text) {
      return parse(text);
    }
  }

  static Duration parse(String text) {
    if (text.startsWith("P") || text.startsWith("p")) {
      try {
        Duration duration = Duration.parse(text);
        if (!duration.isNegative()) {
          return duration;
        }
      } catch (DateTimeParseException e) {
        throw notADuration(text);
      }
    }
    if (!WHOLE.matcher(text).matches()) {
      throw notADuration(text);
    }
    Duration sum = Duration.ZERO;
    Matcher part = PART.matcher(text);
    while (part.find()) {
      long number = Long.parseLong(part.group(1));
      sum =
          sum.plus(
              switch (part.group(2)) {
                case "ms" -> Duration.ofMillis(number);
                case "s" -> Duration.ofSeconds(number);
                case "m" -> Duration.ofMinutes(number);
                case "h" -> Duration.ofHours(number);
                default -> Duration.ofDays(number);
              });
    }
    return sum;
  }

  private static CommandLine.TypeConversionException notADuration(String text) {
    return new CommandLine.TypeConversionException(
        "\"" + text + "\" is not a duration like 500ms, 10s, 5m, 1h30m or PT10S");
  }

  /** Two units at most, such as {@code 3m 12s}; milliseconds below a second. */
  static String text(Duration duration) {
    if (duration.isNegative()) {
      return "-" + text(duration.negated());
    }
    if (duration.toDays() > 0) {
      return two(duration.toDays(), "d", duration.toHoursPart(), "h");
    } else if (duration.toHours() > 0) {
      return two(duration.toHours(), "h", duration.toMinutesPart(), "m");
    } else if (duration.toMinutes() > 0) {
      return two(duration.toMinutes(), "m", duration.toSecondsPart(), "s");
    } else if (duration.toSeconds() > 0 || duration.isZero()) {
      return duration.toSeconds() + "s";
    }
    return millis(duration) + "ms";
  }

  /** In milliseconds, with a digit behind the point below ten. */
  static String millis(Duration duration) {
    double millis = duration.toNanos() / 1e6;
    return String.format(Locale.ROOT, millis < 10 ? "%.1f" : "%.0f", millis);
  }

  private static String two(long large, String largeUnit, int small, String smallUnit) {
    return large + largeUnit + (small == 0 ? "" : " " + small + smallUnit);
  }
}
