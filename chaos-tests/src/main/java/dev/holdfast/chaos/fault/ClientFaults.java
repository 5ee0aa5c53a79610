package dev.holdfast.chaos.fault;

import dev.holdfast.chaos.worker.WorkerProcess;
import java.io.IOException;
import java.util.Optional;
import java.util.OptionalInt;

/** Faults of clients. Stateless. */
public final class ClientFaults {

  /** What a history calls the crash of a client. */
  public static final String KILLED = "client-killed";

  private ClientFaults() {}

  /** The client that holds the lock is stopped where it is, and goes on in the end. */
  public static Disruption pauseHolder(String lock) {
    return new Disruption() {
      @Override
      public String name() {
        return "client-paused";
      }

      @Override
      public Optional<Injection> aim(Stage stage) throws Exception {
        return aimAtHolder(stage, lock, WorkerProcess::pause, (slot, worker) -> worker.resume());
      }
    };
  }

  /** The client that holds the lock is killed, and another one started in its place in the end. */
  public static Disruption killHolder(String lock) {
    return new Disruption() {
      @Override
      public String name() {
        return KILLED;
      }

      @Override
      public Optional<Injection> aim(Stage stage) throws Exception {
        return aimAtHolder(
            stage, lock, WorkerProcess::kill, (slot, worker) -> stage.crew().replace(slot));
      }
    };
  }

  private interface End {
    void on(int slot, WorkerProcess worker) throws IOException;
  }

  private interface Begin {
    void on(WorkerProcess worker);
  }

  private static Optional<Disruption.Injection> aimAtHolder(
      Stage stage, String lock, Begin begin, End end) throws InterruptedException {
    OptionalInt slot = stage.holderOf(lock);
    return slot.isEmpty()
        ? Optional.empty()
        : Optional.of(
            injection(stage, slot.getAsInt(), stage.crew().worker(slot.getAsInt()), begin, end));
  }

  private static Disruption.Injection injection(
      Stage stage, int slot, WorkerProcess worker, Begin begin, End end) {
    return new Disruption.Injection() {
      @Override
      public String target() {
        return worker.client();
      }

      @Override
      public void begin() {
        boolean unused = stage.disturb(worker);
        begin.on(worker);
      }

      @Override
      public void end() throws IOException {
        end.on(slot, worker);
        stage.leave(worker);
      }
    };
  }
}
