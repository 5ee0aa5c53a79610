package dev.holdfast.concurrency;

import java.nio.file.Path;

/** How much is to be run, and where. */
final class Settings {
  /** Whether this is the long run: {@code mvn verify -Pconcurrency}. */
  static final boolean LONG = Boolean.getBoolean("holdfast.test.concurrency.long");

  /** Of tests that only the long run has. */
  static final String LONG_TAG = "long";

  /** For files that are made on the way. */
  static final Path DIRECTORY =
      Path.of(System.getProperty("holdfast.test.concurrency.directory", "target/concurrency"));

  private Settings() {}
}
