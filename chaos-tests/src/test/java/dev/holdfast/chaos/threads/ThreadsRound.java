package dev.holdfast.chaos.threads;

import dev.holdfast.chaos.threads.CallCounts.Event;
import dev.holdfast.history.History;
import dev.holdfast.history.check.Checker;
import dev.holdfast.history.check.Checkers;
import dev.holdfast.history.check.FencingChecker;
import dev.holdfast.history.check.LinearizabilityChecker;
import dev.holdfast.history.check.MutualExclusionChecker;
import dev.holdfast.history.check.Result;
import dev.holdfast.history.check.Verdict;
import dev.holdfast.lock.internal.Daemons;
import dev.holdfast.lock.memory.InMemoryLockStore;
import dev.holdfast.lock.store.ListResult;
import dev.holdfast.lock.store.LockRecord;
import dev.holdfast.lock.store.LockStore;
import dev.holdfast.lock.store.ReadResult;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.function.BooleanSupplier;
import java.util.function.UnaryOperator;

/**
 * Some managers on one store, and callers that make calls of every form on real threads, for a few
 * seconds, with everything that a plan does to them; and what is to hold during that time and after
 * it.
 *
 * <p>Nothing here depends on how fast the machine is. What is valid is judged by {@code isHeld} and
 * by the machine's one monotonic clock. Only bounds depend on time; they are those of the contract,
 * and a slack is added to each.
 */
final class ThreadsRound {
  private static final int CARRIER_THREADS = 3;
  private static final int MAX_RECORDS = 100_000;
  private static final Duration CHECK_LIMIT = Duration.ofMinutes(2);

  final RoundPlan plan;
  final GrantHistory history = new GrantHistory();
  final Findings findings = new Findings();
  final CallCounts counts;
  final CallWatch watch;

  /** Runs what is late, for the ways to the store and for bodies. */
  final ScheduledExecutorService carrier =
      new ScheduledThreadPoolExecutor(CARRIER_THREADS, task -> Daemons.daemon("carrier", task));

  private final Duration slack;
  private final UnaryOperator<LockStore> faultyWay;
  private final InMemoryLockStore store = new InMemoryLockStore();
  private final Set<Thread> threadsBefore = libraryThreads();
  private final AtomicReferenceArray<LockProcess> processes;
  private final List<LockProcess> all = new CopyOnWriteArrayList<>();
  private final AtomicInteger names = new AtomicInteger();
  private volatile boolean over;

  /**
   * A round.
   *
   * @param slack what is added to each bound. A call that hangs does so for ever, so that any will
   *     do which is longer than a loaded machine, its garbage collector or its hypervisor keeps a
   *     thread waiting
   * @param faultyWay what each manager uses instead of its way to the store; planted faults only
   */
  ThreadsRound(
      RoundPlan plan, CallCounts counts, Duration slack, UnaryOperator<LockStore> faultyWay) {
    this.plan = plan;
    this.counts = counts;
    this.slack = slack;
    this.faultyWay = faultyWay;
    this.watch = new CallWatch(findings, slack);
    this.processes = new AtomicReferenceArray<>(plan.processes().size());
    for (int i = 0; i < processes.length(); i++) {
      processes.set(i, newProcess(i));
    }
  }

  private LockProcess newProcess(int place) {
    int number = names.getAndIncrement();
    long seed = plan.seed() * 100 + number;
    FaultyStore way = new FaultyStore(store, plan.faults(), seed, plan.ttl(), carrier);
    LockProcess process =
        new LockProcess(
            "process-" + number,
            plan.processes().get(place),
            seed,
            way,
            faultyWay.apply(way),
            findings);
    all.add(process);
    return process;
  }

  // --- For the callers, and for who disturbs them

  LockProcess process(SplittableRandom random) {
    return processes.get(random.nextInt(processes.length()));
  }

  boolean isOver() {
    return over;
  }

  /** A process is closed by the caller of this; another one takes its place at once. */
  LockProcess replace(SplittableRandom random) {
    int place = random.nextInt(processes.length());
    return processes.getAndSet(place, newProcess(place));
  }

  /** Closes one that is closed by nobody else, or also by others. */
  void close(LockProcess process) {
    Duration bound = LockProcess.RELEASE_TIMEOUT.multipliedBy(2);
    CallWatch.OpenCall open = watch.begin("close of " + process.name + " " + process.plan, bound);
    try {
      process.close();
    } catch (Throwable e) {
      findings.add(Requirement.NAMED_EXCEPTIONS, "close of " + process.name, e);
    } finally {
      open.end();
    }
  }

  void later(Runnable task, Duration delay) {
    var unused = carrier.schedule(task, delay.toMillis(), TimeUnit.MILLISECONDS);
  }

  // --- The round

  /** Runs it, and returns what was found. */
  Findings run() throws InterruptedException {
    List<RandomCaller> callers = new ArrayList<>();
    Map<CallerHost, ExecutorService> hosts = new LinkedHashMap<>();
    ExecutorService disturbers = pool("disturber");
    ExecutorService closers = pool("closer");
    List<ExecutorService> beginners = new ArrayList<>(List.of(disturbers));
    for (CallerHost host : plan.callers()) {
      RandomCaller caller = new RandomCaller(this, callers.size());
      callers.add(caller);
      hosts.computeIfAbsent(host, each -> each.make(plan.callers().size())).execute(caller);
    }
    disturbers.execute(new Disturber(this, callers, closers));
    beginners.addAll(hosts.values());
    try {
      untilOver();
      beginners.forEach(ExecutorService::shutdown);
      if (watch.awaitEnd(() -> allHaveEnded(beginners))) {
        settle();
        closeAll(closers);
        check();
      }
    } finally {
      all.forEach(LockProcess::endThreads);
      closers.shutdown();
      var unused = carrier.shutdownNow();
    }
    counts.add(Event.ROUND);
    return findings;
  }

  private static ExecutorService pool(String name) {
    return Executors.newCachedThreadPool(task -> Daemons.daemon(name, task));
  }

  private boolean allHaveEnded(List<ExecutorService> beginners) {
    boolean ended = beginners.stream().allMatch(ExecutorService::isTerminated);
    // Also those that a disturber has just made or cut off.
    all.forEach(process -> process.store.heal());
    return ended;
  }

  private void untilOver() throws InterruptedException {
    long begin = System.nanoTime();
    while (System.nanoTime() - begin < plan.length().toNanos() && !watch.isOverdue()) {
      Thread.sleep(5);
      watch.look();
    }
    over = true;
  }

  /**
   * When no call is left and the store is well, each manager gives up what it tracks by itself. Not
   * waited for where requests are lost: managers are closed with what they track then.
   */
  private void settle() throws InterruptedException {
    if (!plan.faults().leavesNoRecord()) {
      return;
    }
    List<LockProcess> open = new ArrayList<>();
    for (int i = 0; i < processes.length(); i++) {
      open.add(processes.get(i));
    }
    expectNothingIn(open);
    // A manager that closes looks once more for what it tracks, and gives it up then.
    boolean drained = within(() -> open.stream().allMatch(each -> each.store.underWay() == 0));
    if (drained && !within(() -> recordsLeft(open).isEmpty())) {
      findings.add(Requirement.NO_RECORD_LEFT, "records are left: " + recordsLeft(open));
    }
  }

  private void expectNothingIn(List<LockProcess> idle) throws InterruptedException {
    if (!within(() -> idle.stream().allMatch(process -> process.left().isEmpty()))) {
      findings.add(
          Requirement.NO_STATE_LEFT,
          "no call is left, but: " + idle.stream().map(LockProcess::left).toList());
    }
  }

  private void closeAll(ExecutorService closers) throws InterruptedException {
    for (int i = 0; i < processes.length(); i++) {
      LockProcess process = processes.get(i);
      closers.execute(() -> close(process));
    }
    if (!watch.awaitEnd(() -> all.stream().allMatch(LockProcess::isClosing))) {
      return;
    }
    for (LockProcess process : all) {
      if (!within(() -> process.timersLeft() == 0)) {
        findings.add(
            Requirement.NO_THREAD_LEFT,
            process.timersLeft() + " timers are left of " + process.name + " " + process.plan);
      }
    }
    if (!within(() -> newThreads().isEmpty())) {
      findings.add(Requirement.NO_THREAD_LEFT, "threads are left: " + newThreads());
    }
    if (plan.faults().leavesNoRecord()) {
      expectNothingIn(all);
    }
  }

  /** Waits for something that is to come about; generous, as the bounds of calls are. */
  private boolean within(BooleanSupplier condition) throws InterruptedException {
    long begin = System.nanoTime();
    long limit = slack.plus(plan.ttl().multipliedBy(4)).toNanos();
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() - begin > limit) {
        return condition.getAsBoolean();
      }
      Thread.sleep(2);
    }
    return true;
  }

  /** Records that these have left behind, and that somebody would have to wait for. */
  private List<LockRecord> recordsLeft(List<LockProcess> open) {
    List<LockRecord> left = new ArrayList<>();
    if (store.list(MAX_RECORDS).join() instanceof ListResult.Listed listed) {
      for (ReadResult.Found found : listed.records()) {
        LockRecord record = found.record();
        boolean isOfThese = open.stream().anyMatch(each -> each.name.equals(record.owner()));
        boolean mayRemain = all.stream().anyMatch(process -> process.store.mayRemain(record));
        if (!record.isUnheld() && isOfThese && !mayRemain) {
          left.add(record);
        }
      }
    }
    return left;
  }

  private Set<Thread> newThreads() {
    Set<Thread> threads = libraryThreads();
    threads.removeAll(threadsBefore);
    return threads;
  }

  private static Set<Thread> libraryThreads() {
    Set<Thread> threads = new HashSet<>(Thread.getAllStackTraces().keySet());
    threads.removeIf(thread -> !thread.getName().startsWith("holdfast-"));
    return threads;
  }

  // --- The history

  private void check() {
    history.overlaps().forEach(each -> findings.add(Requirement.ONE_VALID_LEASE, each));
    History recorded = history.history();
    judge(Requirement.MUTUAL_EXCLUSION, new MutualExclusionChecker(), recorded);
    judge(Requirement.FENCING, new FencingChecker(), recorded);
    judge(Requirement.LINEARIZABLE, new LinearizabilityChecker("lease", CHECK_LIMIT), recorded);
  }

  private void judge(Requirement requirement, Checker checker, History recorded) {
    Result result = Checkers.safely(checker, recorded);
    boolean isGranted = history.grants() > 0;
    if (result.verdict() == Verdict.INVALID || (result.verdict() == Verdict.UNKNOWN && isGranted)) {
      findings.add(requirement, result.summary() + "\n  " + String.join("\n  ", result.details()));
    }
  }
}
