package dev.holdfast.chaos.toxiproxy;

import static java.util.concurrent.TimeUnit.MILLISECONDS;

/** Delays each chunk by {@code latency} ± {@code jitter} milliseconds, and keeps their order. */
final class LatencyEffect implements Effect {

  @Override
  public void chunk(ToxicStage stage, Chunk chunk) {
    long jitter = stage.attribute("jitter");
    long delay = stage.attribute("latency");
    if (jitter > 0) {
      delay += stage.random().nextLong(2 * jitter) - jitter;
    }
    long restNanos = MILLISECONDS.toNanos(delay) - (System.nanoTime() - chunk.stampNanos());
    // The stamp moves by the wait, not to now: so a chunk that had queued here arrives at the next
    // latency toxic as one that is already late. The real server has it so.
    stage.passAfter(restNanos, chunk.stampedAt(chunk.stampNanos() + restNanos));
  }

  @Override
  public boolean buffers() {
    return true;
  }
}
