package dev.holdfast.chaos.toxiproxy;

import static java.util.concurrent.TimeUnit.MILLISECONDS;

/**
 * Lets {@code rate} kilobytes (of 1000 bytes) a second through, in pieces of at most 100 ms; at
 * rate 0 nothing.
 */
final class BandwidthEffect implements Effect {

  private static final long PIECE_MILLIS = 100;

  @Override
  public void chunk(ToxicStage stage, Chunk chunk) {
    long bytesPerMilli = stage.attribute("rate");
    if (bytesPerMilli <= 0) {
      stage.hold(chunk);
      return;
    }
    int pieceBytes = (int) Math.min(chunk.size(), bytesPerMilli * PIECE_MILLIS);
    long costNanos = MILLISECONDS.toNanos(pieceBytes) / bytesPerMilli;
    stage.putBack(chunk.from(pieceBytes));
    stage.passAfter(costNanos - stage.latenessNanos(), chunk.first(pieceBytes));
  }
}
