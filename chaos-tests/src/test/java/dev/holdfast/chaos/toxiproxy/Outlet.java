package dev.holdfast.chaos.toxiproxy;

/** Where a stage puts what it lets through: the next stage, or the destination channel. */
interface Outlet {

  /** Whether there is room for another chunk. */
  boolean ready();

  /** Takes the chunk; also beyond its room, when a stage before it is emptied. */
  void accept(Chunk chunk);

  /** Takes the end of the stream, which comes after all accepted chunks. */
  void end();
}
