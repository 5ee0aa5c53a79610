package dev.holdfast.history;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;

/** Puts the histories of several writers together. Stateless. */
public final class Histories {

  private Histories() {}

  /**
   * Merges histories that were recorded on the same clock: sorted by time, those of equal time in
   * the order of the lists, the first one at time 0, indexed from 0. Every {@link Vocabulary#UNTIL}
   * in a value moves with the times.
   *
   * @param parts the histories of the writers
   * @return the one history
   * @throws HistoryFormatException if two of them use the same process number, or the result makes
   *     no sense
   */
  public static History merge(List<List<Operation>> parts) {
    Map<Long, Integer> owners = new HashMap<>();
    List<Operation> all = new ArrayList<>();
    for (int part = 0; part < parts.size(); part++) {
      for (Operation operation : parts.get(part)) {
        Integer owner = owners.putIfAbsent(operation.process(), part);
        if (owner != null && owner != part && !operation.isNemesis()) {
          throw new HistoryFormatException(
              "process " + operation.process() + " occurs in two of the histories to be merged");
        }
        all.add(operation);
      }
    }
    all.sort(Comparator.comparingLong(Operation::time));
    long start = all.isEmpty() ? 0 : all.get(0).time();
    for (int i = 0; i < all.size(); i++) {
      all.set(i, rebase(all.get(i), i, start));
    }
    return History.of(all);
  }

  private static Operation rebase(Operation operation, long index, long start) {
    Map<String, Object> value = operation.value();
    OptionalLong until = operation.number(Vocabulary.UNTIL);
    if (until.isPresent() && start != 0) {
      value = new LinkedHashMap<>(value);
      value.put(Vocabulary.UNTIL, until.getAsLong() - start);
    }
    return new Operation(
        index,
        operation.time() - start,
        operation.type(),
        operation.process(),
        operation.f(),
        value,
        operation.error());
  }
}
