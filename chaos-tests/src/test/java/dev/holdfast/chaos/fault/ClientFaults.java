package dev.holdfast.chaos.fault;

import dev.holdfast.chaos.worker.WorkerProcess;
import java.io.IOException;
import java.util.Optional;
import java.util.OptionalInt;

/** Faults of clients. Stateless. */
public final class ClientFaults {

  /** The name of the crash of a client in histories. */
  public static final String KILLED = "client-killed";

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
        return aimAtHolder(context, lock, WorkerProcess::pause, (slot, worker) -> worker.resume());
      }
    };
  }

  /** The client that holds the lock is killed, and another one started in its place in the end. */
  public static Fault killHolder(String lock) {
    return new Fault() {
      @Override
      public String name() {
        return KILLED;
      }

      @Override
      public Optional<Injection> aim(FaultContext context) throws Exception {
        return aimAtHolder(
            context, lock, WorkerProcess::kill, (slot, worker) -> context.crew().replace(slot));
      }
    };
  }

  private interface End {
    void on(int slot, WorkerProcess worker) throws IOException;
  }

  private interface Begin {
    void on(WorkerProcess worker);
  }

  private static Optional<Fault.Injection> aimAtHolder(
      FaultContext context, String lock, Begin begin, End end) throws InterruptedException {
    OptionalInt slot = context.holderOf(lock);
    return slot.isEmpty()
        ? Optional.empty()
        : Optional.of(
            injection(
                context, slot.getAsInt(), context.crew().worker(slot.getAsInt()), begin, end));
  }

  private static Fault.Injection injection(
      FaultContext context, int slot, WorkerProcess worker, Begin begin, End end) {
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
