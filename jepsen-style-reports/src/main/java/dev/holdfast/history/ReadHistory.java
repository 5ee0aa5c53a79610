package dev.holdfast.history;

import java.util.List;

/**
 * A history that was read, and how it was written.
 *
 * @param history the history as it is understood
 * @param written its operations as they are in the file: their own times and values
 * @param warnings what was understood otherwise than it was written, a sentence without its full
 *     stop each
 */
public record ReadHistory(History history, List<Operation> written, List<String> warnings) {

  /** Copies the lists. */
  public ReadHistory {
    written = List.copyOf(written);
    warnings = List.copyOf(warnings);
  }
}
