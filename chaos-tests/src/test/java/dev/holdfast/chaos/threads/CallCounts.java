package dev.holdfast.chaos.threads;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;

/** How often what happened, over all rounds. Thread-safe. */
final class CallCounts {
  private final Map<Event, AtomicLong> counts = new EnumMap<>(Event.class);

  /** What is counted. */
  enum Event {
    ROUND,
    CALL,
    GRANT,
    CONTENDED,
    UNAVAILABLE,
    LEASE_LOST,
    INTERRUPTED,
    CANCELLED,
    CLOSED,
    INJECTED,
    HANDOFF
  }

  CallCounts() {
    for (Event event : Event.values()) {
      counts.put(event, new AtomicLong());
    }
  }

  void add(Event event) {
    add(event, 1);
  }

  private void add(Event event, long count) {
    AtomicLong counter = counts.get(event);
    if (counter != null) {
      long unused = counter.addAndGet(count);
    }
  }

  long of(Event event) {
    AtomicLong counter = counts.get(event);
    return counter == null ? 0 : counter.get();
  }

  /** Returns what has not happened yet. */
  List<Event> missing() {
    List<Event> missing = new ArrayList<>();
    for (Event event : Event.values()) {
      if (of(event) == 0) {
        missing.add(event);
      }
    }
    return missing;
  }

  @Override
  public String toString() {
    StringBuilder text = new StringBuilder();
    for (Event event : Event.values()) {
      text.append(text.isEmpty() ? "" : ", ");
      text.append(
          String.format(
              Locale.ROOT,
              "%,d %s",
              of(event),
              event.name().toLowerCase(Locale.ROOT).replace('_', '-')));
    }
    return text.toString();
  }
}
