package dev.holdfast.history;

import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * A call of a client: its invocation and its completion.
 *
 * @param invocation the operation that asked
 * @param completion the operation that answered; {@code null} if none ever did
 */
public record Call(Operation invocation, @Nullable Operation completion) {

  /**
   * Tells whether it happened.
   *
   * @return whether the completion is {@code :ok}
   */
  public boolean isOk() {
    return completion != null && completion.type() == Operation.Type.OK;
  }

  /**
   * Tells whether it certainly did not happen. What is neither ok nor failed may have happened, or
   * may happen later.
   *
   * @return whether the completion is {@code :fail}
   */
  public boolean isFailed() {
    return completion != null && completion.type() == Operation.Type.FAIL;
  }

  /**
   * Returns when it was asked for.
   *
   * @return the time of the invocation in nanoseconds
   */
  public long invokedAt() {
    return invocation.time();
  }

  /**
   * Returns when the answer came, of whatever kind.
   *
   * @return the time of the completion in nanoseconds; {@link Long#MAX_VALUE} if there is none
   */
  public long completedAt() {
    return completion == null ? Long.MAX_VALUE : completion.time();
  }

  /**
   * Returns what was asked for.
   *
   * @return the invocation's {@code f}
   */
  public String f() {
    return invocation.f();
  }

  /**
   * Returns the lock that this is about.
   *
   * @return the invocation's lock
   */
  public String lock() {
    return invocation.lock();
  }

  /**
   * Returns who asked.
   *
   * @return the invocation's client
   */
  public String client() {
    return invocation.client();
  }

  /**
   * Returns a number from the completion's value or, where it has none, the invocation's.
   *
   * @param key the key
   * @return the number, or empty
   */
  public OptionalLong number(String key) {
    OptionalLong told = completion == null ? OptionalLong.empty() : completion.number(key);
    return told.isPresent() ? told : invocation.number(key);
  }

  /**
   * Returns the fencing token.
   *
   * @return the number under {@link Vocabulary#FENCE}, or empty
   */
  public OptionalLong fence() {
    return number(Vocabulary.FENCE);
  }

  /**
   * Names this call in words, for verdicts.
   *
   * @return for example {@code acquire of "a" by c1 (operations 3 and 5, fence 17, 1.200 s to 1.250
   *     s)}
   */
  public String describe() {
    StringBuilder out = new StringBuilder(f());
    out.append(" of \"").append(lock()).append("\" by ").append(client());
    out.append(completion == null ? " (operation " : " (operations ").append(invocation.index());
    if (completion != null) {
      out.append(" and ").append(completion.index());
    }
    fence().ifPresent(fence -> out.append(", fence ").append(fence));
    out.append(", ").append(Formats.seconds(invokedAt()));
    out.append(completion == null ? ", never answered" : " to " + Formats.seconds(completedAt()));
    return out.append(')').toString();
  }
}
