package dev.holdfast.chaos.scenario;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.holdfast.chaos.arena.Arena;
import dev.holdfast.chaos.fault.Fault;
import dev.holdfast.chaos.fault.FaultContext;
import dev.holdfast.chaos.worker.ChaosVocabulary;
import dev.holdfast.chaos.worker.WorkerProcess;
import dev.holdfast.chaos.worker.WorkerSpec;
import dev.holdfast.cluster.Node;
import dev.holdfast.history.HistoryWriter;
import dev.holdfast.history.Vocabulary;
import dev.holdfast.history.report.Run;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.PriorityQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.random.RandomGenerator;

/** One run of a scenario, up to the point where its history is to be checked. */
final class ScenarioRun implements FaultContext.Crew {

  /** Room for the runner, each slot's first worker, and those that replace killed ones. */
  private static final int WRITERS = 1_000;

  private static final Duration FIRST_GRANT_LIMIT = Duration.ofMinutes(5);
  private static final Duration WHOLE_LIMIT = Duration.ofMinutes(2);

  /**
   * The time that each client may take to be granted a lock once all faults have ended: clients try
   * a node that had failed again after a minute.
   */
  private static final Duration RECOVERY_LIMIT = Duration.ofMinutes(2);

  /** The time for which a fault is put off until its target exists. */
  private static final Duration AIM_LIMIT = Duration.ofSeconds(60);

  private static final Duration BETWEEN_AIMS = Duration.ofMillis(100);

  private static final Duration TELL_EVERY = Duration.ofSeconds(10);

  /** Between two looks at the workers; short beside the shortest fault. */
  private static final long NAP_MILLIS = 20;

  private static final long QUIET_MILLIS = 500;
  private static final ObjectMapper JSON = new ObjectMapper();

  private final Scenario scenario;
  private final Arena arena;
  private final Run run;
  private final RandomGenerator random;
  private final WorkerSpec.Names names;
  private final HistoryWriter nemesis;
  private final FaultContext context;
  private final List<WorkerProcess> workers = new ArrayList<>();
  private final List<WorkerProcess> everStarted = new ArrayList<>();
  private final Map<String, Integer> logLengths = new HashMap<>();
  private final List<ActiveFault> open = new ArrayList<>();
  private int faults;
  private long lastTold = System.nanoTime();

  /**
   * The end of a fault that has begun.
   *
   * @param toxiproxyRestarts how many there had been when it began
   */
  private record ActiveFault(
      long atNanos, Fault what, Fault.Injection injection, int toxiproxyRestarts) {}

  ScenarioRun(Scenario scenario, Arena arena, Run run, RandomGenerator random) throws IOException {
    this.scenario = scenario;
    this.arena = arena;
    this.run = run;
    this.random = random;
    this.names = WorkerSpec.Names.of(scenario.name());
    this.nemesis = HistoryWriter.create(run.recording("nemesis"), System::nanoTime, 0, WRITERS);
    this.context = new FaultContext(arena, names, this, nemesis, random);
  }

  void play() throws Exception {
    Schedule schedule = scenario.schedule(random);
    for (Node node : arena.cluster().nodes()) {
      logLengths.put(node.name(), node.log().length());
    }
    deleteIndices(); // of a run that was broken off
    String oneCopyMore = "\"number_of_shards\":1,\"auto_expand_replicas\":\"0-1\"";
    makeIndex(names.resourceIndex(), oneCopyMore);
    makeIndex(names.counterIndex(), oneCopyMore);
    if (scenario.ground() == Scenario.Ground.SHORT_QUEUES) {
      makeIndex(
          names.floodIndex(),
          "\"number_of_shards\":%d,\"number_of_replicas\":0,\"routing.allocation.total_shards_per_node\":1"
              .formatted(arena.cluster().nodes().size()));
    }
    for (int slot = 0; slot < Arena.CLIENTS; slot++) {
      workers.add(start(slot));
    }
    for (WorkerProcess worker : workers) {
      worker.awaitReady();
    }
    long started = System.nanoTime();
    if (!await(FIRST_GRANT_LIMIT, () -> allGrantedSince(started) && allLeasesHeld())) {
      throw new IllegalStateException("not every worker was granted its locks to begin with");
    }
    arena.cluster().awaitGreen(WHOLE_LIMIT); // with all copies of what was just made
    inject(schedule);
    heal();
    end();
  }

  /**
   * Lets faults come and go. Aiming at something takes long on a cluster that is broken. What
   * should have come meanwhile is left out or comes later, and all after it too, as the schedule
   * has it: what is open must have its end before more is broken.
   */
  private void inject(Schedule schedule) throws Exception {
    long start = System.nanoTime();
    PriorityQueue<ActiveFault> ends =
        new PriorityQueue<>(Comparator.comparingLong(ActiveFault::atNanos));
    for (Schedule.PlannedFault step : schedule.steps()) {
      long late = System.nanoTime() - (start + step.at().toNanos());
      if (late > 0 && schedule.keepsTime()) {
        continue;
      }
      start += Math.max(0, late);
      long at = start + step.at().toNanos();
      endUntil(ends, at);
      sleepUntil(at);
      if (step.what().missing(arena).isPresent()) {
        continue; // as the scenario's page says
      }
      Optional<Fault.Injection> injection = aim(step.what(), schedule.keepsTime(), ends);
      if (injection.isEmpty() && !schedule.keepsTime()) {
        throw new IllegalStateException("no target for " + step.what().name());
      } else if (injection.isEmpty()) {
        Runner.say("%s: no target for %s".formatted(scenario.name(), step.what().name()));
      } else {
        faults++;
        ActiveFault event =
            new ActiveFault(
                System.nanoTime() + step.lasting().toNanos(),
                step.what(),
                injection.get(),
                arena.toxiproxyRestarts());
        nemesis.nemesis("start-" + step.what().name(), target(event));
        open.add(event);
        begin(event);
        ends.add(event);
      }
    }
    endUntil(ends, Long.MAX_VALUE);
    sleepUntil(start + schedule.length().toNanos());
  }

  /** A cluster may have no primary for a moment; only a storm, which keeps time, goes on then. */
  private Optional<Fault.Injection> aim(
      Fault what, boolean keepsTime, PriorityQueue<ActiveFault> ends) throws Exception {
    long begun = System.nanoTime();
    Duration limit = keepsTime ? what.patience() : AIM_LIMIT;
    Optional<Fault.Injection> aimed = what.aim(context);
    while (aimed.isEmpty() && System.nanoTime() - begun < limit.toNanos()) {
      long before = System.nanoTime();
      endUntil(ends, before);
      begun += System.nanoTime() - before; // it may have waited for much longer than the limit
      sleepUntil(System.nanoTime() + BETWEEN_AIMS.toNanos());
      aimed = what.aim(context);
    }
    return aimed;
  }

  private void endUntil(PriorityQueue<ActiveFault> ends, long nanos) throws Exception {
    while (!ends.isEmpty() && ends.peek().atNanos <= nanos) {
      ActiveFault end = ends.remove();
      sleepUntil(end.atNanos);
      end(end);
    }
  }

  private void begin(ActiveFault event) throws Exception {
    try {
      event.injection.begin();
    } catch (IOException e) {
      restartToxiproxy(e);
    }
  }

  private void end(ActiveFault event) throws Exception {
    try {
      event.injection.end();
    } catch (IOException e) {
      // Toxics end with the Toxiproxy that had them, which answers 404 then.
      if (!(e instanceof FileNotFoundException)
          || event.toxiproxyRestarts == arena.toxiproxyRestarts()) {
        restartToxiproxy(e);
      }
    }
    Map<String, Object> ended = new LinkedHashMap<>(target(event));
    event.injection.hits().ifPresent(hits -> ended.put(ChaosVocabulary.HITS, hits));
    nemesis.nemesis("stop-" + event.what.name(), ended);
    open.remove(event);
  }

  /**
   * Restarts Toxiproxy if it hangs. For all clients that is one more fault: their connections
   * break.
   */
  private void restartToxiproxy(IOException cause) throws IOException {
    Map<String, Object> target = Map.of(Vocabulary.TARGET, "all links");
    nemesis.nemesis("start-toxiproxy-restarted", target);
    arena.restartToxiproxy(cause);
    say("Toxiproxy did not answer any more, and was restarted (" + cause.getMessage() + ")");
    nemesis.nemesis("stop-toxiproxy-restarted", target);
  }

  private static Map<String, Object> target(ActiveFault event) {
    return Map.of(Vocabulary.TARGET, event.injection.target());
  }

  private void heal() throws Exception {
    say("ending all faults");
    for (ActiveFault event : List.copyOf(open)) {
      end(event);
    }
    try {
      arena.heal();
    } catch (IOException e) {
      restartToxiproxy(e);
      arena.heal();
    }
    for (WorkerProcess worker : workers) {
      worker.awaitReady();
    }
    long healed = System.nanoTime();
    boolean recovered = await(RECOVERY_LIMIT, () -> allGrantedSince(healed));
    say(recovered ? "recovered" : "not recovered");
    sleepUntil(System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(QUIET_MILLIS));
  }

  private void end() throws Exception {
    workers.forEach(WorkerProcess::askToStop);
    for (WorkerProcess worker : workers) {
      worker.awaitStopped();
    }
    recordCounters();
    nemesis.close();
    deleteIndices();
  }

  private void recordCounters() throws IOException, InterruptedException {
    String unused = arena.cluster().request("POST", "/" + names.counterIndex() + "/_refresh", "");
    JsonNode hits =
        JSON.readTree(
                arena
                    .cluster()
                    .request("GET", "/" + names.counterIndex() + "/_search?size=1000", ""))
            .path("hits")
            .path("hits");
    HistoryWriter.Recorder recorder = nemesis.recorder();
    for (JsonNode hit : hits) {
      var invocation =
          recorder.invoke(
              ChaosVocabulary.FINAL_COUNT,
              Map.of(Vocabulary.LOCK, hit.path("_id").asText(), Vocabulary.CLIENT, "runner"));
      invocation.ok(Map.of(ChaosVocabulary.COUNT, hit.path("_source").path("count").asLong()));
    }
  }

  private void makeIndex(String index, String settings) throws IOException, InterruptedException {
    String unused = arena.cluster().change("PUT", "/" + index, "{\"settings\":{" + settings + "}}");
  }

  private void deleteIndices() throws IOException, InterruptedException {
    String indices =
        String.join(
            ",",
            names.lockIndex() + "*", // with those of other eras; some are hidden
            names.resourceIndex(),
            names.floodIndex(),
            names.counterIndex());
    String unused =
        arena
            .cluster()
            .change("DELETE", "/" + indices + "?ignore_unavailable=true&expand_wildcards=all", "");
  }

  // --- Workers

  private WorkerProcess start(int slot) throws IOException {
    int number = everStarted.size() + 1;
    String client = "c" + (slot + 1) + (number <= Arena.CLIENTS ? "" : "-" + number);
    WorkerProcess worker =
        WorkerProcess.start(
            new WorkerSpec(
                client,
                arena.urlsOf(slot),
                arena.cluster().httpUris(),
                names,
                scenario.wallOffsetMillis(slot),
                number,
                WRITERS,
                run.recording(client).toAbsolutePath().toString(),
                random.nextLong(),
                scenario.workload()),
            run.directory().resolve(client + ".log"));
    everStarted.add(worker);
    return worker;
  }

  @Override
  public WorkerProcess worker(int slot) {
    return workers.get(slot);
  }

  @Override
  public void replace(int slot) throws IOException {
    workers.set(slot, start(slot));
  }

  private boolean allGrantedSince(long nanos) {
    return workers.stream()
        .allMatch(
            worker -> worker.status().lastGrantNanos() - nanos > 0 && worker.status().grants() > 0);
  }

  private boolean allLeasesHeld() {
    return workers.stream()
        .allMatch(worker -> worker.status().leases() == scenario.workload().leases());
  }

  // --- Waiting and telling

  private boolean await(Duration limit, BooleanSupplier condition) throws InterruptedException {
    long deadline = System.nanoTime() + limit.toNanos();
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() - deadline >= 0) {
        return false;
      }
      nap();
    }
    return true;
  }

  private void sleepUntil(long nanos) throws InterruptedException {
    while (System.nanoTime() - nanos < 0) {
      nap();
    }
  }

  private void nap() throws InterruptedException {
    for (WorkerProcess worker : workers) {
      if (!worker.isAlive() && !context.isDisturbed(worker)) {
        throw new IllegalStateException(
            "worker " + worker.client() + " ended by itself; see its log");
      }
    }
    if (System.nanoTime() - lastTold > TELL_EVERY.toNanos()) {
      say(open.isEmpty() ? "running" : "under " + names(open));
    }
    TimeUnit.MILLISECONDS.sleep(NAP_MILLIS);
  }

  private static String names(List<ActiveFault> events) {
    return String.join(
        " and ",
        events.stream()
            .map(each -> each.what.name() + " (" + each.injection.target() + ")")
            .toList());
  }

  private void say(String phase) {
    lastTold = System.nanoTime();
    long operations = everStarted.stream().mapToLong(worker -> worker.status().operations()).sum();
    Runner.say(
        "%s: %s; %,d lock operations, %,d faults"
            .formatted(scenario.name(), phase, operations, faults));
  }

  /** Ends all that the run started, and saves the nodes' logs. */
  void leave() throws IOException {
    for (ActiveFault event :
        open) { // some, if the run broke off; they may have threads of their own
      try {
        event.injection.end();
      } catch (Exception e) {
        say(event.what.name() + " could not be ended: " + e);
      }
    }
    everStarted.forEach(WorkerProcess::close);
    nemesis.close();
    for (Node node : arena.cluster().nodes()) {
      String log = node.log();
      int from = logLengths.getOrDefault(node.name(), 0);
      from = from <= log.length() ? from : 0; // at midnight a node begins a new one
      Path file = run.directory().resolve(node.name() + ".log");
      Files.writeString(file, log.substring(from));
    }
  }
}
