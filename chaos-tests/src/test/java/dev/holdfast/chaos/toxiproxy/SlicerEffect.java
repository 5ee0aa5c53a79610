package dev.holdfast.chaos.toxiproxy;

import static java.util.concurrent.TimeUnit.MICROSECONDS;

/**
 * Halves chunks, at a point that varies by ±{@code size_variation} bytes, until they are not much
 * larger than {@code average_size} bytes, and pauses for {@code delay} microseconds after each.
 */
final class SlicerEffect implements Effect {

  @Override
  public void chunk(ToxicStage stage, Chunk chunk) {
    long average = Math.max(0, stage.attribute("average_size"));
    int variation = (int) Math.max(0, Math.min(stage.attribute("size_variation"), chunk.size()));
    Chunk slice = chunk;
    while (slice.size() > 1 && slice.size() - average > variation) {
      int shift = variation > 0 ? stage.random().nextInt(2 * variation) - variation : 0;
      int middle = Math.max(1, Math.min(slice.size() / 2 + shift, slice.size() - 1));
      stage.putBack(slice.from(middle));
      slice = slice.first(middle);
    }
    stage.pause(MICROSECONDS.toNanos(stage.attribute("delay")));
    stage.pass(slice);
  }
}
