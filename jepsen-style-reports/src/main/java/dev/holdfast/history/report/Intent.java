package dev.holdfast.history.report;

import dev.holdfast.history.Vocabulary;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The purpose of a run, as its pages and the list of all runs show it.
 *
 * @param about what it is for, and what is expected of it; empty if nobody said
 * @param reproduce the command that repeats it; empty if it is not known
 * @param invalidBy of a control run, whose clients are deliberately broken, the checker that must
 *     find it invalid; empty for any other run
 * @param allowedOverlaps why two clients may hold a lock at the same time without a violation;
 *     empty if nothing allows it
 * @param series the series it belongs to; {@code null} if it was run by itself
 * @param reading how its history was read
 */
record Intent(
    String about,
    String reproduce,
    String invalidBy,
    String allowedOverlaps,
    @Nullable Series series,
    Reading reading) {

  /**
   * How the history was read that the run is of.
   *
   * @param key the key of values that names the object of an operation
   * @param warnings what was understood otherwise than it was written
   */
  record Reading(String key, List<String> warnings) {

    /** Of a history that this project has recorded. */
    static final Reading OWN = new Reading(Vocabulary.LOCK, List.of());

    Reading {
      warnings = List.copyOf(warnings);
    }
  }

  /** A run of a history that this project has recorded. */
  Intent(
      String about,
      String reproduce,
      String invalidBy,
      String allowedOverlaps,
      @Nullable Series series) {
    this(about, reproduce, invalidBy, allowedOverlaps, series, Reading.OWN);
  }

  /**
   * Runs that are checked together.
   *
   * @param startedAt when the first of them started, or before
   * @param planned how many there are to be, skipped ones included
   */
  record Series(Instant startedAt, int planned) {}

  boolean isControl() {
    return !invalidBy.isEmpty();
  }

  Intent describedAs(String text) {
    return new Intent(text, reproduce, invalidBy, allowedOverlaps, series, reading);
  }

  Intent repeatedBy(String command) {
    return new Intent(about, command, invalidBy, allowedOverlaps, series, reading);
  }

  Intent expectedInvalidBy(String checker) {
    return new Intent(about, reproduce, checker, allowedOverlaps, series, reading);
  }

  Intent allowingOverlaps(String why) {
    return new Intent(about, reproduce, invalidBy, why, series, reading);
  }

  Intent readAs(Reading how) {
    return new Intent(about, reproduce, invalidBy, allowedOverlaps, series, how);
  }
}
