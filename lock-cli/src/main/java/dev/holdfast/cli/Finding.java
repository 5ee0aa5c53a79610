package dev.holdfast.cli;

import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * What {@link Doctor} found out.
 *
 * @param check what was looked at, such as {@code clock}
 * @param summary the fact
 * @param meaning what follows from it for locks; null if nothing does
 * @param remedy what to do; null if there is nothing to be done
 */
record Finding(
    String check,
    Status status,
    String summary,
    @Nullable String meaning,
    @Nullable String remedy) {

  /** How good or bad a fact is. */
  enum Status {
    /** As it should be. */
    OK,
    /** It could not be found out. */
    UNKNOWN,
    /** Locks work, but not as well as they could. */
    WARNING,
    /** Locks do not work, or are not safe. */
    PROBLEM;

    @Override
    public String toString() {
      return this == PROBLEM ? name() : name().toLowerCase(Locale.ROOT);
    }
  }

  static Finding ok(String check, String summary) {
    return new Finding(check, Status.OK, summary, null, null);
  }

  static Finding unknown(String check, String summary, String remedy) {
    return new Finding(check, Status.UNKNOWN, summary, null, remedy);
  }

  static Finding warning(String check, String summary, String meaning, String remedy) {
    return new Finding(check, Status.WARNING, summary, meaning, remedy);
  }

  static Finding problem(String check, String summary, String meaning, String remedy) {
    return new Finding(check, Status.PROBLEM, summary, meaning, remedy);
  }
}
