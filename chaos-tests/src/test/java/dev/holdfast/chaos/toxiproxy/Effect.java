package dev.holdfast.chaos.toxiproxy;

/**
 * The effect of a toxic on one direction of one connection. A new one is made for each, so it may
 * keep state, which survives an update of the toxic. Called on the I/O thread only.
 */
interface Effect {

  /** Handles a chunk: passes it on, now or later, in part, or not at all. */
  void chunk(ToxicStage stage, Chunk chunk);

  /** Handles the end of the stream, which comes after all chunks were dealt with. */
  default void end(ToxicStage stage) {
    stage.close();
  }

  /** The toxic takes effect, for the first time or again after a change of it or a neighbour. */
  default void start(ToxicStage stage) {}

  /** The toxic is about to be removed from the live connection. */
  default void remove(ToxicStage stage) {}

  /**
   * Returns whether this effect delays a stream and needs much in flight to keep its throughput.
   */
  default boolean buffers() {
    return false;
  }
}
