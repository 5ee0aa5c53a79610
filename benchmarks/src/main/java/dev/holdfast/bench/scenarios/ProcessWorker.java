package dev.holdfast.bench.scenarios;

import dev.holdfast.bench.peers.Server;
import dev.holdfast.bench.report.Measurement;
import dev.holdfast.lock.Lease;
import dev.holdfast.lock.LockOptions;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.HdrHistogram.Histogram;

/**
 * A process that wants one lock all the time, for a while; and the run of several such processes.
 * Times are the machine's wall clock, in microseconds, which all its processes share.
 */
public final class ProcessWorker {
  private static final String READY = "ready";
  private static final String LOCK = "between-processes";

  private ProcessWorker() {}

  /** The process: says that it is ready, waits for a line, works, and prints what happened. */
  public static void main(String[] arguments) throws IOException, InterruptedException {
    int seconds = Integer.parseInt(arguments[0]);
    List<HoldInterval> holds = new ArrayList<>();
    long requests;
    try (ManagerScenarios.ManagerClient client = new ManagerScenarios.ManagerClient()) {
      client.locks.acquire("warm-up-" + ProcessHandle.current().pid()).close();
      System.out.println(READY);
      if (System.in.read() < 0) {
        return;
      }
      LockOptions patient = LockOptions.defaults().withWaitTimeout(Duration.ofMinutes(5));
      requests = client.transport.requests();
      long end = System.nanoTime() + Duration.ofSeconds(seconds).toNanos();
      while (System.nanoTime() < end) {
        Lease lease = client.locks.acquire(LOCK, patient);
        long acquired = micros();
        long released = micros();
        lease.close();
        holds.add(new HoldInterval(0, acquired, released));
      }
      requests = client.transport.requests() - requests;
    }
    PrintStream out = System.out;
    for (HoldInterval hold : holds) {
      out.println(hold.acquired + " " + hold.released);
    }
    out.println("requests " + requests);
  }

  private static long micros() {
    return ChronoUnit.MICROS.between(Instant.EPOCH, Instant.now());
  }

  /** Runs that many of them at once. */
  public static List<Measurement> measure(int processes, int seconds) throws Exception {
    String scenario = processes + " processes, one thread each, on one lock";
    List<Process> children = new ArrayList<>();
    List<HoldInterval> holds = new ArrayList<>();
    long[] shares = new long[processes];
    long requests = 0;
    try {
      List<BufferedReader> outputs = new ArrayList<>();
      for (int i = 0; i < processes; i++) {
        Process child =
            new ProcessBuilder(
                    Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                    "-Xmx256m",
                    "-XX:+UseSerialGC",
                    "-D" + Server.URL_PROPERTY + "=" + Server.url(),
                    "-cp",
                    System.getProperty("java.class.path"),
                    ProcessWorker.class.getName(),
                    Integer.toString(seconds))
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        children.add(child);
        outputs.add(
            new BufferedReader(
                new InputStreamReader(child.getInputStream(), StandardCharsets.UTF_8)));
      }
      for (BufferedReader output : outputs) {
        if (!READY.equals(output.readLine())) {
          throw new IllegalStateException("a process did not start");
        }
      }
      for (Process child : children) {
        child.getOutputStream().write('\n');
        child.getOutputStream().close();
      }
      for (int i = 0; i < processes; i++) {
        boolean ended = false;
        for (String line = outputs.get(i).readLine();
            line != null;
            line = outputs.get(i).readLine()) {
          String[] words = line.split(" ", -1);
          if (words[0].equals("requests")) {
            requests += Long.parseLong(words[1]);
            ended = true;
          } else {
            holds.add(new HoldInterval(i, Long.parseLong(words[0]), Long.parseLong(words[1])));
            shares[i]++;
          }
        }
        if (!ended) {
          throw new IllegalStateException("process " + i + " ended early");
        }
      }
    } finally {
      children.forEach(Process::destroy);
    }
    holds.sort(Comparator.comparingLong(HoldInterval::acquired));
    Histogram handoffs = new Histogram(3);
    for (int i = 1; i < holds.size(); i++) {
      HoldInterval before = holds.get(i - 1);
      HoldInterval now = holds.get(i);
      if (now.acquired < before.released) {
        throw new IllegalStateException("two held the lock: " + before + ", " + now);
      }
      if (now.process != before.process) {
        handoffs.recordValue(now.acquired - before.released);
      }
    }
    return List.of(
        Measurement.of(scenario, "Holdfast", (double) holds.size() / seconds, "grants/s"),
        Measurement.of(
            scenario,
            "Holdfast",
            handoffs.getTotalCount() == 0 ? Double.NaN : handoffs.getValueAtPercentile(50) / 1e3,
            "ms from one process's release to another's grant, median"),
        Measurement.of(
            scenario,
            "Holdfast",
            (double) handoffs.getTotalCount(),
            "grants that went to another process"),
        Measurement.of(scenario, "Holdfast", (double) requests / holds.size(), "requests/grant"),
        Measurement.of(
            scenario,
            "Holdfast",
            ManagerScenarios.jain(shares),
            "Jain's index over " + seconds + " s"));
  }

  private record HoldInterval(int process, long acquired, long released) {}
}
