package dev.holdfast.chaos.toxiproxy;

import static java.util.concurrent.TimeUnit.MILLISECONDS;

/** Delays the end of the stream by {@code delay} milliseconds. */
final class SlowCloseEffect implements Effect {

  @Override
  public void chunk(ToxicStage stage, Chunk chunk) {
    stage.pass(chunk);
  }

  @Override
  public void end(ToxicStage stage) {
    stage.closeAfter(MILLISECONDS.toNanos(stage.attribute("delay")));
  }
}
