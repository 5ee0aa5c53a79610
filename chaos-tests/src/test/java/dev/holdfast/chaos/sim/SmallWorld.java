package dev.holdfast.chaos.sim;

import dev.holdfast.lock.Lease;
import dev.holdfast.lock.LockManager;
import dev.holdfast.lock.LockOptions;
import dev.holdfast.lock.store.Incarnation;
import dev.holdfast.lock.store.ListResult;
import dev.holdfast.lock.store.LockRecord;
import dev.holdfast.lock.store.LockStore;
import dev.holdfast.lock.store.ReadResult;
import dev.holdfast.lock.store.Version;
import dev.holdfast.lock.store.WriteResult;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Two or three clients, one lock, one document, and what can happen next: that a request arrives,
 * or an answer; that one of them is lost, or a request arrives and is sent once more; that a holder
 * releases the lock, or a task wants it again; that a client does what is due; that time goes on to
 * the next timer. {@link ScheduleSearch} decides.
 *
 * <p>Each step tells which parts of the world it has read and changed, so that steps which have
 * nothing in common can be told: their order makes no difference. What clients share besides the
 * document is time, and what the invariants compare across clients: each change of what a client
 * believes, and each change of the document, is in one {@link Part#HISTORY}.
 */
final class SmallWorld {
  private static final String LOCK = "lock";
  private static final Incarnation INCARNATION = new Incarnation("only", 0);
  private static final Duration TTL = Duration.ofMillis(300);
  private static final LockOptions OPTIONS =
      LockOptions.defaults().withTtl(TTL).withWaitTimeout(Duration.ofMillis(400));

  private static final LockOptions LINGERING = OPTIONS.withLinger(TTL.dividedBy(3));

  /** Rounds of all that is left, none of which can change anything. */
  private static final int MAX_STEPS = 10_000;

  /** How many copies of one request there may be. */
  private static final int MAX_COPIES = 8;

  /** Where the free choices begin. */
  enum Beginning {
    /** Both have asked, and no request has arrived. */
    NOTHING(2),
    /** One holds the lock, and the other waits for it. */
    HELD(2),
    /** One holds the lock whose renewal is due. */
    RENEWING(2),
    /** One has crashed with the lock, and the other looks. */
    CRASHED(2),
    /**
     * One has released the lock, which stays with it for a while. The other waits for it, and the
     * first may want it again at any time.
     */
    LINGERING(2),
    /**
     * One holds the lock, its renewal is out, and a second task of it waits, to which the lock is
     * handed off. The first task may want it again at any time; the other client waits too.
     */
    HANDOFF(2),
    /**
     * The lock stays with a client that has released it. Two of its tasks may want it at any time,
     * and so that it lingers again; the other client waits.
     */
    LINGERING_TASKS(2),
    /** Three have asked, and no request has arrived. */
    NOTHING_OF_THREE(3),
    /** One holds the lock, another has found that and waits, and a third asks. */
    HELD_OF_THREE(3),
    /** One has crashed with the lock, and two others look. */
    CRASHED_OF_THREE(3);

    final int clients;

    Beginning(int clients) {
      this.clients = clients;
    }
  }

  /** What steps can have in common. */
  enum Part {
    /** Read by all steps, changed where time goes on. */
    TIME(1),
    /** The order of grants, ends of beliefs, and changes of the document. */
    HISTORY(1 << 1),
    DOCUMENT(1 << 2),
    /** One for each client. */
    CLIENTS(0xff << 3);

    final int mask;

    Part(int mask) {
      this.mask = mask;
    }

    static int client(int number) {
      return 1 << (3 + number);
    }
  }

  /** The parts of the world that a step has read and changed, in bits. */
  record Footprint(int read, int changed) {
    /** Whether the two steps can be taken in either order, with the same result. */
    boolean isIndependentOf(Footprint other) {
      return (changed & (other.read | other.changed)) == 0 && (other.changed & read) == 0;
    }

    Footprint without(Part part) {
      return new Footprint(read & ~part.mask, changed & ~part.mask);
    }
  }

  enum Kind {
    ARRIVES,
    LOST,
    DUPLICATED,
    RELEASES,
    WANTS,
    RUNS,
    TIME
  }

  /**
   * What can happen next, by a name that is the same wherever it can.
   *
   * @param number of the message or task, of those of that client; 0 for others
   */
  record Step(Kind kind, int client, int number) {}

  private final Simulation simulation =
      new Simulation(1, EnumSet.allOf(InvariantViolation.Invariant.class), true);

  private final Beginning beginning;
  private final InvariantChecker invariants;
  private final boolean keepsTrace;
  private final TreeMap<Integer, Message> messages = new TreeMap<>();
  private final List<Actor> actors = new ArrayList<>();
  private final List<List<String>> notes = new ArrayList<>();
  private SimCluster.Doc document = new SimCluster.Doc(null, 1, -1);
  private long lastSeqNo = -1;
  private int losses;
  private int duplicates;
  private int read;
  private int changed;

  /**
   * On its way: what it does where it arrives.
   *
   * @param number tells it from all others of its client, ever
   */
  private record Message(
      int client, int number, Supplier<String> text, boolean isRequest, Runnable arrives) {
    int key() {
      return key(client, number);
    }

    static int key(int client, int number) {
      return (client << 24) + number;
    }
  }

  /**
   * A world in which nothing has happened.
   *
   * @param faults how many losses, and how many duplicates, there may be
   * @param keepsTrace whether its events are kept as text
   */
  SmallWorld(Beginning beginning, int faults, Planted planted, boolean keepsTrace) {
    this.keepsTrace = keepsTrace;
    this.invariants = new InvariantChecker(simulation, false, 1);
    this.losses = faults;
    this.duplicates = faults;
    for (int i = 0; i < beginning.clients; i++) {
      actors.add(new Actor(i, planted));
      notes.add(new ArrayList<>());
    }
    notes.add(new ArrayList<>());
    this.beginning = beginning;
  }

  /**
   * Brings it to where the free choices begin.
   *
   * @throws InvariantViolation if an invariant does not hold until then
   */
  void begin() {
    Actor first = actors.get(0);
    switch (beginning) {
      case NOTHING, NOTHING_OF_THREE -> first.task(OPTIONS, 0).want();
      case HELD -> {
        first.task(OPTIONS, 0).want();
        deliverAll();
      }
      case HELD_OF_THREE -> {
        Task holder = first.task(OPTIONS, 0);
        holder.want();
        untilHeld(holder);
        actors.get(1).task(OPTIONS, 0).want();
        deliverAll();
      }
      case RENEWING -> {
        first.task(OPTIONS, 0).want();
        deliverAll();
        untilRequest();
      }
      case CRASHED, CRASHED_OF_THREE -> {
        first.task(OPTIONS, 0).want();
        deliverAll();
        first.host.crash();
      }
      case LINGERING -> linger(first.task(LINGERING, 1));
      case HANDOFF -> {
        Task holder = first.task(OPTIONS, 1);
        holder.want();
        untilHeld(holder);
        first.task(OPTIONS, 0).want();
        untilRequest();
      }
      case LINGERING_TASKS -> {
        linger(first.task(LINGERING, 1));
        first.task(LINGERING, 1);
      }
    }
    for (Actor other : actors) {
      if (other.tasks.isEmpty()) {
        other.task(OPTIONS, 0).want();
      }
    }
  }

  private void linger(Task task) {
    task.want();
    untilHeld(task);
    task.release();
  }

  private void untilHeld(Task task) {
    deliverAll();
    while (task.held == null) {
      runNext();
      deliverAll();
    }
  }

  private void untilRequest() {
    while (messages.isEmpty()) {
      runNext();
    }
  }

  // --- Steps

  /** Returns what can happen next; nothing if the world has come to rest. */
  List<Step> enabled() {
    List<Step> steps = new ArrayList<>();
    for (Message message : messages.values()) {
      steps.add(new Step(Kind.ARRIVES, message.client, message.number));
      if (losses > 0) {
        steps.add(new Step(Kind.LOST, message.client, message.number));
      }
      if (duplicates > 0 && message.isRequest) {
        steps.add(new Step(Kind.DUPLICATED, message.client, message.number));
      }
    }
    long soonest = Long.MAX_VALUE;
    for (Actor actor : actors) {
      for (Task task : actor.tasks) {
        if (task.mayRelease()) {
          steps.add(new Step(Kind.RELEASES, actor.number, task.number));
        } else if (task.mayWant()) {
          steps.add(new Step(Kind.WANTS, actor.number, task.number));
        }
      }
      soonest = Math.min(soonest, actor.nextAt());
    }
    // What is due at the same time may happen in any order, but for that of one client.
    boolean isDue = soonest <= simulation.now();
    for (Actor actor : actors) {
      long at = actor.nextAt();
      if (isDue ? at <= simulation.now() : at == soonest && at != Long.MAX_VALUE) {
        steps.add(new Step(isDue ? Kind.RUNS : Kind.TIME, actor.number, 0));
      }
    }
    return steps;
  }

  /**
   * Takes a step, and checks the invariants.
   *
   * @return what it has read and changed
   * @throws InvariantViolation if one does not hold
   */
  Footprint take(Step step) {
    read = Part.TIME.mask;
    changed = 0;
    Actor actor = actors.get(step.client);
    switch (step.kind) {
      case ARRIVES -> arrive(message(step), "ARRIVES ");
      case LOST -> {
        losses--;
        Message message = message(step);
        log(() -> "LOST " + message.text.get());
        messages.remove(message.key());
      }
      case DUPLICATED -> {
        duplicates--;
        Message message = message(step);
        arrive(message, "ARRIVES, and once more later: ");
        Message copy =
            new Message(message.client, message.number + 2, message.text, true, message.arrives);
        messages.put(copy.key(), copy);
      }
      case RELEASES -> actor.tasks.get(step.number).release();
      case WANTS -> {
        Task task = actor.tasks.get(step.number);
        task.wants--;
        task.want();
      }
      case RUNS, TIME -> run(actor);
    }
    look();
    return new Footprint(read, changed);
  }

  private Message message(Step step) {
    Message message = messages.get(Message.key(step.client, step.number));
    if (message == null) {
      throw new IllegalStateException("not on its way: " + step);
    }
    return message;
  }

  private void arrive(Message message, String how) {
    messages.remove(message.key());
    log(() -> how + message.text.get());
    message.arrives.run();
  }

  /** The client does what it has to do next, and time goes on until then. */
  private void run(Actor actor) {
    changes(Part.client(actor.number));
    long at = actor.nextAt();
    if (at > simulation.now()) {
      changes(Part.TIME.mask);
      simulation.advanceTo(at);
      actors.forEach(each -> each.events.advanceTo(at));
    }
    actor.events.runNext();
  }

  private void reads(int parts) {
    read |= parts;
  }

  private void changes(int parts) {
    changed |= parts;
  }

  private void look() {
    invariants.lookAtAll();
    for (Actor actor : actors) {
      actor.tasks.forEach(Task::lookAtBelief);
    }
    simulation.check();
  }

  // --- The rest, in order

  private void deliverAll() {
    while (!messages.isEmpty()) {
      arrive(messages.firstEntry().getValue(), "ARRIVES ");
      look();
    }
  }

  /** The first of what is due soonest. */
  private boolean runNext() {
    Actor next = actors.get(0);
    for (Actor actor : actors) {
      if (actor.nextAt() < next.nextAt()) {
        next = actor;
      }
    }
    if (next.nextAt() == Long.MAX_VALUE) {
      return false;
    }
    run(next);
    look();
    return true;
  }

  /**
   * No more choices: all arrives, all holders release, and nothing may be left.
   *
   * @return how many more timers and callbacks it took
   * @throws InvariantViolation if an invariant does not hold
   */
  int settle() {
    for (int step = 0; step < MAX_STEPS; step++) {
      deliverAll();
      for (Actor actor : actors) {
        for (Task task : actor.tasks) {
          if (task.mayRelease()) {
            task.release();
          }
        }
      }
      if (messages.isEmpty() && !runNext()) {
        invariants.end();
        simulation.check();
        return step;
      }
    }
    throw new InvariantViolation(InvariantViolation.Invariant.LIVENESS, "it never comes to rest");
  }

  // --- What has happened

  /** Returns what has happened as text, if it was to be kept. */
  List<String> trace() {
    return simulation.trace();
  }

  /**
   * Returns what each client has been told, in its order, what has happened across clients, in that
   * order, and what is on its way; if it was to be kept.
   */
  String outcome() {
    return notes + " " + messages.values().stream().map(message -> message.text.get()).toList();
  }

  private void log(Supplier<String> text) {
    if (keepsTrace) {
      simulation.log(text);
    }
  }

  /** Notes what one client has been told. */
  private void note(Actor actor, Supplier<String> text) {
    noteIn(actor.number, text);
  }

  /** Notes what has happened across clients. */
  private void noteHistory(Supplier<String> text) {
    changes(Part.HISTORY.mask);
    noteIn(actors.size(), text);
  }

  private void noteIn(int place, Supplier<String> text) {
    if (keepsTrace) {
      notes
          .get(place)
          .add(String.format(Locale.ROOT, "%.1f %s", simulation.now() / 1e6, text.get()));
    }
  }

  /** One client: a process with tasks. */
  private final class Actor {
    final int number;

    /** Its timers and callbacks, in their order. */
    final Simulation events;

    final Host host;
    final LockManager manager;
    final List<Task> tasks = new ArrayList<>();
    int requests;

    Actor(int number, Planted planted) {
      this.number = number;
      this.events =
          new Simulation(number, EnumSet.allOf(InvariantViolation.Invariant.class), false);
      this.host = Host.withRightClocks(events);
      SplittableRandom tokens = events.fork();
      this.manager =
          planted
              .settings(
                  LockManager.builder(planted.store(new Mail(this), host))
                      .owner("c" + number)
                      .ticker(planted.ticker(host))
                      .wallClock(planted.wallClock(host))
                      .scheduler(host)
                      .callbackExecutor(host)
                      .random(events.fork())
                      .tokens(
                          planted.tokens(() -> number + "-" + Long.toHexString(tokens.nextLong())))
                      .maxClockSkew(Duration.ZERO))
              .build();
    }

    /** When it has something to do; never is {@link Long#MAX_VALUE}. */
    long nextAt() {
      events.dropPointless();
      return events.hasNext() ? events.nextAt() : Long.MAX_VALUE;
    }

    Task task(LockOptions options, int wants) {
      Task task = new Task(this, tasks.size(), options, wants);
      tasks.add(task);
      return task;
    }
  }

  /** A task of a client, which wants the lock now and then. */
  private final class Task {
    final Actor actor;
    final int number;
    final LockOptions options;

    /** How often it may want the lock again. */
    int wants;

    /** Whether it neither waits for the lock, nor holds it, nor releases it. */
    boolean isIdle = true;

    /** What it holds and has not begun to release. */
    InvariantChecker.@Nullable ObservedGrant held;

    private @Nullable Lease lease;
    private boolean believes;

    Task(Actor actor, int number, LockOptions options, int wants) {
      this.actor = actor;
      this.number = number;
      this.options = options;
      this.wants = wants;
    }

    boolean mayWant() {
      return isIdle && wants > 0 && !actor.host.isCrashed();
    }

    boolean mayRelease() {
      return held != null && !actor.host.isCrashed();
    }

    private String name() {
      return "c" + actor.number + "." + number;
    }

    /** What it believes is compared with what others do. */
    void lookAtBelief() {
      boolean now = lease != null && !actor.host.isCrashed() && lease.isHeld();
      if (now != believes) {
        believes = now;
        noteHistory(() -> name() + (now ? " believes" : " believes no more"));
      }
    }

    void want() {
      changes(Part.client(actor.number));
      isIdle = false;
      long begun = actor.host.nanos();
      log(() -> name() + " wants the lock");
      var unused =
          actor
              .manager
              .acquireAsync(LOCK, options)
              .handle(
                  (granted, failure) -> {
                    log(() -> name() + (granted == null ? " has not" : " HAS " + granted));
                    note(actor, () -> number + " gets " + granted + " " + failure);
                    if (granted == null) {
                      isIdle = true;
                    } else {
                      granted(granted, begun);
                    }
                    return granted;
                  })
              .whenComplete(simulation::ended);
    }

    private void granted(Lease granted, long begun) {
      InvariantChecker.ObservedGrant grant =
          new InvariantChecker.ObservedGrant(granted, actor.host, options, begun);
      noteHistory(() -> name() + " is granted " + granted.fencingToken());
      invariants.granted(grant);
      lease = granted;
      held = grant;
      granted.onLost(
          loss -> {
            log(() -> name() + " is told: " + loss.getMessage());
            noteHistory(() -> name() + " is notified of " + loss.reason());
            invariants.lossTold(grant, false, loss);
          });
    }

    void release() {
      InvariantChecker.ObservedGrant grant = held;
      if (grant == null) {
        throw new IllegalStateException("nothing to release");
      }
      held = null;
      changes(Part.client(actor.number));
      log(() -> name() + " releases");
      noteHistory(() -> name() + " releases");
      invariants.releasing(grant);
      var unused =
          grant
              .lease
              .releaseAsync()
              .thenAccept(
                  result -> {
                    log(() -> name() + " released: " + result);
                    noteHistory(() -> name() + " released " + result);
                    isIdle = true;
                    invariants.over(grant);
                  })
              .whenComplete(simulation::ended);
    }
  }

  /** A client's way to the document: a message there, and one back. */
  private final class Mail implements LockStore {
    private final Actor actor;

    Mail(Actor actor) {
      this.actor = actor;
    }

    private <R> CompletableFuture<R> ask(String what, Supplier<R> there) {
      CompletableFuture<R> future = new CompletableFuture<>();
      Supplier<String> name = () -> "c" + actor.number + " " + what;
      // An even number for each copy of the request, and the odd one after it for the answer.
      int first = actor.requests++ * 2 * MAX_COPIES;
      int[] copies = {0};
      send(
          new Message(
              actor.number,
              first,
              name,
              true,
              () -> {
                int answer = first + 2 * copies[0]++ + 1;
                R result = there.get();
                send(
                    new Message(
                        actor.number,
                        answer,
                        () -> name.get() + " -> " + result.getClass().getSimpleName(),
                        false,
                        () -> answered(future, name, result)));
              }));
      return future;
    }

    private void send(Message message) {
      messages.put(message.key(), message);
    }

    private <R> void answered(CompletableFuture<R> future, Supplier<String> name, R result) {
      changes(Part.client(actor.number));
      note(actor, () -> name.get() + " -> " + result);
      actor.host.run(() -> future.complete(result));
    }

    private CompletableFuture<WriteResult> write(
        String what, SimCluster.Write write, @Nullable Version expected) {
      long sentAt = simulation.now();
      return this.<WriteResult>ask(what, () -> executed(write, expected))
          .thenApply(
              result -> {
                if (result instanceof WriteResult.Applied && write.record() != null) {
                  invariants.acknowledged(write.by(), sentAt, INCARNATION);
                }
                return result;
              });
    }

    private WriteResult executed(SimCluster.Write write, @Nullable Version expected) {
      reads(Part.DOCUMENT.mask);
      boolean matches =
          expected == null
              ? document.record() == null
              : document.record() != null && document.seqNo() == expected.seqNo();
      if (!matches) {
        return new WriteResult.Conflict();
      }
      changes(Part.DOCUMENT.mask);
      noteHistory(() -> "document " + (lastSeqNo + 1) + " by " + write.by());
      invariants.executed(write, document);
      document = new SimCluster.Doc(write.record(), 1, ++lastSeqNo);
      return new WriteResult.Applied(new Version(INCARNATION, 1, lastSeqNo));
    }

    @Override
    public CompletableFuture<WriteResult> create(LockRecord record) {
      return write(
          "create", new SimCluster.Write(INCARNATION, LOCK, record, null, record.token()), null);
    }

    @Override
    public CompletableFuture<WriteResult> replace(LockRecord record, Version expected) {
      return write(
          "replace " + expected.seqNo(),
          new SimCluster.Write(INCARNATION, LOCK, record, null, record.token()),
          expected);
    }

    @Override
    public CompletableFuture<WriteResult> delete(String lockId, Version expected) {
      return write(
          "delete " + expected.seqNo(),
          new SimCluster.Write(INCARNATION, LOCK, null, null, "client " + actor.number),
          expected);
    }

    @Override
    public CompletableFuture<ReadResult> read(String lockId) {
      return ask("read", this::seen);
    }

    private ReadResult seen() {
      reads(Part.DOCUMENT.mask);
      LockRecord record = document.record();
      return record == null
          ? new ReadResult.Absent(INCARNATION)
          : new ReadResult.Found(record, new Version(INCARNATION, 1, document.seqNo()));
    }

    @Override
    public CompletableFuture<ListResult> list(int limit) {
      throw new UnsupportedOperationException("nobody lists");
    }

    @Override
    public String description() {
      return "one document";
    }
  }
}
