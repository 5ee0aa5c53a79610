package dev.holdfast.chaos.toxiproxy;

import static java.util.concurrent.TimeUnit.NANOSECONDS;

import io.netty.channel.EventLoop;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.Future;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One place in a link's chain: an inbox with little room, and an {@link Effect} working it off.
 *
 * <p>A chunk moves on when this stage is not waiting and the next one has room. Changes of the
 * chain follow the real server: a stage whose toxic, or whose neighbour, is changed is
 * <em>interrupted</em> — it lets go at once of the chunk it holds — and <em>started</em> again,
 * which also rolls the dice of the toxicity again. A stage that has closed takes nothing more.
 */
final class ToxicStage implements Outlet {

  private static final Logger LOG = LoggerFactory.getLogger(ToxicStage.class);

  /** The most chunks in the inbox of a buffering effect; others get one chunk. */
  private static final int BUFFERED_CHUNKS = 1024;

  private static final int BUFFERED_BYTES = 1 << 20;

  /** A terabyte, or decades of milliseconds. */
  private static final long MOST = 1L << 40;

  private final EventLoop loop;
  private final RandomGenerator random;
  private final Effect effect;
  private Toxic toxic;

  /** Tells the one before that there may be room. */
  private Runnable demand = () -> {};

  private Outlet next;

  private final Deque<Chunk> inbox = new ArrayDeque<>();
  private int inboxBytes;

  /** The toxicity's dice fell so that the effect is on; else everything passes. */
  private boolean active;

  /** The end of the stream stands behind the inbox. */
  private boolean ended;

  /** The effect has been notified of the end. */
  private boolean endHandled;

  /** The end has been passed on. */
  private boolean closed;

  /** Will close, and no change of the chain can help it. */
  private boolean doomed;

  /** Not yet started, or interrupted and not yet started again. */
  private boolean suspended = true;

  private boolean working;

  /** Holds or pauses: the next chunk's turn has not come. */
  private boolean waiting;

  private @Nullable Chunk held;
  private @Nullable Future<?> timer;
  private long latenessNanos;

  ToxicStage(EventLoop loop, RandomGenerator random, Toxic toxic, Outlet next) {
    this.loop = loop;
    this.random = random;
    this.toxic = toxic;
    this.effect = toxic.type().newEffect();
    this.next = next;
  }

  // ---- the chain

  boolean isOf(Toxic other) {
    return toxic.name().equals(other.name());
  }

  /** Returns whether the stage lets nothing more through, and its link is coming to its end. */
  boolean finished() {
    return closed || doomed;
  }

  void connect(Runnable newDemand, Outlet newNext) {
    demand = newDemand;
    next = newNext;
  }

  /** Takes the toxic's new settings and starts with them. */
  void update(Toxic newToxic) {
    interrupt();
    toxic = newToxic;
    start();
  }

  /** Stops waiting, and lets go of what is held. */
  void interrupt() {
    if (finished()) {
      return;
    }
    suspended = true;
    cancelTimer();
    waiting = false;
    latenessNanos = 0;
    Chunk chunk = held;
    held = null;
    if (chunk != null) {
      next.accept(chunk);
    }
  }

  /** Starts the effect, first or after an interruption. */
  void start() {
    if (finished()) {
      return;
    }
    suspended = false;
    endHandled = false;
    active = random.nextFloat() < toxic.toxicity();
    if (active) {
      effect.start(this);
    }
    work();
  }

  /** Hands all to the next stage; false if the stage stays, as it has closed or is about to. */
  boolean empty() {
    interrupt();
    if (!finished()) {
      effect.remove(this);
    }
    if (finished()) {
      return false;
    }
    inbox.forEach(next::accept);
    if (ended) {
      next.end();
    }
    discard();
    return true;
  }

  /** Forgets everything: the destination is gone. */
  void discard() {
    closed = true;
    cancelTimer();
    held = null;
    inbox.clear();
    inboxBytes = 0;
  }

  // ---- the stream

  @Override
  public boolean ready() {
    return !finished()
        && (inbox.isEmpty()
            || (effect.buffers() && inbox.size() < BUFFERED_CHUNKS && inboxBytes < BUFFERED_BYTES));
  }

  @Override
  public void accept(Chunk chunk) {
    if (!finished()) {
      inbox.add(chunk);
      inboxBytes += chunk.size();
      work();
    }
  }

  @Override
  public void end() {
    ended = true;
    work();
  }

  /** Works off the inbox as far as possible. */
  void work() {
    if (suspended || working) {
      return; // If working: called back by the next stage from the loop below, which looks again.
    }
    working = true;
    while (!finished() && !waiting) {
      Chunk chunk = inbox.peek();
      if (chunk == null) {
        if (!ended || endHandled) {
          break;
        }
        endHandled = true;
        if (active) {
          effect.end(this);
        } else {
          close();
        }
      } else if (next.ready()) {
        inbox.remove();
        inboxBytes -= chunk.size();
        if (active) {
          effect.chunk(this, chunk);
        } else {
          pass(chunk);
        }
      } else {
        break;
      }
    }
    working = false;
    demand.run();
  }

  // ---- for the effects

  /** The toxic's setting, between ±{@link #MOST} so that sums and products do not overflow. */
  long attribute(String name) {
    return Math.max(-MOST, Math.min(toxic.attribute(name), MOST));
  }

  RandomGenerator random() {
    return random;
  }

  /** Passes the chunk on now. */
  void pass(Chunk chunk) {
    next.accept(chunk);
  }

  /** Passes the chunk on after the delay, and lets nothing overtake it. */
  void passAfter(long delayNanos, Chunk chunk) {
    if (delayNanos <= 0) {
      latenessNanos = -delayNanos;
      pass(chunk);
      return;
    }
    held = chunk;
    waiting = true;
    long dueNanos = System.nanoTime() + delayNanos;
    schedule(
        delayNanos,
        () -> {
          waiting = false;
          held = null;
          latenessNanos = System.nanoTime() - dueNanos;
          pass(chunk);
        });
  }

  /** Returns how much later than wished the last chunk of {@link #passAfter} was passed on. */
  long latenessNanos() {
    return latenessNanos;
  }

  /** Holds the chunk until the next interruption. */
  void hold(Chunk chunk) {
    held = chunk;
    waiting = true;
  }

  /** Puts back the part of a chunk that is to come next. */
  void putBack(Chunk rest) {
    if (rest.size() > 0) {
      inbox.addFirst(rest);
      inboxBytes += rest.size();
    }
  }

  /** Handles nothing for a while. */
  void pause(long delayNanos) {
    if (delayNanos > 0) {
      waiting = true;
      schedule(delayNanos, () -> waiting = false);
    }
  }

  /** Closes after the delay, unless interrupted or told so again; handles chunks meanwhile. */
  void closeAfter(long delayNanos) {
    schedule(delayNanos, this::close);
  }

  /** Closes after the delay whatever happens to the toxic; handles nothing more. */
  void closeWithoutFailAfter(long delayNanos) {
    doomed = true;
    inbox.clear();
    inboxBytes = 0;
    schedule(delayNanos, this::close);
  }

  /** Passes the end of the stream on, now; what is still in the inbox is dropped. */
  void close() {
    if (!closed) {
      discard();
      next.end();
    }
  }

  private void schedule(long delayNanos, Runnable action) {
    cancelTimer();
    timer = loop.schedule(() -> expired(action), delayNanos, NANOSECONDS);
  }

  private void expired(Runnable action) {
    timer = null;
    try {
      action.run();
      work();
    } catch (RuntimeException e) {
      LOG.error("{} closes a connection after an unexpected error", toxic, e);
      close();
    }
  }

  private void cancelTimer() {
    Future<?> old = timer;
    timer = null;
    if (old != null) {
      old.cancel(false);
    }
  }
}
