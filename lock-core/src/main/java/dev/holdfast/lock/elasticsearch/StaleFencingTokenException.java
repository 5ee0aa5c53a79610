package dev.holdfast.lock.elasticsearch;

import dev.holdfast.lock.FencingToken;

/**
 * A write was refused because the document has been written under a higher fencing token: whoever
 * made it has lost its lock to somebody else.
 */
public final class StaleFencingTokenException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final transient FencingToken token;

  StaleFencingTokenException(String index, String id, FencingToken token, Throwable cause) {
    super(
        "Document \""
            + id
            + "\" in index \""
            + index
            + "\" was written under a fencing token higher than "
            + token
            + "; this holder's lease has ended",
        cause);
    this.token = token;
  }

  /** The token that was too low. */
  public FencingToken token() {
    return token;
  }
}
