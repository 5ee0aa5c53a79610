package dev.holdfast.chaos.sim;

import dev.holdfast.chaos.sim.InvariantViolation.Invariant;
import dev.holdfast.history.Operation;
import dev.holdfast.lock.LeaderElection;
import dev.holdfast.lock.Lease;
import dev.holdfast.lock.LockManager;
import dev.holdfast.lock.LockOptions;
import dev.holdfast.lock.ReleaseResult;
import dev.holdfast.lock.SpareThreads;
import dev.holdfast.lock.store.LockRecord;
import dev.holdfast.lock.store.LockStore;
import dev.holdfast.lock.store.ReadResult;
import dev.holdfast.lock.store.Version;
import dev.holdfast.lock.store.WriteResult;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;

/**
 * A process with a real lock manager, and what it does with it: again and again it takes a lock,
 * works under it, writes to the resource as long as it believes that it holds the lock, and gives
 * it back, or forgets to, or loses patience.
 */
final class SimClient {
  /** More timers than this for so few calls would be a leak. */
  private static final int MAX_TIMERS = 200;

  /**
   * Of all tasks of a process together: each polls at most once in 10 ms at first, and the pause
   * doubles; a call that fails is followed by another only after a while.
   */
  private static final int MAX_REQUESTS_PER_SECOND = 300;

  /** How many requests one attempt may take. */
  private static final int READS_IN_A_ROW = 12;

  final int place;
  final Host host;
  final LockManager manager;
  private final LockProtocol protocol;

  private final SimRun run;
  private final Simulation simulation;
  private final SplittableRandom random;
  private final List<LeaderElection> elections = new ArrayList<>();
  private WorkloadProfile profile = WorkloadProfile.ROVING;
  private boolean stopping;
  private int calls;
  private int callsOut;
  private int requests;
  private long requestsIn = -1;

  SimClient(SimRun run, int place, Host host) {
    this.run = run;
    this.simulation = run.simulation;
    this.random = simulation.fork();
    this.place = place;
    this.host = host;
    SplittableRandom chance = simulation.fork();
    Supplier<String> tokens =
        run.planted.tokens(() -> place + "-" + Long.toHexString(chance.nextLong()));
    SimulatedStore simulated =
        new SimulatedStore(
            simulation, run.cluster, run.network, run.planted, host, place, new ClientObserver());
    LockStore store = run.planted.store(new Acknowledging(simulated), host);
    LockManager.Builder builder =
        LockManager.builder(store)
            .owner("c" + place)
            .ticker(run.planted.ticker(host))
            .wallClock(run.planted.wallClock(host))
            .scheduler(host::scheduleUnlessRejecting)
            .callbackExecutor(host::executeUnlessRejecting)
            .random(simulation.fork())
            .tokens(tokens)
            .maxClockSkew(run.maxClockSkew)
            .maxClockDrift(SimRun.MAX_DRIFT)
            .calendarTakeover(run.calendarTakeover);
    SpareThreads.use(builder, run.planted.spareScheduler(host), run.planted.spareExecutor(host));
    this.manager = run.planted.settings(builder).build();
    this.protocol = run.planted.protocol(manager, store, host, tokens);
  }

  private final class ClientObserver implements SimulatedStore.StoreObserver {
    @Override
    public void leftTogether(int operations) {
      run.batched += operations;
    }

    @Override
    public void failedNeedlessly(Throwable failure) {
      simulation.violated(
          Invariant.LIVENESS,
          "c" + place + " has given up what another request would have done: " + failure);
    }
  }

  /** Tells the check which writes were acknowledged, before the manager learns of it. */
  private final class Acknowledging extends ForwardingStore {
    Acknowledging(LockStore store) {
      super(store);
    }

    private CompletableFuture<WriteResult> noted(
        String token, CompletableFuture<WriteResult> result) {
      long sentAt = simulation.now();
      return map(
          result,
          answer -> {
            if (answer instanceof WriteResult.Applied applied) {
              run.invariants.acknowledged(token, sentAt, applied.version().incarnation());
              run.recording.acknowledged(token, sentAt);
            }
            return answer;
          });
    }

    @Override
    public CompletableFuture<ReadResult> read(String lockId) {
      checkRate();
      return super.read(lockId);
    }

    @Override
    public CompletableFuture<WriteResult> create(LockRecord record) {
      checkRate();
      return noted(record.token(), super.create(record));
    }

    @Override
    public CompletableFuture<WriteResult> replace(LockRecord record, Version expected) {
      checkRate();
      return noted(record.token(), super.replace(record, expected));
    }
  }

  /** Starts that many tasks. */
  void start(int tasks) {
    start(tasks, WorkloadProfile.ROVING);
  }

  /** The same, with another habit. */
  void start(int tasks, WorkloadProfile kind) {
    profile = kind;
    for (int i = 0; i < tasks; i++) {
      next();
    }
  }

  /** Ends after what is under way. */
  void stop() {
    stopping = true;
    elections.forEach(this::close);
  }

  // --- Leader elections

  /** Starts that many candidates. */
  void campaign(int candidates) {
    for (int i = 0; i < candidates && !stopping; i++) {
      Duration ttl = random.nextBoolean() ? Duration.ofSeconds(1) : Duration.ofSeconds(5);
      LeaderElection election =
          LeaderElection.builder(manager, run.lock(0))
              .options(LockOptions.defaults().withTtl(ttl))
              .pauseAfterYield(Duration.ofMillis(random.nextLong(1_000)))
              .build();
      elections.add(election);
      run.invariants.candidate(election, host);
      host.run(election::start);
      callsOut++;
      steps(election);
    }
  }

  /** Leads for a while, again and again. */
  private void steps(LeaderElection election) {
    later(
        random.nextLong(5 * Simulation.SECOND),
        () -> {
          if (election.isLeader()) {
            run.operations++;
            run.grants++;
            simulation.log(() -> "c" + place + " steps down: " + election, place);
            election.stepDown();
          }
          if (!stopping) {
            steps(election);
          }
        });
  }

  private void close(LeaderElection election) {
    host.run(
        () -> {
          var unused =
              election.closeAsync().thenRun(() -> callsOut--).whenComplete(simulation::ended);
        });
  }

  // --- Semaphores

  /** One of the permits; contention is a failure, as with a lock. */
  private CompletableFuture<Lease> permit(LockOptions options) {
    CompletableFuture<Lease> result = new CompletableFuture<>();
    CompletableFuture<Optional<Lease>> permit =
        manager.tryAcquirePermitAsync(SimRun.SEMAPHORE, run.permits, options);
    var unused =
        permit.whenComplete(
            (lease, failure) -> {
              if (failure != null) {
                result.completeExceptionally(failure);
              } else if (lease.isEmpty()) {
                result.completeExceptionally(new IllegalStateException("no permit is free"));
              } else if (!result.complete(lease.get())) {
                var unusedToo = lease.get().releaseAsync();
              }
            });
    var unusedToo =
        result.whenComplete(
            (lease, failure) -> {
              if (result.isCancelled()) {
                permit.cancel(false);
              }
            });
    return result;
  }

  int callsOut() {
    return callsOut;
  }

  private void next() {
    later(profile.pause(random), this::acquire);
  }

  /** In this process, after a while. */
  private void later(long delay, Runnable task) {
    simulation.after(delay, () -> host.run(task));
  }

  private void acquire() {
    if (stopping) {
      return;
    }
    LockOptions options = profile.options(random);
    acquire(run.lock(random.nextInt(run.locks)), options);
  }

  private void acquire(String lock, LockOptions options) {
    int call = ++calls;
    callsOut++;
    run.operations++;
    simulation.log(() -> name(call) + " wants " + lock + " " + options.ttl(), place, call);
    long begun = host.nanos();
    int stops = host.stops();
    Recording.Acquisition recorded = run.recording.acquiring(name(call), lock, options);
    ProgressChecker.WaitingCall waiting = run.progress.waits(name(call), host, lock);
    CompletableFuture<Lease> future =
        run.permits > 0 ? permit(options) : protocol.acquireAsync(lock, options);
    if (profile.losesPatience(random)) {
      // Often while its first request is out.
      later(
          random.nextLong(random.nextBoolean() ? 5 * Simulation.MILLI : 2 * Simulation.SECOND),
          () -> {
            if (future.cancel(false)) {
              simulation.log(() -> name(call) + " gives up", place, call);
            }
          });
    }
    var unused =
        future
            .handle(
                (lease, failure) -> {
                  callsOut--;
                  if (host.stops() == stops) {
                    checkWait(options, host.nanos() - begun);
                    checkService(host.nanos() - begun);
                  }
                  recorded.ended(lease);
                  run.progress.ended(waiting, lease != null);
                  if (lease == null) {
                    simulation.log(() -> name(call) + " has not: " + failure, place, call);
                    next();
                  } else {
                    held(call, lease, options, begun);
                  }
                  return lease;
                })
            .whenComplete(simulation::ended);
    if (host.timers() > MAX_TIMERS) {
      simulation.violated(Invariant.BOUNDS, "c" + place + " has " + host.timers() + " timers");
    }
  }

  /** A wait ends on time; a single attempt ends with its request, after a third of the TTL. */
  private void checkWait(LockOptions options, long nanos) {
    // A permit that is not waited for takes two requests at most.
    int attempts = run.permits > 0 ? 2 : 1;
    Duration limit =
        options.waitTimeout().isZero()
            ? options.ttl().multipliedBy(attempts).dividedBy(3)
            : options.waitTimeout();
    if (nanos > limit.toNanos() + Simulation.MILLI) {
      simulation.violated(
          Invariant.LIVENESS, "c" + place + " waited " + nanos + " ns instead of " + limit);
    }
  }

  /** Checks that a client with a fairness bound got the lock within it, or had crashed. */
  private void checkService(long nanos) {
    if (nanos > profile.servedWithin().map(Duration::toNanos).orElse(Long.MAX_VALUE)) {
      simulation.violated(
          Invariant.FAIRNESS, "c" + place + " waited " + nanos + " ns beside a busy process");
    }
  }

  /** No process may ask more often than waiting, renewing and retrying explain. */
  private void checkRate() {
    long second = simulation.now() / Simulation.SECOND;
    requests = second == requestsIn ? requests + 1 : 1;
    requestsIn = second;
    // Reads that show only what is out of date are repeated at once, some times.
    int most = MAX_REQUESTS_PER_SECOND * (run.invariants.mayShowOldRecords() ? READS_IN_A_ROW : 1);
    if (requests > most) {
      simulation.violated(
          Invariant.BOUNDS, "c" + place + " sent " + requests + " requests within a second");
    }
  }

  private void held(int call, Lease lease, LockOptions options, long begun) {
    run.grants++;
    if (Recording.isHandedOver(lease)) {
      run.handoffs++;
    }
    simulation.log(
        () -> name(call) + " HAS " + lease,
        place,
        call,
        lease.fencingToken().primaryTerm(),
        lease.fencingToken().seqNo());
    InvariantChecker.ObservedGrant grant =
        new InvariantChecker.ObservedGrant(lease, host, options, begun);
    Task task = new Task(call, lease, grant);
    run.invariants.granted(grant);
    lease.onLost(
        loss -> {
          run.losses++;
          run.recording.lost(lease);
          simulation.log(() -> name(call) + " is told: " + loss.getMessage(), place, call);
          run.invariants.lossTold(grant, task.released, loss);
        });
    task.work(profile.steps(random));
  }

  /** The work under one lease. */
  private final class Task {
    private final int call;
    private final Lease lease;
    private final InvariantChecker.ObservedGrant grant;
    private boolean released;

    Task(int call, Lease lease, InvariantChecker.ObservedGrant grant) {
      this.call = call;
      this.lease = lease;
      this.grant = grant;
    }

    void work(int steps) {
      if (steps == 0) {
        release();
        return;
      }
      if (lease.isHeld()) {
        // Between this look and the write's arrival, anything may happen.
        simulation.after(run.network.someDelay(random), () -> run.resource.write(grant));
        if (run.planted.limitsHolds()) {
          profile.changedLimits(random).ifPresent(this::limit);
        }
      }
      later(profile.step(random), () -> work(steps - 1));
    }

    private void limit(WorkloadProfile.Limits limits) {
      boolean isLimited = lease.limitHold(limits.atLeast(), limits.atMost());
      if (isLimited) {
        grant.limited(limits, simulation.now());
      }
      simulation.log(
          () -> name(call) + (isLimited ? " is to hold it for " : " cannot limit it to ") + limits,
          place,
          call,
          limits.atMost().toNanos());
    }

    private void release() {
      run.operations++;
      callsOut++;
      run.invariants.releasing(grant);
      Recording.ReleaseRecorder recorded = run.recording.releasing(lease);
      var unused =
          lease
              .releaseAsync()
              .thenAccept(
                  result -> {
                    callsOut--;
                    released = true;
                    recorded.ended(
                        switch (result) {
                          case RELEASED -> Operation.Type.OK;
                          // The lock may be another's by now because our delete went through.
                          case NOT_HELD, UNCONFIRMED -> Operation.Type.INFO;
                        });
                    run.invariants.over(grant);
                    if (result == ReleaseResult.RELEASED) {
                      run.invariants.released(grant);
                    }
                    simulation.log(
                        () -> name(call) + " released: " + result,
                        place,
                        call,
                        result.name().length());
                    next();
                  })
              .whenComplete(simulation::ended);
    }
  }

  private String name(int call) {
    return "c" + place + "#" + call;
  }
}
