package dev.holdfast.cli;

/** The exit statuses that all commands have in common, and their texts for picocli. */
final class ExitStatus {
  static final String HEADING = "%nExit status:%n";

  static final int OK = 0;
  static final int NEGATIVE = 1;
  static final int USAGE = 2;
  static final int UNAVAILABLE = 3;

  /** As shells have it: a command that is there but cannot be run, and one that is not there. */
  static final int CANNOT_RUN = 126;

  static final int NOT_FOUND = 127;

  /** Added to the number of a signal. */
  static final int SIGNALLED = 128;

  static final String OK_TEXT = "0:done, and the answer is good";
  static final String NEGATIVE_TEXT = "1:done, and the answer is negative";
  static final String USAGE_TEXT = "2:an option, an argument or a setting is invalid";
  static final String UNAVAILABLE_TEXT =
      "3:the cluster does not answer or rejects requests, or a failure of the tool itself";

  private ExitStatus() {}
}
