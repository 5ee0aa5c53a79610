package dev.holdfast.history.check;

import dev.holdfast.history.Call;
import dev.holdfast.history.Formats;
import dev.holdfast.history.Operation;
import dev.holdfast.history.Vocabulary;
import java.util.HashMap;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * One operation as the search for an order sees it.
 *
 * @param call what it comes from; of a notice, the notice as a call without an answer
 * @param f what was done
 * @param client by whom
 * @param fence with which fencing token; null if none was told
 * @param from when it was invoked
 * @param to when its answer came; {@link Long#MAX_VALUE} if there is none. Of a notice, when it
 *     came
 * @param open whether it may take effect at any time after its invocation, or never
 * @param until the end of the lease that it gets or renews, if its answer tells; else {@link #NONE}
 * @param ttl how long that lease lasts after its invocation; {@link #NONE} if that is not known
 */
record Step(
    Call call,
    String f,
    String client,
    @Nullable Long fence,
    long from,
    long to,
    boolean open,
    long until,
    long ttl) {

  /** The key of a value that is not a map. */
  static final String PLAIN = "value";

  /** The keys that say of what an operation is, and whose. */
  private static final Set<String> NAMES = Set.of(Vocabulary.LOCK, Vocabulary.CLIENT);

  /** No number is known. */
  static final long NONE = Long.MIN_VALUE;

  /** A call that has not failed. */
  static Step of(Call call) {
    boolean open = !call.isOk();
    return new Step(
        call,
        call.f(),
        call.client(),
        fence(call),
        call.invokedAt(),
        open ? Long.MAX_VALUE : call.completedAt(),
        open,
        until(call),
        ttl(call));
  }

  /** A lease may have ended because its holder was told so, by a notice or the answer to a call. */
  static Step loss(Call call) {
    Operation completion = call.completion();
    return new Step(
        call,
        call.f(),
        call.client(),
        fence(call),
        call.invokedAt(),
        completion == null ? Long.MAX_VALUE : completion.time(),
        true,
        NONE,
        NONE);
  }

  /** As {@link #loss(Call)}, from that time on. */
  static Step loss(Operation notice) {
    Call call = new Call(notice, null);
    return new Step(
        call, call.f(), call.client(), fence(call), notice.time(), notice.time(), true, NONE, NONE);
  }

  private static @Nullable Long fence(Call call) {
    return call.fence().isPresent() ? (Long) call.fence().getAsLong() : null;
  }

  private static long until(Call call) {
    // One that had passed when its answer was recorded does not tell when.
    return TtlExpiryChecker.wasOver(call)
        ? call.invokedAt()
        : TtlExpiryChecker.until(call).orElse(NONE);
  }

  private static long ttl(Call call) {
    OptionalLong millis = call.number(Vocabulary.TTL);
    return millis.isEmpty() ? NONE : TimeUnit.MILLISECONDS.toNanos(millis.getAsLong());
  }

  /**
   * Returns when the lease ends that this gets or renews.
   *
   * @param otherwise its TTL if this tells none
   */
  long leaseEnd(long otherwise) {
    long own = ttl == NONE ? otherwise : ttl;
    return until != NONE ? until : own == NONE ? Long.MAX_VALUE : Formats.plus(from, own);
  }

  /** Returns whether a client was told that it had lost its lease. */
  boolean isLoss() {
    return f.equals(Vocabulary.LOST) || f.equals(Vocabulary.EXPIRE);
  }

  long process() {
    return call.invocation().process();
  }

  /** Returns what the invocation's value says. */
  @Nullable Object argument() {
    return content(call.invocation());
  }

  /** Returns what the completion's value says; null if it was not told. */
  @Nullable Object result() {
    Operation completion = call.completion();
    return completion == null || open ? null : content(completion);
  }

  /**
   * What an operation's value says of what an object holds: the entry of the key {@code value}, or
   * where there is none, a map of all entries but those that name the object and the client.
   */
  private static @Nullable Object content(Operation operation) {
    Map<String, Object> value = operation.value();
    Object plain = value.get(PLAIN);
    if (plain != null || others(operation).findAny().isEmpty()) {
      return plain;
    }
    Map<String, Object> content = new HashMap<>(value);
    content.keySet().removeAll(NAMES);
    return content;
  }

  /** The keys of an operation's value that are no part of what {@link #PLAIN} says. */
  static Stream<String> others(Operation operation) {
    return operation.value().keySet().stream()
        .filter(key -> !key.equals(PLAIN) && !NAMES.contains(key));
  }
}
