package dev.holdfast.concurrency;

import dev.holdfast.lock.AbandonRace;
import dev.holdfast.lock.BatcherCancelRace;
import dev.holdfast.lock.BatcherRace;
import dev.holdfast.lock.CancellableFutureRace;
import dev.holdfast.lock.DoubleReleaseRace;
import dev.holdfast.lock.GrantCancelRace;
import dev.holdfast.lock.HandoffRace;
import dev.holdfast.lock.HoldLimitsRace;
import dev.holdfast.lock.LingerRace;
import dev.holdfast.lock.LossRace;
import dev.holdfast.lock.LossWatchRace;
import dev.holdfast.lock.QueueCreationRace;
import dev.holdfast.lock.QueueDisposalRace;
import dev.holdfast.lock.SerialExecutorRace;
import dev.holdfast.lock.TimerSleepRace;
import dev.holdfast.lock.TimerThreadRace;
import java.util.function.Supplier;

/** The races, and what each is about. */
enum Subject {
  /** Two threads bring tasks: each runs once, never two at a time. */
  SERIAL_EXECUTOR(() -> new SerialExecutorRace()),
  /** Two timers are set while the timer thread falls asleep: both run. With that thread. */
  TIMER_THREAD(() -> new TimerThreadRace()),
  /** The same handshake without the thread: it does not sleep unless somebody wakes it. */
  TIMER_SLEEP(() -> new TimerSleepRace()),
  /** An operation is submitted while a request returns: it leaves once, within the limit. */
  BATCHER(() -> new BatcherRace()),
  /** An operation is cancelled while a request returns: the limit still holds afterwards. */
  BATCHER_CANCEL(() -> new BatcherCancelRace()),
  /** A chain is cancelled while its next step begins: that step is given up. */
  CANCELLABLE_FUTURE(() -> new CancellableFutureRace()),
  /** A caller goes while its acquisition enters the queue: it does not wait for ever. */
  ABANDON(() -> new AbandonRace()),
  /** A caller cancels while the lock is granted: it has the lease, or nobody has. */
  GRANT_CANCEL(() -> new GrantCancelRace()),
  /** A lease is looked at while it is handed off: never two that are held. */
  HANDOFF(() -> new HandoffRace()),
  /** A lease is released twice while another call waits: that one keeps the lock. */
  DOUBLE_RELEASE(() -> new DoubleReleaseRace()),
  /** A call comes while a lingering session is given back: it gets the lock, and keeps it. */
  LINGER(() -> new LingerRace()),
  /** One thread finds a lease over while another looks at it: a loss is final. */
  LOSS(() -> new LossRace()),
  /** One thread finds the longest hold over while another replaces it: a loss is final. */
  HOLD_LIMITS(() -> new HoldLimitsRace()),
  /** A session begins while the watch goes round: the watch goes on. */
  LOSS_WATCH(() -> new LossWatchRace()),
  /** Two calls for a lock that has no queue: they meet in one. */
  QUEUE_CREATION(() -> new QueueCreationRace()),
  /** A call comes while the queue is disposed of: it is in a queue that the manager knows. */
  QUEUE_DISPOSAL(() -> new QueueDisposalRace());

  // Makes a new race each time.
  @SuppressWarnings("ImmutableEnumChecker")
  private final Supplier<Race> races;

  // Lambdas, not references to constructors: faults are woven in before a race loads the library.
  @SuppressWarnings("UnnecessaryLambda")
  Subject(Supplier<Race> races) {
    this.races = races;
  }

  Race begin() {
    return races.get();
  }
}
