package dev.holdfast.lock;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.lock.memory.InMemoryLockStore;
import dev.holdfast.lock.store.LockRecord;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.UnaryOperator;
import java.util.random.RandomGenerator;

/** Processes on virtual time that share one store, each by a {@link ScriptedStore} of its own. */
final class World {
  static final Duration TTL = Duration.ofSeconds(30);
  static final Duration SKEW = Duration.ofSeconds(2);

  /** As long as a lease may be valid by the monotonic clock alone: less the margin for drift. */
  static final Duration LENGTH = Duration.ofSeconds(30 - 3);

  /** What is left of the TTL for work: less the drift margin and the wall clock's padding. */
  static final Duration VALIDITY = Duration.ofSeconds(30 - 3 - 2);

  /** A third of the TTL. */
  static final Duration REQUEST_TIMEOUT = Duration.ofSeconds(10);

  static final LockOptions ONE_ATTEMPT = LockOptions.defaults().withTtl(TTL);
  static final LockOptions PATIENT = ONE_ATTEMPT.withWaitTimeout(Duration.ofMinutes(10));

  /** For a waiter that nobody with other metadata hands a lock over to. */
  static final LockOptions APART = PATIENT.withMetadata(Map.of("purpose", "another"));

  final VirtualTime time;
  final InMemoryLockStore memory = new InMemoryLockStore();
  private final List<Client> clients = new ArrayList<>();

  World() {
    this(1);
  }

  World(long seed) {
    time = new VirtualTime(seed);
  }

  Client client(String name) {
    return client(name, UnaryOperator.identity());
  }

  Client client(String name, UnaryOperator<LockManager.Builder> settings) {
    Client client = new Client(name, settings);
    clients.add(client);
    return client;
  }

  /** Runs what is to be done at this moment, once, and goes on with that. */
  static <T> T after(AtomicReference<Runnable> once, T result) {
    once.getAndSet(() -> {}).run();
    return result;
  }

  void advance(Duration duration) {
    time.advance(duration);
  }

  /** What the future was completed with, which it must be by now. */
  <T> T now(CompletableFuture<T> future) {
    time.settle();
    assertThat(future).as("a future that is to be completed by now").isCompleted();
    return future.join();
  }

  /** A record that somebody else left, who is not there any more. */
  void recordIs(LockRecord record) {
    assertThat(memory.create(record)).isCompleted();
    assertThat(memory.read(record.lockId()).join())
        .extracting("record")
        .as("the record that the test put there")
        .isEqualTo(record);
  }

  /**
   * What every test ends with: when all leases were given back or have ended and the last request
   * has been given up, no timer is left, no queue, and no record.
   */
  void assertNothingIsLeft() {
    clients.forEach(client -> client.store.heal());
    clients.forEach(client -> client.machine.cancelTooLate(false));
    clients.forEach(client -> client.machine.resume());
    advance(Duration.ofMinutes(3));
    for (Client client : clients) {
      LockManagerStats stats = client.manager.stats();
      assertThat(stats.locks()).as("queues of %s", client).isZero();
      assertThat(stats.held()).as("held locks of %s", client).isZero();
      assertThat(stats.waiting()).as("waiting calls of %s", client).isZero();
      assertThat(stats.lingering()).as("lingering locks of %s", client).isZero();
      assertThat(stats.cleanUps()).as("clean-ups of %s", client).isZero();
      assertThat(client.machine.pendingTimers()).as("timers of %s", client).isZero();
    }
    assertThat(time.pending()).as("timers and callbacks").isZero();
  }

  /** One client: a machine, a way to the store, and a lock manager. */
  final class Client {
    final String name;
    final VirtualTime.Machine machine;
    final ScriptedStore store;
    final Events events = new Events();
    final LockManager manager;

    private Client(String name, UnaryOperator<LockManager.Builder> settings) {
      this.name = name;
      this.machine = time.machine(name);
      this.store = new ScriptedStore(memory, machine);
      RandomGenerator tokens = time.fork(name + "/tokens");
      LockManager.Builder builder =
          LockManager.builder(store)
              .owner(name)
              .ticker(machine)
              .wallClock(machine)
              .scheduler(machine)
              .callbackExecutor(machine)
              .random(time.fork(name + "/jitter"))
              .tokens(() -> name + "-" + Long.toHexString(tokens.nextLong()))
              .listener(events);
      this.manager = settings.apply(builder).build();
    }

    /** A call that no queue has yet. */
    Acquisition acquisition(String lockId, LockOptions options) {
      Engine engine = manager.engine;
      return new Acquisition(
          engine, lockId, options, engine.clocks.read(), null, Acquisition.Purpose.LEASE);
    }

    /** One attempt, on a store that answers at once. */
    Lease acquire(String lockId) {
      return acquire(lockId, ONE_ATTEMPT);
    }

    /** Acquires on a store that answers without being waited for. */
    Lease acquire(String lockId, LockOptions options) {
      return now(manager.acquireAsync(lockId, options));
    }

    /** Whether one attempt succeeds; what it won is given back. */
    boolean canAcquire(String lockId) {
      CompletableFuture<Lease> lease = manager.acquireAsync(lockId, ONE_ATTEMPT);
      time.settle();
      assertThat(lease).isDone();
      if (lease.isCompletedExceptionally()) {
        assertThat(failure(lease)).isInstanceOf(LockAcquisitionException.class);
        return false;
      }
      assertThat(lease.join().release()).isEqualTo(ReleaseResult.RELEASED);
      return true;
    }

    /** What a call fails with that has ended by now. */
    Throwable failure(CompletableFuture<?> acquisition) {
      time.settle();
      assertThat(acquisition).as("an acquisition of %s", name).isCompletedExceptionally();
      try {
        throw new AssertionError("acquired: " + acquisition.get());
      } catch (ExecutionException e) {
        return e.getCause() == null ? e : e.getCause();
      } catch (InterruptedException e) {
        throw new AssertionError(e);
      }
    }

    @Override
    public String toString() {
      return name;
    }
  }
}
