package dev.holdfast.lock.internal;

import java.io.IOException;
import java.io.ObjectOutputStream;
import java.io.OutputStream;
import java.util.Arrays;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Failures that can be serialised, whatever they hold. Exceptions of HTTP clients and of
 * Elasticsearch's client hold answers and connections, which cannot, and an exception is serialised
 * with its causes or not at all.
 */
public final class SerializableFailures {
  private SerializableFailures() {}

  /**
   * The failure, if it can be serialised as it is; otherwise a stand-in that prints like it, with
   * its stack trace, and with its causes and suppressed exceptions treated likewise. Null for null.
   */
  public static @Nullable Throwable of(@Nullable Throwable failure) {
    return failure == null ? null : of(failure, identitySet());
  }

  /** Gives a copy of an exception what the original has besides its cause. */
  public static <T extends Throwable> T completed(T copy, Throwable original) {
    copy.setStackTrace(original.getStackTrace());
    for (Throwable suppressed : original.getSuppressed()) {
      copy.addSuppressed(of(suppressed, identitySet()));
    }
    return copy;
  }

  private static Throwable of(Throwable failure, Set<Throwable> seen) {
    if (canBeSerialised(failure)) {
      return failure;
    }
    // Causes may lead back to where they came from: each is followed once.
    boolean first = seen.add(failure);
    Throwable cause = first ? failure.getCause() : null;
    StandIn standIn = new StandIn(failure, cause == null ? null : of(cause, seen));
    if (first) {
      for (Throwable suppressed : failure.getSuppressed()) {
        standIn.addSuppressed(of(suppressed, seen));
      }
    }
    return standIn;
  }

  private static boolean canBeSerialised(Throwable failure) {
    if (leadsBack(failure, identitySet())) {
      return false;
    }
    try (ObjectOutputStream out = new ObjectOutputStream(OutputStream.nullOutputStream())) {
      out.writeObject(failure);
      return true;
    } catch (IOException | RuntimeException | StackOverflowError e) {
      return false;
    }
  }

  /** Whether causes and suppressed exceptions form a circle. */
  private static boolean leadsBack(@Nullable Throwable failure, Set<Throwable> path) {
    if (failure == null) {
      return false;
    }
    if (!path.add(failure)) {
      return true;
    }
    boolean found =
        leadsBack(failure.getCause(), path)
            || Arrays.stream(failure.getSuppressed()).anyMatch(each -> leadsBack(each, path));
    path.remove(failure);
    return found;
  }

  private static Set<Throwable> identitySet() {
    return Collections.newSetFromMap(new IdentityHashMap<>());
  }

  /** In the place of an exception that cannot be serialised. */
  private static final class StandIn extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final String text;

    StandIn(Throwable original, @Nullable Throwable cause) {
      super(original.getMessage(), cause);
      this.text = original.toString();
      setStackTrace(original.getStackTrace());
    }

    @Override
    @SuppressWarnings("OverrideThrowableToString") // It prints under the original's class name.
    public String toString() {
      return text;
    }
  }
}
