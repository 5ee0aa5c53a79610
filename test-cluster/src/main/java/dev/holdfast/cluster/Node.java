package dev.holdfast.cluster;

import java.net.URI;

/**
 * A running Elasticsearch node, and what can be done to it.
 *
 * <p>Closing it kills the server and throws its data away. Thread-safe; what changes the node's
 * state takes turns.
 */
public interface Node extends AutoCloseable {

  /** Returns the node's name. */
  String name();

  /** Returns where the node answers HTTP, from this JVM. */
  URI httpUri();

  /** Returns the text of the node's log up to now; empty once it is closed. */
  String log();

  /**
   * Stops the server where it is, as a long collection of garbage would: its connections stay open
   * and are not answered. Idempotent.
   *
   * @throws IllegalStateException if the server does not run
   */
  void pause();

  /**
   * Lets a paused server go on. Idempotent.
   *
   * @throws IllegalStateException if the server does not run
   */
  void resume();

  /**
   * Kills the server, paused or not, as a crash would, and returns when it is gone. Its data stay
   * until {@link #close}. Idempotent.
   */
  void kill();

  /**
   * Stops the server in an orderly way, as an operator would, kills it if it has not ended after 30
   * s, and returns when it is gone. Its data stay until {@link #close}. Idempotent.
   */
  void stop();

  /**
   * Starts the server again on its data, after {@link #kill} or {@link #stop}; does nothing while
   * it runs. May return long before it answers, see {@link #awaitUp}.
   *
   * @throws NodeStartException if it did not start, or this thread was interrupted
   * @throws IllegalStateException if the node is closed
   */
  void relaunch();

  /**
   * Waits until the node answers and its cluster has a master, at most for its start limit.
   *
   * @throws NodeStartException if it did not answer, or died, or this thread was interrupted
   */
  void awaitUp();

  /**
   * Kills the node, paused or not, and removes its files. Returns when both are done. Idempotent.
   */
  @Override
  void close();
}
