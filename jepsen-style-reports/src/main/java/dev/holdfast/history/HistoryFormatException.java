package dev.holdfast.history;

import java.nio.file.Path;

/**
 * Thrown when a history cannot be understood; the message says where and what is wrong. No part of
 * it is then to be checked.
 */
public final class HistoryFormatException extends RuntimeException {

  private static final long serialVersionUID = 1L;

  /** The place of an exception that is not about a single operation. */
  private static final int NOWHERE = -1;

  private final int place;

  /**
   * Makes an exception about a history in memory.
   *
   * @param problem what is wrong, in words
   */
  public HistoryFormatException(String problem) {
    this(NOWHERE, problem);
  }

  /** Makes an exception about the operation at that place in the list. */
  HistoryFormatException(int place, String problem) {
    super(problem);
    this.place = place;
  }

  /**
   * Makes an exception about a line of a file.
   *
   * @param file the file
   * @param line the line, from 1
   * @param problem what is wrong, in words
   */
  public HistoryFormatException(Path file, long line, String problem) {
    this(NOWHERE, file + ", line " + line + ": " + problem);
  }

  /** Tells the same with the file and the line of the operation that it is about. */
  HistoryFormatException in(Path file, int[] lines) {
    HistoryFormatException located =
        place == NOWHERE
            ? new HistoryFormatException(file + ": " + getMessage())
            : new HistoryFormatException(file, lines[place], String.valueOf(getMessage()));
    located.initCause(this);
    return located;
  }
}
