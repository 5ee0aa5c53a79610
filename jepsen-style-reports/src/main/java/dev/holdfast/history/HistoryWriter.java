package dev.holdfast.history;

import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Records what happens, while it happens. Thread-safe.
 *
 * <p>Each operation is one complete line, handed to the operating system by one write in append
 * mode before the recording method returns, so that a process that is killed loses at most the line
 * it was writing (a machine that loses power may lose more). The clock is read inside the writer:
 * an invocation is never stamped later than it began, a completion never earlier than it ended.
 * Lines carry no {@code :index} and the clock's own times; {@link Histories#merge} puts that right.
 *
 * <p>Several processes of one machine each write their own file with the same monotonic clock
 * ({@code System::nanoTime}), and share out the process numbers: writer k of n takes {@code
 * firstProcess = k} and {@code processStride = n}. A process that is restarted is another writer.
 *
 * <p>If writing fails, the recording method throws {@link UncheckedIOException}: a history with
 * holes would prove nothing.
 */
public final class HistoryWriter implements AutoCloseable {

  // Not a FileChannel: that closes itself for good when a thread that writes is interrupted, as
  // holders of lost leases are.
  private final @Nullable OutputStream file;
  private final Consumer<Operation> sink;
  private final LongSupplier nanoClock;
  private final long processStride;
  private final Object monitor = new Object();

  private long nextProcess;
  private long noticeProcess = Operation.NEMESIS;
  private long recorded;
  private boolean closed;

  private HistoryWriter(
      @Nullable OutputStream file,
      @Nullable Consumer<Operation> sink,
      LongSupplier nanoClock,
      long firstProcess,
      long processStride) {
    if (firstProcess < 0 || processStride <= 0) {
      throw new IllegalArgumentException(
          "firstProcess must be at least 0, processStride at least 1");
    }
    this.file = file;
    this.sink = sink != null ? sink : this::writeLine;
    this.nanoClock = Objects.requireNonNull(nanoClock);
    this.nextProcess = firstProcess;
    this.processStride = processStride;
  }

  /**
   * Starts a history in a new file.
   *
   * @param path the file, which must not exist yet
   * @param nanoClock a monotonic clock in nanoseconds
   * @param firstProcess the first process number that this writer may use, at least 0
   * @param processStride the distance to its next process number, at least 1
   * @return the writer, to be closed
   * @throws IOException if the file exists or cannot be made
   */
  public static HistoryWriter create(
      Path path, LongSupplier nanoClock, long firstProcess, long processStride) throws IOException {
    Files.createFile(path);
    return new HistoryWriter(
        new FileOutputStream(path.toFile(), true), null, nanoClock, firstProcess, processStride);
  }

  /**
   * Starts a history in a new file, written by this process alone.
   *
   * @param path the file, which must not exist yet
   * @param nanoClock a monotonic clock in nanoseconds
   * @return the writer, to be closed
   * @throws IOException if the file exists or cannot be made
   */
  public static HistoryWriter create(Path path, LongSupplier nanoClock) throws IOException {
    return create(path, nanoClock, 0, 1);
  }

  /**
   * Starts a history without a file, as a simulation needs it.
   *
   * @param sink receives the operations one at a time, in order of time; {@code list::add} of a
   *     plain list will do
   * @param nanoClock a monotonic clock in nanoseconds
   * @return the writer
   */
  public static HistoryWriter into(Consumer<Operation> sink, LongSupplier nanoClock) {
    return new HistoryWriter(null, Objects.requireNonNull(sink), nanoClock, 0, 1);
  }

  /**
   * Makes a recorder for one more worker.
   *
   * @return a recorder with a process number of its own
   */
  public Recorder recorder() {
    return new Recorder(claimProcess());
  }

  /**
   * Records something that a client was told without having asked, such as the loss of a lease: an
   * {@code :info} on a process number kept for notices. May be called from any thread, also while a
   * worker's operation is under way.
   *
   * @param f what it was told, such as {@link Vocabulary#LOST}
   * @param value with lock, client and fence
   */
  public void notice(String f, Map<String, ?> value) {
    synchronized (monitor) {
      if (noticeProcess == Operation.NEMESIS) {
        noticeProcess = claimProcess();
      }
      append(Operation.Type.INFO, noticeProcess, f, value, null);
    }
  }

  /**
   * Records an act of the nemesis, an {@code :info} as in Jepsen. Called right before a fault is
   * begun (so that its shadow starts early enough) and right after it was ended.
   *
   * @param f for example {@code start-partition}; see {@link Vocabulary}
   * @param value to what it was done
   */
  public void nemesis(String f, Map<String, ?> value) {
    append(Operation.Type.INFO, Operation.NEMESIS, f, value, null);
  }

  /** Closes the file. Operations still under way stay open. Closing twice does nothing. */
  @Override
  public void close() {
    synchronized (monitor) {
      closed = true;
      if (file != null) {
        try {
          file.close();
        } catch (IOException e) {
          throw new UncheckedIOException("the history was not closed", e);
        }
      }
    }
  }

  private long claimProcess() {
    synchronized (monitor) {
      long process = nextProcess;
      nextProcess = Math.addExact(nextProcess, processStride);
      return process;
    }
  }

  private void append(
      Operation.Type type, long process, String f, Map<String, ?> value, @Nullable String error) {
    Map<String, Object> copy = new LinkedHashMap<>(value);
    synchronized (monitor) {
      if (closed) {
        throw new IllegalStateException("this history is closed; not recorded: " + f);
      }
      if (recorded == HistoryReader.MAX_OPERATIONS) {
        throw new IllegalStateException("a history holds at most " + recorded + " operations");
      }
      sink.accept(
          new Operation(Operation.NO_INDEX, nanoClock.getAsLong(), type, process, f, copy, error));
      recorded++;
    }
  }

  private void writeLine(Operation operation) {
    try {
      Objects.requireNonNull(file)
          .write((operation.toEdn() + "\n").getBytes(StandardCharsets.UTF_8));
    } catch (IOException e) {
      throw new UncheckedIOException("an operation was not recorded: " + operation, e);
    }
  }

  /**
   * Records the operations of one worker, one at a time. Thread-safe, for workers whose answers
   * arrive on other threads.
   */
  public final class Recorder {

    private long process;
    private @Nullable Invocation pending;

    private Recorder(long process) {
      this.process = process;
    }

    /**
     * Records that the worker is about to do something. Called right before it is done.
     *
     * @param f what, see {@link Vocabulary}
     * @param value with what, see {@link Vocabulary}
     * @return a handle by which to record, once, what became of it
     * @throws IllegalStateException if the previous operation is still under way: asynchronous work
     *     takes several recorders
     */
    public synchronized Invocation invoke(String f, Map<String, ?> value) {
      if (pending != null) {
        throw new IllegalStateException(
            "process " + process + " is still busy with " + pending.f + "; take another recorder");
      }
      Invocation invocation = new Invocation(f, new LinkedHashMap<>(value));
      append(Operation.Type.INVOKE, process, f, value, null);
      pending = invocation;
      return invocation;
    }

    private synchronized void complete(
        Invocation invocation, Operation.Type type, Map<String, ?> value, @Nullable String error) {
      if (pending != invocation) {
        throw new IllegalStateException("this " + invocation.f + " was completed before");
      }
      append(type, process, invocation.f, value, error);
      pending = null;
      if (type == Operation.Type.INFO) {
        process = claimProcess();
      }
    }

    /**
     * An operation under way. Exactly one of its methods is to be called, right after the answer
     * came; if none is, it stays open.
     */
    public final class Invocation {

      private final String f;
      private final Map<String, Object> value;

      private Invocation(String f, Map<String, Object> value) {
        this.f = f;
        this.value = value;
      }

      /** Records that it happened, as asked for. */
      public void ok() {
        complete(this, Operation.Type.OK, value, null);
      }

      /**
       * Records that it happened.
       *
       * @param result what to add to the invocation's value, or to put in place of parts of it
       */
      public void ok(Map<String, ?> result) {
        complete(this, Operation.Type.OK, with(result), null);
      }

      /**
       * Records that it certainly did not happen and will not. The value equals the invocation's.
       *
       * @param error why, in words
       */
      public void fail(String error) {
        complete(this, Operation.Type.FAIL, value, error);
      }

      /**
       * Records that nobody knows whether it happened or will. The worker goes on under a fresh
       * process number.
       *
       * @param error why, in words
       */
      public void info(String error) {
        complete(this, Operation.Type.INFO, value, error);
      }

      /**
       * Records that nobody knows whether it happened or will, and what is known. The worker goes
       * on under a fresh process number.
       *
       * @param known what to add to the invocation's value, or to put in place of parts of it
       * @param error why, in words
       */
      public void info(Map<String, ?> known, String error) {
        complete(this, Operation.Type.INFO, with(known), error);
      }

      private Map<String, Object> with(Map<String, ?> additions) {
        Map<String, Object> merged = new LinkedHashMap<>(value);
        merged.putAll(additions);
        return merged;
      }
    }
  }
}
