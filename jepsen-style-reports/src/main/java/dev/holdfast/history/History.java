package dev.holdfast.history;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A whole history, its operations in order of time and paired into calls. Immutable.
 *
 * <p>Operations of equal time are concurrent, whatever their order, but for those of one process.
 */
public final class History {

  private static final Pattern NUMBER = Pattern.compile("0|[1-9][0-9]{0,18}");

  private final List<Operation> operations;
  private final List<Call> calls;
  private final List<Operation> notices;
  private final List<Operation> nemesis;
  private final long movedNanos;

  /** Worked out when first asked for, since most checkers ask. */
  private @Nullable List<Tenure> tenures;

  private History(
      List<Operation> operations,
      List<Call> calls,
      List<Operation> notices,
      List<Operation> nemesis,
      long movedNanos) {
    this.operations = operations;
    this.calls = calls;
    this.notices = notices;
    this.nemesis = nemesis;
    this.movedNanos = movedNanos;
  }

  /**
   * Pairs invocations with completions. An {@code :info} of a process that has nothing under way is
   * a notice. Where clients are written as numbers, the client of an operation that names none is
   * the number of its process: process 3 and {@code :client 3} are one.
   *
   * @param operations the operations in order of time
   * @return the history
   * @throws HistoryFormatException if time goes backwards, a process does two things at once, or an
   *     answer answers nothing
   */
  public static History of(List<Operation> operations) {
    List<Operation> all = withNumberedClients(withAnsweredClients(operations));
    List<@Nullable Call> calls = new ArrayList<>();
    List<Operation> notices = new ArrayList<>();
    List<Operation> nemesis = new ArrayList<>();
    Map<Long, Integer> pending = new HashMap<>(); // process to place in calls
    long now = Long.MIN_VALUE;
    for (int i = 0; i < all.size(); i++) {
      Operation operation = all.get(i);
      if (operation.time() < now) {
        throw new HistoryFormatException(
            i, describe(operation) + " is earlier than the operation before it");
      }
      now = operation.time();
      if (operation.isNemesis()) {
        nemesis.add(operation);
      } else if (operation.type() == Operation.Type.INVOKE) {
        if (pending.put(operation.process(), calls.size()) != null) {
          throw new HistoryFormatException(
              i, describe(operation) + " begins before its process was done with the previous one");
        }
        calls.add(new Call(operation, null));
      } else {
        Integer place = pending.remove(operation.process());
        Call open = place == null ? null : calls.get(place);
        if (place != null && open != null) {
          if (!open.f().equals(operation.f())) {
            throw new HistoryFormatException(
                i, describe(operation) + " answers an invocation of " + open.f());
          }
          if (operation.value().containsKey(Vocabulary.LOCK)
              && open.invocation().value().containsKey(Vocabulary.LOCK)
              && !operation.lock().equals(open.lock())) {
            throw new HistoryFormatException(
                i, describe(operation) + " names another lock than its invocation, " + open.lock());
          }
          calls.set(place, new Call(open.invocation(), operation));
        } else if (operation.type() == Operation.Type.INFO) {
          notices.add(operation);
        } else {
          throw new HistoryFormatException(i, describe(operation) + " answers no invocation");
        }
      }
    }
    return new History(all, List.copyOf(calls), List.copyOf(notices), List.copyOf(nemesis), 0);
  }

  /** The same, of which times were moved by up to so many nanoseconds when it was read. */
  History movedBy(long nanos) {
    return new History(operations, calls, notices, nemesis, nanos);
  }

  /**
   * Returns by how much times may be wrong, because they went back in what was read.
   *
   * @return the most by which a time was moved, in nanoseconds; 0 if none was
   */
  public long movedNanos() {
    return movedNanos;
  }

  /** With the client of the answer in each invocation that names none. */
  private static List<Operation> withAnsweredClients(List<Operation> operations) {
    boolean isAny =
        operations.stream()
            .anyMatch(
                each ->
                    each.type() == Operation.Type.INVOKE
                        && !each.value().containsKey(Vocabulary.CLIENT));
    if (!isAny) {
      return operations;
    }
    List<Operation> all = new ArrayList<>(operations);
    Map<Long, Integer> pending = new HashMap<>(); // process to place
    for (int i = 0; i < all.size(); i++) {
      Operation operation = all.get(i);
      if (operation.isNemesis()) {
        continue;
      } else if (operation.type() == Operation.Type.INVOKE) {
        pending.put(operation.process(), i);
        continue;
      }
      Integer asked = pending.remove(operation.process());
      Object client = operation.value().get(Vocabulary.CLIENT);
      if (asked != null
          && client != null
          && !all.get(asked).value().containsKey(Vocabulary.CLIENT)) {
        all.set(asked, all.get(asked).with(Vocabulary.CLIENT, client));
      }
    }
    return all;
  }

  private static List<Operation> withNumberedClients(List<Operation> operations) {
    if (operations.stream().noneMatch(History::hasNumberedClient)) {
      return List.copyOf(operations);
    }
    List<Operation> all = new ArrayList<>(operations);
    all.replaceAll(
        operation ->
            operation.isNemesis() || operation.value().containsKey(Vocabulary.CLIENT)
                ? operation
                : operation.with(Vocabulary.CLIENT, operation.process()));
    return List.copyOf(all);
  }

  private static boolean hasNumberedClient(Operation operation) {
    Object client = operation.value().get(Vocabulary.CLIENT);
    return client instanceof Long
        || (client instanceof String text
            && !text.isEmpty()
            && text.charAt(0) <= '9' // nearly all are names, and are told apart by this
            && NUMBER.matcher(text).matches());
  }

  /**
   * Returns everything.
   *
   * @return the operations in order of time
   */
  public List<Operation> operations() {
    return operations;
  }

  /**
   * Returns what clients asked for, with the answers.
   *
   * @return the calls in order of their invocations
   */
  public List<Call> calls() {
    return calls;
  }

  /**
   * Returns what clients were told without having asked.
   *
   * @return the notices in order of time
   */
  public List<Operation> notices() {
    return notices;
  }

  /**
   * Returns what the nemesis did.
   *
   * @return its operations in order of time
   */
  public List<Operation> nemesis() {
    return nemesis;
  }

  /** The tenures, see {@link Tenure#of}. */
  synchronized List<Tenure> tenures() {
    List<Tenure> found = tenures;
    if (found == null) {
      found = Tenure.find(this);
      tenures = found;
    }
    return found;
  }

  /**
   * Returns when the last thing happened.
   *
   * @return the time of the last operation in nanoseconds; 0 if there is none
   */
  public long endNanos() {
    return operations.isEmpty() ? 0 : operations.get(operations.size() - 1).time();
  }

  private static String describe(Operation operation) {
    return "operation "
        + operation.index()
        + " (:"
        + operation.type().text()
        + " :"
        + operation.f()
        + " of process "
        + (operation.isNemesis() ? "nemesis" : operation.process())
        + ")";
  }
}
