package dev.holdfast.chaos.fault;

import dev.holdfast.chaos.arena.Arena;
import dev.holdfast.chaos.worker.WorkerProcess;
import java.io.IOException;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/** Faults of clients. Stateless. */
public final class ClientFaults {

  /** The name of the crash of a client in histories. */
  public static final String KILLED = "client-killed";

  private static final int NOBODY = -1;

  private ClientFaults() {}

  /** The client that holds the lock is stopped where it is, and goes on in the end. */
  public static Fault pauseHolder(String lock) {
    return new Fault() {
      @Override
      public String name() {
        return "client-paused";
      }

      @Override
      public Optional<Injection> aim(FaultContext context) throws Exception {
        OptionalInt slot = context.holderOf(lock);
        return slot.isEmpty()
            ? Optional.empty()
            : Optional.of(
                injection(
                    context,
                    slot.getAsInt(),
                    WorkerProcess::pause,
                    (of, worker) -> worker.resume()));
      }
    };
  }

  /** The client that holds the lock is killed, and another one started in its place in the end. */
  public static Fault killHolder(String lock) {
    return killHolderExcept(NOBODY, lock);
  }

  /** The same, but not if it is the client in that slot, which has to run for long. */
  public static Fault killHolderExcept(int spared, String lock) {
    return new Fault() {
      @Override
      public String name() {
        return KILLED;
      }

      @Override
      public Optional<Injection> aim(FaultContext context) throws Exception {
        OptionalInt slot = context.holderOf(lock);
        return slot.isEmpty() || slot.getAsInt() == spared
            ? Optional.empty()
            : Optional.of(
                injection(
                    context,
                    slot.getAsInt(),
                    WorkerProcess::kill,
                    (of, worker) -> context.crew().replace(of)));
      }
    };
  }

  /**
   * The client that holds the lock is starved: all threads of the executor that it gave its lock
   * manager are busy, and its process runs a tenth of the time, as under a quota of processor time.
   * Counts the tasks that the executor had no thread for. Other faults may be aimed at the client
   * too.
   */
  public static Fault starveHolder(String lock) {
    return new Fault() {
      @Override
      public String name() {
        return "client-starved";
      }

      @Override
      public Optional<Injection> aim(FaultContext context) throws Exception {
        return holder(context, lock).map(Starvation::new);
      }
    };
  }

  private static final class Starvation implements Fault.Injection {
    private static final long STOPPED_MILLIS = 450;
    private static final long RUNNING_MILLIS = 50;

    private final WorkerProcess worker;
    private @Nullable Pulses pulses;
    private long before;

    Starvation(WorkerProcess worker) {
      this.worker = worker;
    }

    @Override
    public String target() {
      return "executor and processor of " + worker.client();
    }

    @Override
    public void begin() throws IOException {
      before = worker.status().rejectedTasks();
      worker.tell(WorkerProcess.STARVE);
      pulses =
          new Pulses(
              worker.client(), worker::pause, worker::resume, STOPPED_MILLIS, RUNNING_MILLIS);
    }

    @Override
    public void end() throws IOException, InterruptedException {
      if (pulses != null) {
        pulses.end();
      }
      worker.tell(WorkerProcess.FEED);
      worker.awaitStatus(); // it reports what it counted
    }

    @Override
    public OptionalLong hits() {
      return OptionalLong.of(worker.status().rejectedTasks() - before);
    }
  }

  /**
   * Both clocks of the client that holds the lock run at another rate, and those of all others at a
   * third one, until this ends; the difference stays. Counts the milliseconds by which the holder's
   * went off. Other faults may be aimed at the client too.
   *
   * @param holderPpm by how many millionths the holder's clocks are fast, negative if slow
   * @param othersPpm the same of all others
   */
  public static Fault slewClocks(String lock, long holderPpm, long othersPpm) {
    return new Fault() {
      @Override
      public String name() {
        return "clocks-slewed";
      }

      @Override
      public Optional<Injection> aim(FaultContext context) throws Exception {
        return holder(context, lock).map(worker -> new Slew(context, worker, holderPpm, othersPpm));
      }
    };
  }

  private static final class Slew implements Fault.Injection {
    private final FaultContext context;
    private final WorkerProcess holder;
    private final long holderPpm;
    private final long othersPpm;
    private long before;

    Slew(FaultContext context, WorkerProcess holder, long holderPpm, long othersPpm) {
      this.context = context;
      this.holder = holder;
      this.holderPpm = holderPpm;
      this.othersPpm = othersPpm;
    }

    @Override
    public String target() {
      return "clocks of " + holder.client();
    }

    @Override
    public void begin() throws IOException {
      before = holder.status().clockOffMillis();
      slew(holderPpm, othersPpm);
    }

    @Override
    public void end() throws IOException, InterruptedException {
      slew(0, 0);
      holder.awaitStatus(); // it reports what it counted
    }

    private void slew(long itsPpm, long theirsPpm) throws IOException {
      for (int slot = 0; slot < Arena.CLIENTS; slot++) {
        WorkerProcess each = context.crew().worker(slot);
        each.tell(WorkerProcess.SLEW + " " + (each == holder ? itsPpm : theirsPpm));
      }
    }

    @Override
    public OptionalLong hits() {
      return OptionalLong.of(Math.abs(holder.status().clockOffMillis() - before));
    }
  }

  private static Optional<WorkerProcess> holder(FaultContext context, String lock)
      throws InterruptedException {
    OptionalInt slot = context.holderOf(lock);
    return slot.isEmpty() ? Optional.empty() : Optional.of(context.crew().worker(slot.getAsInt()));
  }

  private interface End {
    void on(int slot, WorkerProcess worker) throws IOException;
  }

  private interface Begin {
    void on(WorkerProcess worker);
  }

  private static Fault.Injection injection(FaultContext context, int slot, Begin begin, End end) {
    WorkerProcess worker = context.crew().worker(slot);
    return new Fault.Injection() {
      @Override
      public String target() {
        return worker.client();
      }

      @Override
      public void begin() {
        boolean unused = context.disturb(worker);
        begin.on(worker);
      }

      @Override
      public void end() throws IOException {
        end.on(slot, worker);
        context.leave(worker);
      }
    };
  }
}
