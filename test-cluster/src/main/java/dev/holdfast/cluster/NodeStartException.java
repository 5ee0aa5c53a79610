package dev.holdfast.cluster;

/**
 * A node did not come up; its processes and files are gone.
 *
 * <p>The message has the reason and the end of what the node logged and printed.
 */
public final class NodeStartException extends RuntimeException {

  private static final long serialVersionUID = 1L;

  NodeStartException(String message) {
    super(message);
  }

  NodeStartException(String message, Throwable cause) {
    super(message, cause);
  }
}
