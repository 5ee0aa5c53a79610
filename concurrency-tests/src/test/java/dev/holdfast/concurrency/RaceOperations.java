package dev.holdfast.concurrency;

import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Validate;

/** A race for Lincheck: its scenario is that each thread does its one thing. */
public class RaceOperations {
  private final Race race = Explorer.subject().begin();

  @Operation(runOnce = true)
  public void first() {
    race.first();
  }

  @Operation(runOnce = true)
  public void second() {
    race.second();
  }

  /** What has become of it. */
  @Validate
  public void verdict() {
    String verdict = race.verdict();
    if (verdict.startsWith(Race.BROKEN)) {
      throw new IllegalStateException(verdict);
    }
  }
}
