package dev.holdfast.lock;

import dev.holdfast.lock.store.ListResult;
import dev.holdfast.lock.store.LockRecord;
import dev.holdfast.lock.store.LockStore;
import dev.holdfast.lock.store.ReadResult;
import dev.holdfast.lock.store.Version;
import dev.holdfast.lock.store.WriteResult;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A process's way to the store, on which a test decides what becomes of each request. What is not
 * decided arrives and is answered at once.
 *
 * <p>A {@link Request} has two moments: it <em>lands</em> (takes effect in the store behind), and
 * it is <em>answered</em>. A {@link Fault} says when each happens, if ever, and a test that wants
 * to decide later takes {@link #holdBack} and moves the request itself:
 *
 * <pre>{@code
 * store.next(CREATE, holdBack());
 * manager.acquireAsync("a");
 * store.last(CREATE).land();     // the record is there, and nobody has been told
 * store.last(CREATE).answer();
 * }</pre>
 */
final class ScriptedStore implements LockStore {
  static final Op<WriteResult> CREATE = new Op<>("create", WriteResult.Unknown::new);
  static final Op<WriteResult> REPLACE = new Op<>("replace", WriteResult.Unknown::new);
  static final Op<WriteResult> DELETE = new Op<>("delete", WriteResult.Unknown::new);
  static final Op<ReadResult> READ = new Op<>("read", ReadResult.Unavailable::new);
  static final Op<ListResult> LIST = new Op<>("list", ListResult.Unavailable::new);

  private static final List<Op<?>> ALL = List.of(CREATE, REPLACE, DELETE, READ, LIST);

  private final LockStore behind;
  private final Ticker ticker;
  private final Map<Op<?>, Queue<Fault<?>>> once = new HashMap<>();
  private final Map<Op<?>, Fault<?>> always = new HashMap<>();
  private final List<Request<?>> requests = new ArrayList<>();
  private int inFlight;
  private int mostInFlight;

  /** A kind of request, and what its answer is when nothing is known. */
  record Op<R>(String name, Function<Throwable, R> unclear) {
    @Override
    public String toString() {
      return name;
    }
  }

  /** Decides what becomes of a request. */
  @FunctionalInterface
  interface Fault<R> {
    void meet(Request<R> request);
  }

  /**
   * The way to that store.
   *
   * @param ticker for the times of requests
   */
  ScriptedStore(LockStore behind, Ticker ticker) {
    this.behind = behind;
    this.ticker = ticker;
  }

  // --- Faults

  /** Nothing happens until the test moves the request; so also: the request is lost. */
  static <R> Fault<R> holdBack() {
    return request -> {};
  }

  /** It takes effect, and is never answered. */
  static <R> Fault<R> loseAnswer() {
    return Request::land;
  }

  /** It has no effect, and is answered at once in a way that tells nothing. */
  static <R> Fault<R> unclear() {
    return Request::answerUnclear;
  }

  /** It takes effect, and is answered at once in a way that tells nothing. */
  static <R> Fault<R> landsButUnclear() {
    return request -> {
      request.land();
      request.answerUnclear();
    };
  }

  /** It is sent twice, and the second sending is answered. */
  static <R> Fault<R> twice() {
    return request -> {
      request.land();
      request.land();
      request.answer();
    };
  }

  /** It arrives and is answered later. */
  static <R> Fault<R> late(Scheduler scheduler, Duration delay) {
    return request -> {
      Scheduler.Timer unused = scheduler.schedule(request::landAndAnswer, delay.toNanos());
    };
  }

  /** It has no effect, and this is the answer. */
  static <R> Fault<R> answering(R answer) {
    return request -> request.answer(answer);
  }

  /** The store throws instead of answering. */
  static <R> Fault<R> throwing(RuntimeException failure) {
    return request -> {
      throw failure;
    };
  }

  /** The future fails. */
  static <R> Fault<R> failing(Throwable failure) {
    return request -> request.fail(failure);
  }

  // --- The script

  /** Decides about the next request of that kind that is not decided yet. */
  synchronized <R> ScriptedStore next(Op<R> op, Fault<R> fault) {
    once.computeIfAbsent(op, any -> new ArrayDeque<>()).add(fault);
    return this;
  }

  /** Decides about all further requests of that kind. */
  synchronized <R> ScriptedStore always(Op<R> op, Fault<R> fault) {
    always.put(op, fault);
    return this;
  }

  /** From now on every request is lost. */
  void cutOff() {
    ALL.forEach(op -> always(op, holdBack()));
  }

  /** From now on every request fails at once. */
  void goDown() {
    ALL.forEach(op -> always(op, unclear()));
  }

  /** From now on all goes well. */
  synchronized void heal() {
    once.clear();
    always.clear();
  }

  // --- What happened

  /** All requests of that kind, the oldest first. */
  synchronized <R> List<Request<R>> requests(Op<R> op) {
    List<Request<R>> found = new ArrayList<>();
    for (Request<?> request : requests) {
      if (request.op.equals(op)) {
        found.add(cast(request));
      }
    }
    return found;
  }

  /** All requests, the oldest first. */
  synchronized List<Request<?>> requests() {
    return List.copyOf(requests);
  }

  /** The last request of that kind. */
  <R> Request<R> last(Op<R> op) {
    List<Request<R>> found = requests(op);
    if (found.isEmpty()) {
      throw new AssertionError("no " + op + " was sent");
    }
    return found.get(found.size() - 1);
  }

  synchronized int count(Op<?> op) {
    return (int) requests.stream().filter(request -> request.op.equals(op)).count();
  }

  /** The most requests that were out at a time. */
  synchronized int mostInFlight() {
    return mostInFlight;
  }

  /** Forgets the requests so far. */
  synchronized void clear() {
    requests.clear();
    mostInFlight = inFlight;
  }

  /** What a read would answer now. */
  ReadResult snapshot(String lockId) {
    return behind.read(lockId).join();
  }

  /** The record that is there now. */
  ReadResult.Found found(String lockId) {
    if (snapshot(lockId) instanceof ReadResult.Found found) {
      return found;
    }
    throw new AssertionError("there is no record of lock " + lockId);
  }

  boolean isFree(String lockId) {
    return snapshot(lockId) instanceof ReadResult.Absent;
  }

  // --- The store

  @Override
  public CompletableFuture<WriteResult> create(LockRecord record) {
    return send(new Request<>(CREATE, record.lockId(), record, () -> behind.create(record)));
  }

  @Override
  public CompletableFuture<WriteResult> replace(LockRecord record, Version expected) {
    return send(
        new Request<>(REPLACE, record.lockId(), record, () -> behind.replace(record, expected)));
  }

  @Override
  public CompletableFuture<WriteResult> delete(String lockId, Version expected) {
    return send(new Request<>(DELETE, lockId, null, () -> behind.delete(lockId, expected)));
  }

  @Override
  public CompletableFuture<ReadResult> read(String lockId) {
    return send(new Request<>(READ, lockId, null, () -> behind.read(lockId)));
  }

  @Override
  public CompletableFuture<ListResult> list(int limit) {
    return send(new Request<>(LIST, "", null, () -> behind.list(limit)));
  }

  @Override
  public String description() {
    return "scripted store";
  }

  private <R> CompletableFuture<R> send(Request<R> request) {
    Fault<R> fault;
    synchronized (this) {
      requests.add(request);
      mostInFlight = Math.max(mostInFlight, ++inFlight);
      fault = faultFor(request.op);
    }
    var unused = request.future.whenComplete((answer, failure) -> request.leave());
    fault.meet(request);
    return request.future;
  }

  @SuppressWarnings("unchecked") // Faults are put in under an operation with the same answer.
  private <R> Fault<R> faultFor(Op<R> op) {
    Queue<Fault<?>> planned = once.get(op);
    Fault<?> fault = planned == null ? null : planned.poll();
    if (fault == null) {
      fault = always.get(op);
    }
    return fault == null ? Request::landAndAnswer : (Fault<R>) fault;
  }

  @SuppressWarnings("unchecked") // A request has the answer type of its operation.
  private static <R> Request<R> cast(Request<?> request) {
    return (Request<R>) request;
  }

  /** One request on its way. */
  final class Request<R> {
    private final Op<R> op;
    private final String lockId;
    private final @Nullable LockRecord record;
    private final Supplier<CompletableFuture<R>> call;
    private final CompletableFuture<R> future = new CompletableFuture<>();
    private final long sentAt = ticker.nanos();
    private final AtomicBoolean isOut = new AtomicBoolean(true);
    private @Nullable R landed;

    private Request(
        Op<R> op, String lockId, @Nullable LockRecord record, Supplier<CompletableFuture<R>> call) {
      this.op = op;
      this.lockId = lockId;
      this.record = record;
      this.call = call;
    }

    Op<R> op() {
      return op;
    }

    String lockId() {
      return lockId;
    }

    /** What is to be written. */
    LockRecord record() {
      if (record == null) {
        throw new AssertionError("a " + op + " writes no record");
      }
      return record;
    }

    /** When it was sent, by the process's monotonic clock. */
    long sentAt() {
      return sentAt;
    }

    /** It takes effect now; once more if it has already, which makes it a duplicate. */
    void land() {
      landed = call.get().join();
    }

    /** The process is told what the last landing led to. */
    void answer() {
      R answer = landed;
      if (answer == null) {
        throw new AssertionError("a " + op + " has no answer before it has landed");
      }
      answer(answer);
    }

    void answer(R answer) {
      leave();
      future.complete(answer);
    }

    void landAndAnswer() {
      land();
      answer();
    }

    void answerUnclear() {
      answer(op.unclear.apply(new TimeoutException("a fault of the test")));
    }

    void fail(Throwable failure) {
      leave();
      future.completeExceptionally(failure);
    }

    /** It is not in flight any more; before anybody learns of the answer and sends the next. */
    private void leave() {
      if (isOut.getAndSet(false)) {
        synchronized (ScriptedStore.this) {
          inFlight--;
        }
      }
    }

    /** What the last landing led to; null if there was none. */
    @Nullable R landed() {
      return landed;
    }

    /** Whether nobody waits for the answer any more. */
    boolean isAbandoned() {
      return future.isCancelled();
    }

    @Override
    public String toString() {
      return op + " " + lockId;
    }
  }
}
