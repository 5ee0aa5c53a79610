package dev.holdfast.bench.report;

/** The exit statuses that all commands have in common, as picocli's annotations take them. */
public final class ExitStatus {
  public static final String HEADING = "%nExit status:%n";
  public static final String OK = "0:measured";
  public static final String USAGE = "2:an option is invalid";
  public static final String UNAVAILABLE_TEXT =
      "3:nothing could be measured, as when a server is not there or cannot be started";

  /** The status of {@link #UNAVAILABLE_TEXT}. */
  public static final int UNAVAILABLE = 3;

  private ExitStatus() {}
}
