package dev.holdfast.lock;

import static dev.holdfast.lock.ScriptedStore.DELETE;
import static dev.holdfast.lock.ScriptedStore.REPLACE;
import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * A task of the engine breaks off wherever it calls an injected part, once in each run: what it
 * owed to others is done all the same, and soon.
 */
class BrokenOffTasksTest {
  private static final Duration SECOND = Duration.ofSeconds(1);

  /** All calls have ended by then, and their requests. */
  private static final Duration WAIT = SECOND.multipliedBy(15);

  private static final LockOptions WAITING = World.ONE_ATTEMPT.withWaitTimeout(WAIT);
  private static final LockOptions LINGERING = WAITING.withLinger(SECOND.multipliedBy(5));
  private static final LockOptions APART =
      World.APART.withWaitTimeout(WAIT).withLinger(LINGERING.linger());

  /** At least so many calls of parts are in each script. */
  private static final int CALLS = 10;

  private static final int MAX_CALLS = 1_000;

  /** What is thrown. */
  private static final class ChosenError extends Error {
    private static final long serialVersionUID = 1L;

    ChosenError() {
      super("at a call that the test chose");
    }
  }

  private static final class Call {
    final CompletableFuture<Lease> lease;
    boolean released;

    Call(CompletableFuture<Lease> lease) {
      this.lease = lease;
    }
  }

  /** One run, with everything that its caller is owed. */
  private static final class Run {
    final World world = new World();
    final World.Client b = world.client("B");
    final World.Client c =
        world.client(
            "C",
            m ->
                m.ticker(() -> at(b.machine.nanos()))
                    .wallClock(() -> at(b.machine.instant()))
                    .random(() -> at(0L)));

    private final List<Call> calls = new ArrayList<>();
    private final List<CompletableFuture<ReleaseResult>> releases = new ArrayList<>();
    private int losses;
    private int left;
    private @Nullable ChosenError thrown;

    /** A run whose call of that number throws. */
    Run(int call) {
      this.left = call;
    }

    private <T> T at(T result) {
      if (--left == 0) {
        thrown = new ChosenError();
        throw thrown;
      }
      return result;
    }

    Call acquire(LockOptions options) {
      CompletableFuture<Lease> lease;
      try {
        lease = c.manager.acquireAsync("x", options);
      } catch (ChosenError e) {
        // On the caller's own thread, before the engine had the call.
        lease = CompletableFuture.failedFuture(e);
      }
      Call call = new Call(lease);
      calls.add(call);
      var unused = lease.thenAccept(granted -> granted.onLost(loss -> losses++));
      world.time.settle();
      return call;
    }

    void release(Call call) {
      if (call.lease.isDone() && !call.lease.isCompletedExceptionally() && !call.released) {
        call.released = true;
        releases.add(call.lease.join().releaseAsync());
        world.time.settle();
      }
    }

    void advance(Duration duration) {
      world.advance(duration);
    }

    /** Returns whether a call threw. */
    boolean end() {
      boolean threw = left <= 0;
      left = Integer.MAX_VALUE;
      c.store.heal();
      advance(WAIT.plus(SECOND));
      assertThat(calls).as("calls").allMatch(call -> call.lease.isDone());
      calls.forEach(this::release);
      advance(c.manager.engine.releaseTimeout.plus(SECOND));
      assertThat(releases).as("releases").allMatch(CompletableFuture::isDone);
      advance(World.TTL.plus(World.SKEW));
      assertThat(b.canAcquire("x")).as("the lock is free").isTrue();
      world.assertNothingIsLeft();
      return threw;
    }
  }

  /** What a process does with its lock. */
  enum Script {
    HANDOFF {
      @Override
      void steps(Run run) {
        Call first = run.acquire(WAITING);
        Call second = run.acquire(WAITING);
        run.release(first);
        run.advance(SECOND);
        run.release(second);
      }
    },
    LINGER {
      @Override
      void steps(Run run) {
        run.release(run.acquire(LINGERING));
        run.advance(SECOND);
        Call next = run.acquire(LINGERING);
        run.advance(SECOND);
        run.release(next);
        run.advance(LINGERING.linger());
      }
    },
    LINGER_AND_GIVE_BACK {
      @Override
      void steps(Run run) {
        run.release(run.acquire(LINGERING));
        run.advance(SECOND);
        run.release(run.acquire(APART));
      }
    },
    LINGER_THROUGH_A_RENEWAL {
      @Override
      void steps(Run run) {
        Call first = run.acquire(LINGERING);
        run.c.store.next(REPLACE, ScriptedStore.holdBack());
        run.advance(SECOND.multipliedBy(10));
        run.release(first);
        Call next = run.acquire(APART);
        run.c.store.requests(REPLACE).forEach(ScriptedStore.Request::landAndAnswer);
        run.advance(SECOND);
        run.release(next);
      }
    },
    RENEWALS {
      @Override
      void steps(Run run) {
        Call first = run.acquire(WAITING);
        run.c.store.next(REPLACE, ScriptedStore.unclear());
        run.advance(SECOND.multipliedBy(25));
        run.release(first);
      }
    },
    RELEASE_DURING_A_RENEWAL {
      @Override
      void steps(Run run) {
        Call first = run.acquire(WAITING);
        run.c.store.next(REPLACE, ScriptedStore.holdBack());
        run.advance(SECOND.multipliedBy(10));
        run.release(first);
        run.c.store.requests(REPLACE).forEach(ScriptedStore.Request::landAndAnswer);
        run.advance(SECOND);
      }
    },
    UNCLEAR_RELEASE {
      @Override
      void steps(Run run) {
        run.c.store.next(DELETE, ScriptedStore.unclear());
        run.c.store.next(DELETE, ScriptedStore.unclear());
        run.release(run.acquire(WAITING));
        run.advance(SECOND);
      }
    },
    SILENT_RELEASE {
      @Override
      void steps(Run run) {
        Call first = run.acquire(WAITING);
        run.c.store.cutOff();
        run.release(first);
        run.advance(SECOND.multipliedBy(6));
      }
    },
    LOSS {
      @Override
      void steps(Run run) {
        Call first = run.acquire(WAITING);
        boolean granted = !first.lease.isCompletedExceptionally();
        run.c.store.cutOff();
        run.advance(World.VALIDITY.plus(SECOND));
        assertThat(run.losses).as("losses that were told").isEqualTo(granted ? 1 : 0);
        run.release(first);
      }
    },
    CLOSE {
      @Override
      void steps(Run run) {
        Call first = run.acquire(WAITING);
        Call second = run.acquire(WAITING);
        boolean granted = !first.lease.isCompletedExceptionally();
        boolean both = granted ^ !second.lease.isCompletedExceptionally();
        CompletableFuture<?> closed = run.c.manager.closeAsync();
        run.advance(SECOND);
        assertThat(closed).as("the end of the manager").isDone();
        assertThat(run.losses).as("losses that were told").isEqualTo(granted || both ? 1 : 0);
      }
    },
    CONTENTION {
      @Override
      void steps(Run run) {
        Lease held = run.b.acquire("x");
        Call first = run.acquire(WAITING);
        Call unused = run.acquire(World.ONE_ATTEMPT);
        unused = run.acquire(WAITING.withWaitTimeout(SECOND.multipliedBy(3)));
        run.advance(SECOND.multipliedBy(4));
        held.close();
        run.advance(SECOND);
        run.release(first);
      }
    };

    abstract void steps(Run run);
  }

  @ParameterizedTest
  @EnumSource
  void task_thatBreaksOffAtAnyCall_leavesNothingUndone(Script script) {
    int call = 0;
    boolean threw;
    do {
      Run run = new Run(++call);
      try {
        script.steps(run);
        threw = run.end();
      } catch (AssertionError e) {
        AssertionError failure =
            new AssertionError("where call " + call + " throws: " + e.getMessage(), e);
        if (run.thrown != null) {
          failure.addSuppressed(run.thrown);
        }
        throw failure;
      }
      assertThat(call).isLessThan(MAX_CALLS);
    } while (threw);

    assertThat(call).isGreaterThan(CALLS);
  }
}
