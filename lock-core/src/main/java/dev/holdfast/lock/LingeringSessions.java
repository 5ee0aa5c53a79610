package dev.holdfast.lock;

import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The sessions of a manager that nobody holds, the oldest first. Bounded; thread-safe. */
final class LingeringSessions {
  /**
   * How many there are at most by default. Each costs about as much memory as a held lease, and a
   * delete when its time is up; this many cost less than 20 MB.
   */
  static final int MAX = 10_000;

  private final Set<Session> sessions = new LinkedHashSet<>();
  private final int max;

  LingeringSessions(int max) {
    this.max = max;
  }

  /**
   * Adds a session.
   *
   * @return another that is to be given back in its place; null if there is room
   */
  synchronized @Nullable Session add(Session session) {
    sessions.add(session);
    if (sessions.size() <= max) {
      return null;
    }
    Iterator<Session> oldestFirst = sessions.iterator();
    Session oldest = oldestFirst.next();
    oldestFirst.remove();
    return oldest;
  }

  synchronized void remove(Session session) {
    sessions.remove(session);
  }

  synchronized int size() {
    return sessions.size();
  }
}
