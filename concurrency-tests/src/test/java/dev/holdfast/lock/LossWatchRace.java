package dev.holdfast.lock;

import dev.holdfast.concurrency.Race;
import dev.holdfast.lock.store.Incarnation;
import dev.holdfast.lock.store.Version;
import java.util.Objects;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;

/** The watch goes round, and finds no session, while one begins. */
public final class LossWatchRace implements Race {
  private final Queue<Runnable> timers = new ConcurrentLinkedQueue<>();
  private final LossWatch watch =
      new LossWatch(
          (task, delayNanos) -> {
            timers.add(task);
            return () -> {};
          });
  private final Session session = session();
  private final Runnable round;

  /** The watch has been begun by a session that has ended. */
  public LossWatchRace() {
    watch.add(session);
    watch.remove(session);
    round = Objects.requireNonNull(timers.poll());
  }

  private static Session session() {
    RaceManager locks = new RaceManager();
    Engine engine = locks.manager.engine;
    Acquisition call = locks.call(RaceManager.PATIENT);
    call.makeToken();
    call.enter(new LockQueue(engine, RaceManager.LOCK), 1);
    return new Session(
        call,
        new Version(new Incarnation("race", 0), 1, 0),
        engine.validity(engine.clocks.read(), RaceManager.PATIENT),
        null);
  }

  @Override
  public void first() {
    watch.add(session);
  }

  @Override
  public void second() {
    round.run();
  }

  @Override
  public String verdict() {
    return timers.size() == 1
        ? "the watch goes on"
        : BROKEN + (timers.isEmpty() ? "a session is not watched" : "two rounds are due");
  }
}
