package dev.holdfast.bench.ttl;

import java.time.Duration;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine;

/** Durations and rates as command lines and reports write them. */
public final class Units {
  private static final Pattern DURATION = Pattern.compile("(\\d{1,9})(ms|s|m|h)");
  private static final Pattern RATE =
      Pattern.compile("(\\d+(?:\\.\\d+)?)/(hour|day|week|month|year)");
  private static final double DAYS_PER_YEAR = 365.25;

  private Units() {}

  /** Such as {@code 30s}. */
  public static final class DurationConverter implements CommandLine.ITypeConverter<Duration> {
    @Override
    public Duration convert(String text) {
      Matcher matcher = DURATION.matcher(text);
      if (!matcher.matches()) {
        throw new CommandLine.TypeConversionException(
            "\"" + text + "\" is not like 500ms, 30s, 5m or 1h");
      }
      long number = Long.parseLong(matcher.group(1));
      return switch (matcher.group(2)) {
        case "ms" -> Duration.ofMillis(number);
        case "s" -> Duration.ofSeconds(number);
        case "m" -> Duration.ofMinutes(number);
        default -> Duration.ofHours(number);
      };
    }
  }

  /** A rate of events, and the text by which the user gave it. */
  record Rate(double perYear, String text) {
    @Override
    public String toString() {
      return text;
    }
  }

  /** Such as {@code 1/year}. */
  static final class RateConverter implements CommandLine.ITypeConverter<Rate> {
    @Override
    public Rate convert(String text) {
      Matcher matcher = RATE.matcher(text);
      double number = matcher.matches() ? Double.parseDouble(matcher.group(1)) : 0;
      if (number <= 0) {
        throw new CommandLine.TypeConversionException(
            "\"" + text + "\" is not like 1/year, 0.5/month or 3/week");
      }
      double perYear =
          switch (matcher.group(2)) {
            case "hour" -> DAYS_PER_YEAR * 24;
            case "day" -> DAYS_PER_YEAR;
            case "week" -> DAYS_PER_YEAR / 7;
            case "month" -> 12;
            default -> 1;
          };
      return new Rate(number * perYear, text);
    }
  }

  /** Three digits or so, in the unit that suits. */
  static String seconds(double seconds) {
    if (!Double.isFinite(seconds)) {
      return "unbounded";
    }
    double size = Math.abs(seconds);
    if (size >= 86_400 * 2) {
      return String.format(Locale.ROOT, "%.0f days", seconds / 86_400);
    }
    if (size >= 7_200) {
      return String.format(Locale.ROOT, "%.1f h", seconds / 3_600);
    }
    if (size >= 100) {
      return String.format(Locale.ROOT, "%.0f s", seconds);
    }
    if (size >= 1) {
      return String.format(Locale.ROOT, size >= 10 ? "%.1f s" : "%.2f s", seconds);
    }
    double millis = seconds * 1e3;
    return String.format(
        Locale.ROOT, Math.abs(millis) >= 10 ? "%.0f ms" : "%.2f ms", millis == 0 ? 0.0 : millis);
  }
}
