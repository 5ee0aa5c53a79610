package dev.holdfast.history.check;

import dev.holdfast.history.Call;
import dev.holdfast.history.History;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Whether a small history can be explained, by trying all orders of all subsets of what is open,
 * with models of its own: nothing of what is under test is used here, and nothing is clever.
 */
final class EveryOrder {

  private static final long NEVER = Long.MAX_VALUE;

  /** Something that happened, or may have. */
  private record Act(
      String f,
      String client,
      @Nullable Long fence,
      @Nullable Object argument,
      @Nullable Object result,
      long from,
      long to,
      long process) {

    boolean isOpen() {
      return to == NEVER;
    }
  }

  /** An object as it is: who holds it, how often, with what; or what it contains. */
  private record State(
      String owner, int times, @Nullable Long fence, long highest, @Nullable Object content) {

    State with(String newOwner, int newTimes) {
      return new State(newOwner, newTimes, null, 0, null);
    }

    State with(@Nullable Object newContent) {
      return new State("", 0, null, 0, newContent);
    }
  }

  private final String model;
  private final List<Act> acts = new ArrayList<>();

  private EveryOrder(String model) {
    this.model = model;
  }

  static boolean explains(String model, History history) {
    if (model.equals("lease")) {
      return EveryAttribution.explains(history);
    }
    EveryOrder orders = new EveryOrder(model);
    for (Call call : history.calls()) {
      if (!call.isFailed()) {
        orders.acts.add(act(call));
      }
    }
    return orders.any(
        new boolean[orders.acts.size()], new State("", 0, null, Long.MIN_VALUE, null));
  }

  private static Act act(Call call) {
    return new Act(
        call.f(),
        call.client(),
        fence(call),
        call.invocation().value().get("value"),
        call.completion() == null ? null : call.completion().value().get("value"),
        call.invokedAt(),
        call.isOk() ? call.completedAt() : NEVER,
        call.invocation().process());
  }

  private static @Nullable Long fence(Call call) {
    return call.fence().isPresent() ? (Long) call.fence().getAsLong() : null;
  }

  private boolean any(boolean[] taken, State state) {
    boolean isDone = true;
    for (int i = 0; i < taken.length; i++) {
      isDone &= taken[i] || acts.get(i).isOpen();
    }
    if (isDone) {
      return true;
    }
    for (int i = 0; i < taken.length; i++) {
      Optional<State> next =
          !taken[i] && mayComeNext(taken, i) ? next(state, acts.get(i)) : Optional.empty();
      boolean isIdle = acts.get(i).isOpen() && next.equals(Optional.of(state));
      if (next.isPresent() && !isIdle) {
        taken[i] = true;
        boolean explained = any(taken, next.get());
        taken[i] = false;
        if (explained) {
          return true;
        }
      }
    }
    return false;
  }

  private boolean mayComeNext(boolean[] taken, int act) {
    for (int i = 0; i < taken.length; i++) {
      boolean isEarlier = i < act && acts.get(i).process == acts.get(act).process;
      isEarlier &= !acts.get(i).isOpen();
      if (!taken[i] && i != act && (isEarlier || acts.get(i).to < acts.get(act).from)) {
        return false;
      }
    }
    return true;
  }

  private Optional<State> next(State state, Act act) {
    boolean own = state.owner.equals(act.client);
    return switch (model + " " + act.f) {
      case "mutex acquire" -> when(state.times == 0, state.with("anybody", 1));
      case "mutex release" -> when(state.times == 1, state.with("", 0));
      case "semaphore:2 acquire" -> when(state.times < 2, state.with("anybody", state.times + 1));
      case "semaphore:2 release" -> when(state.times > 0, state.with("", state.times - 1));
      case "owner-mutex acquire" -> when(state.times == 0, state.with(act.client, 1));
      case "owner-mutex release" -> when(own, state.with("", 0));
      case "reentrant-mutex:2 acquire" ->
          when(
              state.times == 0 || (own && state.times == 1),
              state.with(act.client, state.times + 1));
      case "reentrant-mutex:2 release" ->
          when(own, state.with(state.times == 1 ? "" : act.client, state.times - 1));
      case "register write", "cas-register write" -> Optional.of(state.with(act.argument));
      case "register read", "cas-register read" ->
          when(act.isOpen() || Objects.equals(act.result, state.content), state);
      case "cas-register cas" -> {
        List<?> pair = (List<?>) Objects.requireNonNull(act.argument);
        yield when(Objects.equals(pair.get(0), state.content), state.with(pair.get(1)));
      }
      default -> nextOfFenced(state, act);
    };
  }

  private static Optional<State> nextOfFenced(State state, Act act) {
    Long fence = act.fence;
    boolean higher = fence == null || fence > state.highest;
    long highest = fence == null ? state.highest : Math.max(state.highest, fence);
    State free = new State("", 0, null, highest, null);
    if (act.f.equals("acquire")) {
      return when(state.owner.isEmpty() && higher, new State(act.client, 1, fence, highest, null));
    }
    boolean sameFence = fence == null || (state.fence == null ? higher : fence.equals(state.fence));
    if (!state.owner.equals(act.client) || !sameFence) {
      return Optional.empty();
    }
    return Optional.of(
        act.f.equals("release")
            ? free
            : new State(state.owner, 1, state.fence == null ? fence : state.fence, highest, null));
  }

  private static Optional<State> when(boolean possible, State next) {
    return possible ? Optional.of(next) : Optional.empty();
  }
}
