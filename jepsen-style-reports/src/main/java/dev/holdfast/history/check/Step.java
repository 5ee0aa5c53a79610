package dev.holdfast.history.check;

import dev.holdfast.history.Call;
import dev.holdfast.history.Operation;
import dev.holdfast.history.Vocabulary;
import org.jspecify.annotations.Nullable;

/**
 * One operation as the search for an order sees it.
 *
 * @param f what was done
 * @param client by whom
 * @param fence with which fencing token; null if none was told
 * @param argument what the invocation's value says beside
 * @param result what the completion's value says; null if it was not told
 * @param from when it was invoked
 * @param to when its answer came; {@link Long#MAX_VALUE} if it is open
 * @param open whether it may take effect at any time after its invocation, or never
 * @param words for people
 */
record Step(
    String f,
    String client,
    @Nullable Long fence,
    @Nullable Object argument,
    @Nullable Object result,
    long from,
    long to,
    boolean open,
    String words) {

  /** The key of a value that is not a map. */
  private static final String PLAIN = "value";

  static Step of(Call call) {
    Operation completion = call.completion();
    boolean open = !call.isOk();
    return new Step(
        call.f(),
        call.client(),
        call.fence().isPresent() ? (Long) call.fence().getAsLong() : null,
        call.invocation().value().get(PLAIN),
        completion == null || open ? null : completion.value().get(PLAIN),
        call.invokedAt(),
        open ? Long.MAX_VALUE : call.completedAt(),
        open,
        call.describe());
  }

  /** That a lease ends by itself, at some time from then on, or never. */
  static Step expiry(Call grant, long from) {
    return new Step(
        Vocabulary.EXPIRE,
        grant.client(),
        grant.fence().isPresent() ? (Long) grant.fence().getAsLong() : null,
        null,
        null,
        from,
        Long.MAX_VALUE,
        true,
        "the end of the lease of " + grant.describe());
  }
}
