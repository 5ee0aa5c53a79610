package dev.holdfast.bench.peers;

import java.io.IOException;

/** A client of one lock service, connected. Thread-safe; a grant is released by its own thread. */
public interface PeerClient extends AutoCloseable {
  /** Waits until the lock is free, as long as it takes. */
  PeerGrant acquire(String lockId) throws Exception;

  @Override
  void close() throws IOException;

  /** A lock that is held. */
  @FunctionalInterface
  interface PeerGrant {
    /** Gives it back; throws if that could not be confirmed. */
    void release() throws Exception;
  }
}
