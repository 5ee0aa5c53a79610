package dev.holdfast.chaos.toxiproxy;

import static java.util.concurrent.TimeUnit.MILLISECONDS;

/**
 * Drops all data, and closes after {@code timeout} milliseconds without any; if that is 0, only
 * when it is removed, which closes the connection in any case.
 */
final class TimeoutEffect implements Effect {

  @Override
  public void start(ToxicStage stage) {
    long timeoutMillis = stage.attribute("timeout");
    if (timeoutMillis > 0) {
      stage.closeAfter(MILLISECONDS.toNanos(timeoutMillis));
    }
  }

  @Override
  public void chunk(ToxicStage stage, Chunk chunk) {
    start(stage);
  }

  @Override
  public void remove(ToxicStage stage) {
    stage.close();
  }
}
