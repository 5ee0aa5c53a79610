package dev.holdfast.history.check;

import dev.holdfast.history.Call;
import dev.holdfast.history.Operation;
import dev.holdfast.history.Vocabulary;
import org.jspecify.annotations.Nullable;

/**
 * One operation as the search for an order sees it.
 *
 * @param call what it comes from; of the end of a lease, the acquisition
 * @param f what was done
 * @param client by whom
 * @param grant a number that an acquisition and the end of its lease have in common, and no others
 * @param fence with which fencing token; null if none was told
 * @param from when it was invoked
 * @param to when its answer came; {@link Long#MAX_VALUE} if it is open
 * @param open whether it may take effect at any time after its invocation, or never
 */
record Step(
    Call call,
    String f,
    String client,
    int grant,
    @Nullable Long fence,
    long from,
    long to,
    boolean open) {

  /** The key of a value that is not a map. */
  private static final String PLAIN = "value";

  static Step of(Call call, int grant) {
    boolean open = !call.isOk();
    return new Step(
        call,
        call.f(),
        call.client(),
        grant,
        fence(call),
        call.invokedAt(),
        open ? Long.MAX_VALUE : call.completedAt(),
        open);
  }

  /** That a lease ends by itself, at some time from then on, or never. */
  static Step expiry(Step acquire, long from) {
    return new Step(
        acquire.call,
        Vocabulary.EXPIRE,
        acquire.client,
        acquire.grant,
        acquire.fence,
        from,
        Long.MAX_VALUE,
        true);
  }

  private static @Nullable Long fence(Call call) {
    return call.fence().isPresent() ? (Long) call.fence().getAsLong() : null;
  }

  /** Whether this is the end of a lease, which nobody recorded. */
  boolean isDerived() {
    return f.equals(Vocabulary.EXPIRE) && call.f().equals(Vocabulary.ACQUIRE);
  }

  /** Whether this is the end of the lease that was acquired by that grant. */
  boolean isExpiryOf(int acquired) {
    return isDerived() && grant == acquired;
  }

  /** What the invocation's value says. */
  @Nullable Object argument() {
    return call.invocation().value().get(PLAIN);
  }

  /** What the completion's value says; null if it was not told. */
  @Nullable Object result() {
    Operation completion = call.completion();
    return completion == null || open ? null : completion.value().get(PLAIN);
  }
}
