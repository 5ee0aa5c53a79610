package dev.holdfast.chaos.toxiproxy;

import static java.util.concurrent.TimeUnit.MILLISECONDS;

/**
 * Drops the first data and closes {@code timeout} milliseconds later. That both sides then see a
 * reset rather than an end is the doing of {@link Connection}.
 */
final class ResetPeerEffect implements Effect {

  @Override
  public void chunk(ToxicStage stage, Chunk chunk) {
    end(stage);
  }

  @Override
  public void end(ToxicStage stage) {
    stage.closeWithoutFailAfter(MILLISECONDS.toNanos(stage.attribute("timeout")));
  }
}
