package dev.holdfast.lock.elasticsearch;

import dev.holdfast.lock.FencingToken;
import dev.holdfast.lock.internal.SerializableFailures;
import dev.holdfast.lock.internal.Texts;
import org.jspecify.annotations.Nullable;

/**
 * A write was rejected because the document has been written under a higher fencing token: the
 * process that made it has lost its lock to another holder.
 */
public final class StaleFencingTokenException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final FencingToken token;

  StaleFencingTokenException(String index, String id, FencingToken token, Throwable cause) {
    super(
        "Document \""
            + Texts.printable(id)
            + "\" in index \""
            + Texts.printable(index)
            + "\" was written under a fencing token higher than "
            + token
            + "; this holder's lease has ended",
        cause);
    this.token = token;
  }

  private StaleFencingTokenException(
      StaleFencingTokenException original, @Nullable Throwable cause) {
    super(original.getMessage(), cause);
    this.token = original.token;
  }

  // What is written in the place of this: Elasticsearch's exceptions cannot be serialised.
  Object writeReplace() {
    return SerializableFailures.completed(
        new StaleFencingTokenException(this, SerializableFailures.of(getCause())), this);
  }

  /** The token that was too low. */
  public FencingToken token() {
    return token;
  }
}
