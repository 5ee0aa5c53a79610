package dev.holdfast.history;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Something that the nemesis broke, from the first act that began it to the last act that ended it.
 *
 * @param name what kind of fault
 * @param target what it was done to; empty where the history does not say
 * @param fromNanos when it began
 * @param toNanos when it had ended; the end of the history if it was never healed; equal to the
 *     beginning for an act of a moment
 * @param healed whether it was ended, or needed no ending
 */
public record FaultInterval(
    String name, String target, long fromNanos, long toNanos, boolean healed) {

  private static final String START = "start";
  private static final String STOP = "stop";

  /**
   * Finds the faults of a history. Jepsen's nemesis records each act twice, when it begins and when
   * it is done: both count as one.
   *
   * @param history the history
   * @return the faults in order of their beginnings
   */
  public static List<FaultInterval> of(History history) {
    List<FaultInterval> faults = new ArrayList<>();
    Map<String, Integer> latest = new HashMap<>(); // name and target to place in faults
    for (Operation act : history.nemesis()) {
      if (act.type() == Operation.Type.FAIL) {
        continue;
      }
      String target = text(act, Vocabulary.TARGET, text(act, Vocabulary.CLIENT, ""));
      String name = name(act);
      String key = name + "\0" + target;
      Integer place = latest.get(key);
      FaultInterval last = place == null ? null : faults.get(place);
      boolean open = last != null && !last.healed;
      if (!isStop(act) && !open) {
        boolean moment = !isStart(act);
        long end = moment ? act.time() : history.endNanos();
        latest.put(key, faults.size());
        faults.add(new FaultInterval(name, target, act.time(), end, moment));
      } else if (isStop(act) && last != null && place != null) {
        faults.set(place, new FaultInterval(name, target, last.fromNanos, act.time(), true));
      }
    }
    return List.copyOf(faults);
  }

  private static boolean isStart(Operation act) {
    return act.f().equals(START) || act.f().startsWith(START + "-");
  }

  private static boolean isStop(Operation act) {
    return act.f().equals(STOP) || act.f().startsWith(STOP + "-");
  }

  private static String name(Operation act) {
    if (act.f().equals(START) || act.f().equals(STOP)) {
      return text(act, Vocabulary.FAULT, "fault");
    }
    return isStart(act) || isStop(act) ? act.f().substring(act.f().indexOf('-') + 1) : act.f();
  }

  private static String text(Operation act, String key, String otherwise) {
    Object value = act.value().get(key);
    return value == null ? otherwise : value.toString();
  }
}
