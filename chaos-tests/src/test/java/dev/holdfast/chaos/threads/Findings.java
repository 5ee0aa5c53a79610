package dev.holdfast.chaos.threads;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.EnumSet;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;

/** What was found to be wrong, by any thread. Thread-safe. */
final class Findings {
  /** The first ones are what matters. */
  private static final int MAX_KEPT = 100;

  private final Queue<Finding> all = new ConcurrentLinkedQueue<>();

  /** One violation. */
  record Finding(Requirement requirement, String text) {
    @Override
    public String toString() {
      return requirement + ": " + text;
    }
  }

  void add(Requirement requirement, String text) {
    if (all.size() < MAX_KEPT) {
      all.add(new Finding(requirement, text));
    }
  }

  void add(Requirement requirement, String text, Throwable why) {
    StringWriter trace = new StringWriter();
    why.printStackTrace(new PrintWriter(trace));
    add(requirement, text + "\n" + trace);
  }

  boolean isEmpty() {
    return all.isEmpty();
  }

  List<Finding> list() {
    return List.copyOf(all);
  }

  Set<Requirement> requirements() {
    Set<Requirement> broken = EnumSet.noneOf(Requirement.class);
    all.forEach(finding -> broken.add(finding.requirement()));
    return broken;
  }
}
