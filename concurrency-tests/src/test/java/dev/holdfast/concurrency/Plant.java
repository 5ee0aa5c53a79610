package dev.holdfast.concurrency;

import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicIntegerFieldUpdater;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Faults that {@link Weaver} weaves into the library, with the race that each breaks and the
 * verdict that names it. All are woven in at once, and one at most takes effect.
 */
public enum Plant {
  SERIAL_RUNS_TWO_AT_ONCE(Subject.SERIAL_EXECUTOR, "two tasks ran at once|a task was lost"),
  SERIAL_DOES_NOT_LOOK_AGAIN(Subject.SERIAL_EXECUTOR, "a task was lost"),
  TIMER_DOES_NOT_LOOK_AGAIN(Subject.TIMER_SLEEP, "sleeps though a timer is due"),
  TIMER_HAS_NO_FENCES(Subject.TIMER_SLEEP, "sleeps though a timer is due"),
  BATCHER_IS_NOT_SYNCHRONIZED(
      Subject.BATCHER, "an operation left twice|an operation has no result|too many requests"),
  BATCHER_COUNTS_A_REQUEST_TWICE(Subject.BATCHER_CANCEL, "too many requests"),
  FUTURE_DOES_NOT_LOOK_AGAIN(Subject.CANCELLABLE_FUTURE, "the step under way goes on"),
  FUTURE_STEP_IS_NOT_VOLATILE(Subject.CANCELLABLE_FUTURE, "the step under way goes on"),
  ABANDONED_CALL_IS_NOT_NOTICED(Subject.ABANDON, "waits for ever"),
  ABANDONED_IS_NOT_VOLATILE(Subject.ABANDON, "waits for ever"),
  GRANT_TO_NOBODY_IS_KEPT(Subject.GRANT_CANCEL, "nobody has the lock that was granted"),
  RELEASE_IS_NOT_MARKED(Subject.HANDOFF, "a released lease is held"),
  ANY_LEASE_RELEASES(Subject.DOUBLE_RELEASE, "the successor lost the lock"),
  LINGER_ENDS_UNDER_A_HOLDER(Subject.LINGER, "the holder lost the lock"),
  LOSS_IS_NOT_KEPT(Subject.LOSS, "a lost lease is held again"),
  LIMITS_ARE_REPLACED_UNSEEN(Subject.HOLD_LIMITS, "a lost lease is held again"),
  LOSS_WATCH_DOES_NOT_LOOK_AGAIN(Subject.LOSS_WATCH, "a session is not watched"),
  QUEUE_IS_CREATED_TWICE(Subject.QUEUE_CREATION, "the second call was not granted"),
  QUEUE_DISPOSAL_IS_NOT_NOTICED(Subject.QUEUE_DISPOSAL, "a queue that the manager does not know");

  private static final Plant[] ALL = values();

  /** Written before a race begins, by the thread that starts its threads. */
  private static @Nullable Plant effective;

  private final Subject subject;
  private final String verdict;

  Plant(Subject subject, String verdict) {
    this.subject = subject;
    this.verdict = verdict;
  }

  /** The race that it breaks. */
  Subject subject() {
    return subject;
  }

  /** A regular expression that is found in the verdicts that name it. */
  String verdict() {
    return verdict;
  }

  /** Makes that one take effect from now on, and no other; none for null. */
  static void take(@Nullable Plant plant) {
    effective = plant;
  }

  // --- What woven code calls

  /** Whether that one takes effect. */
  public static boolean on(int ordinal) {
    return effective == ALL[ordinal];
  }

  /** That, or true. */
  public static boolean orTrue(boolean real, int ordinal) {
    return real || on(ordinal);
  }

  /** That, or false. */
  public static boolean orFalse(boolean real, int ordinal) {
    return real && !on(ordinal);
  }

  /** That, or null. */
  public static @Nullable Object orNull(@Nullable Object real, int ordinal) {
    return on(ordinal) ? null : real;
  }

  /** The first, or the second. */
  public static @Nullable Object orOther(
      @Nullable Object real, @Nullable Object other, int ordinal) {
    return on(ordinal) ? other : real;
  }

  /** What to lock: a new object excludes nobody. */
  public static Object monitor(Object real, int ordinal) {
    return on(ordinal) ? new Object() : real;
  }

  /** In the place of the method of that name. */
  public static boolean compareAndSet(
      AtomicIntegerFieldUpdater<Object> updater,
      Object object,
      int expected,
      int value,
      int ordinal) {
    if (!on(ordinal)) {
      return updater.compareAndSet(object, expected, value);
    }
    if (updater.get(object) != expected) {
      return false;
    }
    updater.set(object, value);
    return true;
  }

  /** In the place of the method of that name. */
  public static @Nullable Object computeIfAbsent(
      ConcurrentHashMap<Object, Object> map,
      Object key,
      Function<Object, Object> maker,
      int ordinal) {
    if (!on(ordinal)) {
      return map.computeIfAbsent(key, maker);
    }
    Object value = map.get(key);
    if (value == null) {
      value = maker.apply(key);
      map.put(key, value);
    }
    return value;
  }
}
