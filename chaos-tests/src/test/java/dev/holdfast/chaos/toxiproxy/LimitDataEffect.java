package dev.holdfast.chaos.toxiproxy;

/** Closes after exactly {@code bytes} bytes, counted from when the toxic met the connection. */
final class LimitDataEffect implements Effect {

  private long passedBytes;

  @Override
  public void chunk(ToxicStage stage, Chunk chunk) {
    long limitBytes = stage.attribute("bytes");
    int allowed = (int) Math.max(0, Math.min(limitBytes - passedBytes, chunk.size()));
    passedBytes += allowed;
    if (allowed > 0) {
      stage.pass(chunk.first(allowed));
    }
    if (passedBytes >= limitBytes) {
      stage.close();
    }
  }
}
