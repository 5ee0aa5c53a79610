package dev.holdfast.history.check;

import dev.holdfast.history.Call;
import dev.holdfast.history.History;
import dev.holdfast.history.Operation;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * Whether a small history of leases can be explained: by saying of each renewal, release and loss
 * which acquisition it is about, in all ways that there are, and trying all orders for each.
 * Nothing of what is under test is used here, and nothing is clever.
 */
final class EveryAttribution {

  private static final long NEVER = Long.MAX_VALUE;
  private static final int NOTHING = -1;
  private static final long MILLI = 1_000_000;

  private enum Kind {
    ACQUIRE,
    RENEW,
    RELEASE,
    /** The answer that a lease has ended. */
    ENDED,
    /** A lease may end because its holder was told so. */
    LOSS,
    /** A lease may end because its time is up. */
    END
  }

  /** Something that happened, or may have. */
  private record Act(
      Kind kind,
      String client,
      @Nullable Long fence,
      long from,
      long to,
      long process,
      long toldAt,
      long end) {

    boolean isOpen() {
      return to == NEVER;
    }
  }

  private final List<Act> acts = new ArrayList<>();

  /** For each act, the acquisition that it is about. */
  private int[] about = {};

  static boolean explains(History history) {
    EveryAttribution every = new EveryAttribution();
    for (Call call : history.calls()) {
      if (!call.isFailed()) {
        every.add(call);
      }
    }
    for (Operation notice : history.notices()) {
      if (notice.f().equals("lost") || notice.f().equals("expire")) {
        every.acts.add(
            new Act(
                Kind.LOSS,
                notice.client(),
                boxed(notice.number("fence")),
                notice.time(),
                NEVER,
                -1,
                notice.time(),
                0));
      }
    }
    every.about = new int[every.acts.size()];
    return every.anyAttribution(0);
  }

  private void add(Call call) {
    Long fence = boxed(call.fence());
    long from = call.invokedAt();
    long to = call.isOk() ? call.completedAt() : NEVER;
    long process = call.invocation().process();
    switch (call.f()) {
      case "acquire", "renew", "release" -> {
        Kind kind =
            call.f().equals("acquire")
                ? Kind.ACQUIRE
                : call.f().equals("renew") ? Kind.RENEW : Kind.RELEASE;
        long end = from + call.number("ttl").orElse(0) * MILLI;
        acts.add(new Act(kind, call.client(), fence, from, to, process, 0, end));
      }
      case "expire", "lost" -> {
        if (call.isOk()) {
          acts.add(new Act(Kind.ENDED, call.client(), fence, from, to, process, 0, 0));
        }
        long toldAt = call.completion() == null ? NEVER : call.completedAt();
        acts.add(new Act(Kind.LOSS, call.client(), fence, from, NEVER, -1, toldAt, 0));
      }
      default -> throw new IllegalArgumentException(call.f());
    }
  }

  private static @Nullable Long boxed(OptionalLong number) {
    return number.isPresent() ? (Long) number.getAsLong() : null;
  }

  private boolean anyAttribution(int act) {
    if (act == about.length) {
      return new Orders().any(NOTHING, null, Long.MIN_VALUE);
    }
    Act each = acts.get(act);
    about[act] = NOTHING;
    boolean isAboutAny = each.kind != Kind.ACQUIRE && each.kind != Kind.ENDED;
    if ((!isAboutAny || each.isOpen()) && anyAttribution(act + 1)) {
      return true;
    }
    for (int i = 0; i < acts.size() && isAboutAny; i++) {
      Act acquire = acts.get(i);
      if (acquire.kind == Kind.ACQUIRE
          && acquire.client.equals(each.client)
          && (acquire.fence == null || each.fence == null || acquire.fence.equals(each.fence))
          && (each.kind != Kind.LOSS || acquire.from <= each.toldAt)) {
        about[act] = i;
        if (anyAttribution(act + 1)) {
          return true;
        }
      }
    }
    return false;
  }

  /** All orders, when it is said what is about what. */
  private final class Orders {
    private final List<Act> all = new ArrayList<>(acts);
    private final int[] targets;
    private final boolean[] taken;

    Orders() {
      List<Integer> ended = new ArrayList<>();
      for (int i = 0; i < acts.size(); i++) {
        if (acts.get(i).kind == Kind.ACQUIRE) {
          all.add(new Act(Kind.END, "", null, end(i), NEVER, -1, 0, 0));
          ended.add(i);
        }
      }
      targets = Arrays.copyOf(about, all.size());
      for (int i = 0; i < ended.size(); i++) {
        targets[about.length + i] = ended.get(i);
      }
      taken = new boolean[all.size()];
    }

    /** By the renewal that was invoked last; of several at that moment, any but of one process. */
    private long end(int acquisition) {
      Act acquire = acts.get(acquisition);
      long latest = acquire.from;
      for (int i = 0; i < about.length; i++) {
        latest = isRenewal(i, acquisition) ? Math.max(latest, acts.get(i).from) : latest;
      }
      long end = NEVER;
      for (int i = 0; i < about.length; i++) {
        if (isRenewal(i, acquisition) && acts.get(i).from == latest) {
          boolean isLastOfItsProcess = true;
          for (int j = i + 1; j < about.length; j++) {
            isLastOfItsProcess &=
                !isRenewal(j, acquisition) || acts.get(j).process != acts.get(i).process;
          }
          end = isLastOfItsProcess ? Math.min(end, acts.get(i).end) : end;
        }
      }
      return end == NEVER ? acquire.end : end;
    }

    private boolean isRenewal(int act, int acquisition) {
      Act each = acts.get(act);
      return each.kind == Kind.RENEW && !each.isOpen() && about[act] == acquisition;
    }

    boolean any(int held, @Nullable Long fence, long highest) {
      boolean isDone = true;
      for (int i = 0; i < taken.length; i++) {
        isDone &= taken[i] || all.get(i).isOpen();
      }
      for (int i = 0; i < taken.length && !isDone; i++) {
        isDone = !taken[i] && mayComeNext(i) && then(i, held, fence, highest);
      }
      return isDone;
    }

    /** Returns whether there is an order that goes on with that act. */
    private boolean then(int place, int held, @Nullable Long fence, long highest) {
      Act act = all.get(place);
      taken[place] = true;
      boolean hasOrder = next(act, place, held, fence, highest);
      taken[place] = false;
      return hasOrder;
    }

    private boolean next(Act act, int place, int held, @Nullable Long fence, long highest) {
      Long named = act.fence;
      long higher = named == null ? highest : Math.max(highest, named);
      if (act.kind == Kind.ACQUIRE) {
        return held == NOTHING && (named == null || named > highest) && any(place, named, higher);
      } else if (act.kind == Kind.ENDED) {
        boolean isIt =
            held != NOTHING
                && acts.get(held).client.equals(act.client)
                && named != null
                && named.equals(fence);
        return any(isIt ? NOTHING : held, isIt ? null : fence, highest);
      }
      boolean isIts = named == null || (fence == null ? named > highest : named.equals(fence));
      if (held == NOTHING || held != targets[place] || !isIts) {
        return false;
      }
      return act.kind == Kind.RENEW
          ? any(held, fence == null ? named : fence, higher)
          : any(NOTHING, null, higher);
    }

    private boolean mayComeNext(int place) {
      for (int i = 0; i < taken.length; i++) {
        Act other = all.get(i);
        boolean isEarlier = i < place && other.process == all.get(place).process;
        isEarlier &= !other.isOpen() && other.process >= 0;
        if (!taken[i] && i != place && (isEarlier || other.to < all.get(place).from)) {
          return false;
        }
      }
      return true;
    }
  }
}
