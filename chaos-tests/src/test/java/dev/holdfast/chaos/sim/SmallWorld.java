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
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Two clients, one lock, one document, and every order in which things can happen. At each step one
 * choice decides what is next: that a request arrives, or an answer; that one of them is lost, or a
 * request arrives and is sent once more; that a holder releases the lock; that time goes on to the
 * next timer. All choices are tried, depth first, by running the real engine from the start for
 * each sequence of them (stateless model checking, after Godefroid, "Model checking for programming
 * languages using VeriSoft", POPL 1997); after the free choices are used up, the rest happens in
 * order. No two schedules that are counted are the same sequence of choices.
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

  private static final int CLIENTS = 2;

  /** Where the free choices begin. */
  enum Beginning {
    /** Nobody has asked for anything. */
    NOTHING,
    /** One holds the lock, and the other waits for it. */
    HELD,
    /** One holds the lock whose renewal is due. */
    RENEWING,
    /** One has crashed with the lock, and the other looks. */
    CRASHED,
    /**
     * One has released the lock, which stays with it for a while. The other waits for it, and the
     * first may want it again at any time.
     */
    LINGERING
  }

  /** The number of schedules, and the choices of one that failed. */
  record Explored(long schedules, @Nullable InvariantViolation violation, List<String> trace) {}

  private final Simulation simulation;
  private final InvariantChecker invariants;
  private final int[] prefix;
  private final int free;
  private final List<Integer> taken = new ArrayList<>();
  private final List<Integer> widths = new ArrayList<>();
  private final List<Message> messages = new ArrayList<>();
  private final List<Actor> actors = new ArrayList<>();
  private SimCluster.Doc document = new SimCluster.Doc(null, 1, -1);
  private long lastSeqNo = -1;
  private int losses;
  private int duplicates;

  /** On its way: what it does where it arrives. */
  private record Message(String text, boolean isRequest, Runnable arrives) {}

  private SmallWorld(int[] prefix, int free, int faults, Planted planted, boolean keepsTrace) {
    this.simulation =
        new Simulation(1, EnumSet.allOf(InvariantViolation.Invariant.class), keepsTrace);
    this.invariants = new InvariantChecker(simulation, false, 1);
    this.prefix = prefix;
    this.free = free;
    this.losses = faults;
    this.duplicates = faults;
    simulation.afterEach(invariants::look);
    for (int i = 0; i < CLIENTS; i++) {
      actors.add(new Actor(i, planted));
    }
  }

  /**
   * Tries all choices.
   *
   * @param free how many choices of one schedule are free
   * @param faults how many losses, and how many duplicates, there may be in one schedule
   */
  static Explored explore(Beginning beginning, int free, int faults, Planted planted) {
    long schedules = 0;
    int[] prefix = {};
    while (true) {
      SmallWorld world = new SmallWorld(prefix, free, faults, planted, false);
      schedules++;
      InvariantViolation violation = world.run(beginning);
      if (violation != null) {
        int[] choices = world.taken.stream().mapToInt(Integer::intValue).toArray();
        SmallWorld again = new SmallWorld(choices, free, faults, planted, true);
        InvariantViolation same = again.run(beginning);
        return new Explored(schedules, same, again.simulation.trace());
      }
      int last = world.taken.size() - 1;
      while (last >= 0 && world.taken.get(last) + 1 == world.widths.get(last)) {
        last--;
      }
      if (last < 0) {
        return new Explored(schedules, null, List.of());
      }
      prefix = world.taken.stream().limit(last + 1).mapToInt(Integer::intValue).toArray();
      prefix[last]++;
    }
  }

  private @Nullable InvariantViolation run(Beginning beginning) {
    try {
      begin(beginning);
      while (taken.size() < free && choose()) {
        invariants.look();
        simulation.check();
      }
      settle();
      return null;
    } catch (InvariantViolation violation) {
      simulation.log(() -> "VIOLATION " + violation.getMessage(), -1);
      return violation;
    }
  }

  private void begin(Beginning beginning) {
    Actor first = actors.get(0);
    Actor second = actors.get(1);
    first.want(beginning == Beginning.LINGERING ? LINGERING : OPTIONS);
    if (beginning != Beginning.NOTHING) {
      deliverAll();
    }
    if (beginning == Beginning.RENEWING) {
      while (messages.isEmpty()) {
        simulation.runNext();
      }
    } else if (beginning == Beginning.CRASHED) {
      first.host.crash();
      first.giveBack = null;
    } else if (beginning == Beginning.LINGERING) {
      while (first.giveBack == null) {
        simulation.runNext();
        deliverAll();
      }
      first.giveBack.run();
      first.wantAgain =
          () -> {
            first.wantAgain = null;
            first.want(LINGERING);
          };
    }
    second.want(OPTIONS);
  }

  /** Takes the next choice, and returns whether there was any. */
  private boolean choose() {
    List<Runnable> choices = new ArrayList<>();
    for (Message message : messages) {
      choices.add(() -> arrive(message, "ARRIVES "));
      if (losses > 0) {
        choices.add(
            () -> {
              losses--;
              log("LOST " + message.text);
              messages.remove(message);
            });
      }
      if (duplicates > 0 && message.isRequest) {
        choices.add(
            () -> {
              duplicates--;
              arrive(message, "ARRIVES, and once more later: ");
              messages.add(message);
            });
      }
    }
    for (Actor actor : actors) {
      if (actor.giveBack != null) {
        choices.add(actor.giveBack);
      }
      if (actor.wantAgain != null) {
        choices.add(actor.wantAgain);
      }
    }
    if (simulation.hasNext()) {
      choices.add(simulation::runNext);
    }
    if (choices.isEmpty()) {
      return false;
    }
    int step = taken.size();
    int choice = step < prefix.length ? prefix[step] : 0;
    taken.add(choice);
    widths.add(choices.size());
    choices.get(choice).run();
    return true;
  }

  private void arrive(Message message, String how) {
    messages.remove(message);
    log(how + message.text);
    message.arrives.run();
  }

  private void deliverAll() {
    while (!messages.isEmpty()) {
      arrive(messages.get(0), "ARRIVES ");
      invariants.look();
      simulation.check();
    }
  }

  /** No more choices: all arrives, all holders release, and nothing may be left. */
  private void settle() {
    for (int step = 0; step < MAX_STEPS; step++) {
      deliverAll();
      for (Actor actor : actors) {
        if (actor.giveBack != null) {
          actor.giveBack.run();
        }
      }
      if (messages.isEmpty()) {
        if (!simulation.hasNext()) {
          invariants.end();
          simulation.check();
          return;
        }
        simulation.runNext();
      }
    }
    throw new InvariantViolation(InvariantViolation.Invariant.LIVENESS, "it never comes to rest");
  }

  private void log(String text) {
    simulation.log(() -> text, messages.size());
  }

  /** One client. */
  private final class Actor {
    final int number;
    final Host host = Host.withRightClocks(simulation);
    final LockManager manager;

    /** Releases the lock; null if this client holds nothing. */
    @Nullable Runnable giveBack;

    /** Wants the lock once more; null if this client does not. */
    @Nullable Runnable wantAgain;

    Actor(int number, Planted planted) {
      this.number = number;
      SplittableRandom tokens = simulation.fork();
      this.manager =
          planted
              .settings(
                  LockManager.builder(planted.store(new Mail(this), host))
                      .owner("c" + number)
                      .ticker(planted.ticker(host))
                      .wallClock(planted.wallClock(host))
                      .scheduler(host)
                      .callbackExecutor(host)
                      .random(simulation.fork())
                      .tokens(
                          planted.tokens(() -> number + "-" + Long.toHexString(tokens.nextLong())))
                      .maxClockSkew(Duration.ZERO))
              .build();
    }

    void want(LockOptions options) {
      long begun = host.nanos();
      var unused =
          manager
              .acquireAsync(LOCK, options)
              .handle(
                  (granted, failure) -> {
                    log("c" + number + (granted == null ? " has not" : " HAS " + granted));
                    if (granted != null) {
                      held(granted, options, begun);
                    }
                    return granted;
                  })
              .whenComplete(simulation::ended);
    }

    private void held(Lease granted, LockOptions options, long begun) {
      InvariantChecker.ObservedGrant grant =
          new InvariantChecker.ObservedGrant(granted, host, options, begun);
      invariants.granted(grant);
      granted.onLost(
          loss -> {
            log("c" + number + " is told: " + loss.getMessage());
            invariants.lossTold(grant, false, loss);
          });
      giveBack =
          () -> {
            giveBack = null;
            release(grant);
          };
    }

    private void release(InvariantChecker.ObservedGrant grant) {
      log("c" + number + " releases");
      invariants.releasing(grant);
      var unused =
          grant
              .lease
              .releaseAsync()
              .thenAccept(
                  result -> {
                    log("c" + number + " released: " + result);
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
      String name = "c" + actor.number + " " + what;
      messages.add(
          new Message(
              name,
              true,
              () -> {
                R result = there.get();
                messages.add(
                    new Message(
                        name + " -> " + result.getClass().getSimpleName(),
                        false,
                        () -> actor.host.run(() -> future.complete(result))));
              }));
      return future;
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
      boolean matches =
          expected == null
              ? document.record() == null
              : document.record() != null && document.seqNo() == expected.seqNo();
      if (!matches) {
        return new WriteResult.Conflict();
      }
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
