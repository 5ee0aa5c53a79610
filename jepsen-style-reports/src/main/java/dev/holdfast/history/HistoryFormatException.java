package dev.holdfast.history;

import java.nio.file.Path;

/**
 * Thrown when a history cannot be understood; the message says where and what is wrong. No part of
 * it is then to be judged.
 */
public final class HistoryFormatException extends RuntimeException {

  private static final long serialVersionUID = 1L;

  /**
   * Makes an exception about a history in memory.
   *
   * @param problem what is wrong, in words
   */
  public HistoryFormatException(String problem) {
    super(problem);
  }

  /**
   * Makes an exception about a line of a file.
   *
   * @param file the file
   * @param line the line, from 1
   * @param problem what is wrong, in words
   */
  public HistoryFormatException(Path file, long line, String problem) {
    super(file + ", line " + line + ": " + problem);
  }
}
