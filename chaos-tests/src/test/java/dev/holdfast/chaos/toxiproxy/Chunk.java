package dev.holdfast.chaos.toxiproxy;

import java.nio.ByteBuffer;

/**
 * Some bytes on their way, and when they were read from the source.
 *
 * @param data the bytes; never moved or written to
 * @param stampNanos when they were read, on the clock of {@link System#nanoTime()}; the latency
 *     effect counts from here
 */
record Chunk(ByteBuffer data, long stampNanos) {

  int size() {
    return data.remaining();
  }

  Chunk first(int bytes) {
    return new Chunk(data.slice(data.position(), bytes), stampNanos);
  }

  Chunk from(int bytes) {
    return new Chunk(data.slice(data.position() + bytes, size() - bytes), stampNanos);
  }

  Chunk stampedAt(long nanos) {
    return new Chunk(data, nanos);
  }
}
