package dev.holdfast.chaos.worker;

import co.elastic.clients.elasticsearch.ElasticsearchClient;
import dev.holdfast.history.HistoryWriter;
import dev.holdfast.history.Vocabulary;
import dev.holdfast.lock.Lease;
import dev.holdfast.lock.LockAcquisitionException;
import dev.holdfast.lock.LockManager;
import dev.holdfast.lock.LockOptions;
import dev.holdfast.lock.LockStoreUnavailableException;
import dev.holdfast.lock.OnLeaseLost;
import dev.holdfast.lock.ReleaseResult;
import dev.holdfast.lock.elasticsearch.ElasticsearchLockStore;
import dev.holdfast.lock.elasticsearch.FencedElasticsearchWriter;
import dev.holdfast.lock.elasticsearch.StaleFencingTokenException;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;

/**
 * One client of Holdfast in a process of its own. Reads commands from standard input, answers each
 * with a line, and records what it does in a history of its own. Ends with its input, so that it
 * never outlives the test.
 *
 * <p>Commands and answers: {@code acquire WAIT_MILLIS}: {@code acquired FENCE}, {@code refused} or
 * {@code unavailable}; {@code renew}: {@code true} or {@code false}; {@code hold}: {@code holding}
 * (from then on it renews, and records that); {@code write TEXT}: {@code accepted} or {@code
 * refused}; {@code await-lost}: {@code lost} once it has been told; {@code release}: the result.
 */
@CommandLine.Command(name = "worker", mixinStandardHelpOptions = true)
public final class WorkerMain implements Callable<Integer> {
  /** The index that the lock protects, and the document in it. */
  public static final String RESOURCE_INDEX = "holdfast-chaos-resource";

  private static final int RENEWALS_PER_TTL = 6;

  @CommandLine.Option(names = "--locks-url", required = true, description = "Where locks are kept.")
  private String locksUrl = "";

  @CommandLine.Option(
      names = "--resource-url",
      required = true,
      description = "Where the protected resource is written.")
  private String resourceUrl = "";

  @CommandLine.Option(names = "--client", required = true, description = "This client's name.")
  private String client = "";

  @CommandLine.Option(names = "--lock", required = true, description = "The lock's id.")
  private String lock = "";

  @CommandLine.Option(names = "--ttl-millis", required = true, description = "The lease's TTL.")
  private long ttlMillis;

  @CommandLine.Option(names = "--history", required = true, description = "A file to be made.")
  private Path historyFile = Path.of("");

  @CommandLine.Option(names = "--process", required = true, description = "First process number.")
  private long process;

  @CommandLine.Option(names = "--processes", required = true, description = "Distance to the next.")
  private long processes;

  private @Nullable Lease lease;
  private @Nullable Thread holder;

  /** Runs a worker until its input ends. */
  public static void main(String[] arguments) {
    System.exit(new CommandLine(new WorkerMain()).execute(arguments));
  }

  @Override
  public Integer call() throws Exception {
    try (HistoryWriter history =
            HistoryWriter.create(historyFile, System::nanoTime, process, processes);
        ElasticsearchLockStore store = ElasticsearchLockStore.builder(locksUrl).build();
        LockManager locks = LockManager.builder(store).owner(client).build();
        ElasticsearchClient resource = Clients.to(URI.create(resourceUrl))) {
      HistoryWriter.Recorder recorder = history.recorder();
      HistoryWriter.Recorder holding = history.recorder();
      FencedElasticsearchWriter writer = new FencedElasticsearchWriter(resource);
      BufferedReader commands =
          new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
      System.out.println("ready");
      for (String line = commands.readLine(); line != null; line = commands.readLine()) {
        String[] words = line.split(" ", 2);
        String argument = words.length > 1 ? words[1] : "";
        System.out.println(
            switch (words[0]) {
              case "acquire" -> acquire(locks, history, recorder, Long.parseLong(argument));
              case "hold" -> hold(holding);
              case "renew" -> Boolean.toString(renew(recorder));
              case "write" -> write(writer, recorder, argument);
              case "await-lost" -> awaitLost();
              case "release" -> release(recorder);
              default -> "no such command: " + words[0];
            });
      }
    }
    return 0;
  }

  private String acquire(
      LockManager locks, HistoryWriter history, HistoryWriter.Recorder recorder, long waitMillis)
      throws InterruptedException {
    LockOptions options =
        LockOptions.defaults()
            .withTtl(Duration.ofMillis(ttlMillis))
            .withWaitTimeout(Duration.ofMillis(waitMillis))
            .withOnLeaseLost(OnLeaseLost.NOTIFY);
    var invocation =
        recorder.invoke(
            Vocabulary.ACQUIRE,
            Map.of(Vocabulary.LOCK, lock, Vocabulary.CLIENT, client, Vocabulary.TTL, ttlMillis));
    try {
      Lease acquired = locks.acquire(lock, options);
      long fence = acquired.fencingToken().toLong();
      lease = acquired;
      acquired.onLost(loss -> history.notice(Vocabulary.LOST, subject(fence)));
      invocation.ok(Map.of(Vocabulary.FENCE, fence, Vocabulary.UNTIL, until(acquired)));
      return "acquired " + fence;
    } catch (LockAcquisitionException e) {
      invocation.fail(e.toString());
      return "refused";
    } catch (LockStoreUnavailableException e) {
      // A record that a lost answer may have left is cleaned up; nobody believes to hold the lock.
      invocation.info(e.toString());
      return "unavailable";
    }
  }

  /** Renews again and again, so that each renewal is in the history. */
  private String hold(HistoryWriter.Recorder recorder) {
    Lease held = held();
    Thread thread =
        new Thread(
            () -> {
              while (held.isHeld()) {
                boolean unused = renew(held, recorder);
                try {
                  TimeUnit.MILLISECONDS.sleep(ttlMillis / RENEWALS_PER_TTL);
                } catch (InterruptedException e) {
                  return;
                }
              }
            },
            "holder");
    thread.setDaemon(true);
    thread.start();
    holder = thread;
    return "holding";
  }

  private boolean renew(HistoryWriter.Recorder recorder) {
    return renew(held(), recorder);
  }

  private boolean renew(Lease held, HistoryWriter.Recorder recorder) {
    long fence = held.fencingToken().toLong();
    var invocation = recorder.invoke(Vocabulary.RENEW, subject(fence));
    if (held.renew()) {
      invocation.ok(Map.of(Vocabulary.UNTIL, until(held), Vocabulary.TTL, ttlMillis));
      return true;
    } else if (held.isHeld()) {
      invocation.info("not acknowledged");
    } else {
      invocation.fail("not held");
    }
    return false;
  }

  /** The clock is read first: what remains may be less by the time it is asked, never more. */
  private static long until(Lease lease) {
    long now = System.nanoTime();
    return now + lease.remaining().toNanos();
  }

  private String write(
      FencedElasticsearchWriter writer, HistoryWriter.Recorder recorder, String text) {
    Lease held = held();
    var invocation = recorder.invoke(Vocabulary.WRITE, subject(held.fencingToken().toLong()));
    try {
      writer.write(
          RESOURCE_INDEX, lock, Map.of("text", text, "client", client), held.fencingToken());
      invocation.ok();
      return "accepted";
    } catch (StaleFencingTokenException e) {
      invocation.fail(e.toString());
      return "refused";
    } catch (IOException e) {
      invocation.info(e.toString());
      return "unknown";
    }
  }

  private String awaitLost() throws InterruptedException {
    var told = new java.util.concurrent.CountDownLatch(1);
    held().onLost(loss -> told.countDown());
    told.await();
    return "lost";
  }

  private String release(HistoryWriter.Recorder recorder) throws InterruptedException {
    Lease held = held();
    var invocation = recorder.invoke(Vocabulary.RELEASE, subject(held.fencingToken().toLong()));
    ReleaseResult result = held.release();
    switch (result) {
      case RELEASED -> invocation.ok();
      case NOT_HELD -> invocation.fail("not held");
      case UNCONFIRMED -> invocation.info("unconfirmed");
    }
    if (holder != null) {
      holder.interrupt();
      holder.join();
    }
    return result.toString();
  }

  private Lease held() {
    if (lease == null) {
      throw new IllegalStateException("acquire first");
    }
    return lease;
  }

  private Map<String, Object> subject(long fence) {
    return Map.of(Vocabulary.LOCK, lock, Vocabulary.CLIENT, client, Vocabulary.FENCE, fence);
  }
}
