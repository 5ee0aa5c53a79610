package dev.holdfast.chaos.fault;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.holdfast.chaos.arena.Arena;
import dev.holdfast.chaos.worker.WorkerProcess;
import dev.holdfast.chaos.worker.WorkerSpec;
import dev.holdfast.cluster.Node;
import dev.holdfast.history.HistoryWriter;
import java.io.IOException;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.random.RandomGenerator;

/**
 * Gives the faults of a run access to its cluster, its workers and its history. Not thread-safe.
 */
public final class FaultContext {

  /**
   * For how long a holder is looked for: meanwhile no fault ends, and some may be why there is
   * none.
   */
  private static final Duration SEARCH = Duration.ofSeconds(5);

  private static final Duration QUESTION_LIMIT = Duration.ofSeconds(1);
  private static final long BETWEEN_TRIES_MILLIS = 50;

  /**
   * Far longer than a cluster takes to notice, so that a test which hangs says where. At the
   * default fault detection 93 s were seen, where the primary's node was the master: half a minute
   * to miss it, and two publications that wait for it for half a minute each.
   */
  private static final Duration EFFECT_LIMIT = Duration.ofMinutes(4);

  private static final ObjectMapper JSON = new ObjectMapper();

  private final Arena arena;
  private final WorkerSpec.Names names;
  private final Crew crew;
  private final HistoryWriter nemesis;
  private final RandomGenerator random;
  private final Set<Object> disturbed = new HashSet<>();

  /** The workers of a run, of which each has a slot. */
  public interface Crew {

    /** Returns the worker in the slot now. */
    WorkerProcess worker(int slot);

    /** Puts a new worker into the slot of one that is dead. */
    void replace(int slot) throws IOException;
  }

  /** Makes the context of one run. */
  public FaultContext(
      Arena arena,
      WorkerSpec.Names names,
      Crew crew,
      HistoryWriter nemesis,
      RandomGenerator random) {
    this.arena = arena;
    this.names = names;
    this.crew = crew;
    this.nemesis = nemesis;
    this.random = random;
  }

  Arena arena() {
    return arena;
  }

  WorkerSpec.Names names() {
    return names;
  }

  Crew crew() {
    return crew;
  }

  HistoryWriter nemesis() {
    return nemesis;
  }

  /** Marks something as disturbed, so that no other fault hits it; false if it is already. */
  boolean disturb(Object what) {
    return disturbed.add(what);
  }

  /** Marks something as undisturbed again. */
  void leave(Object what) {
    disturbed.remove(what);
  }

  /** Returns whether something is disturbed now. */
  public boolean isDisturbed(Object what) {
    return disturbed.contains(what);
  }

  /** Returns whether nothing of the cluster is broken, and no copy of an index is missing. */
  boolean isWhole() {
    return arena.cluster().nodes().stream().noneMatch(this::isDisturbed)
        && arena.cluster().isGreen();
  }

  /** Returns whether any client was granted a lock after that, by {@link System#nanoTime}. */
  boolean isGrantedSince(long nanos) {
    for (int slot = 0; slot < Arena.CLIENTS; slot++) {
      WorkerProcess.Status status = crew.worker(slot).status();
      if (status.grants() > 0 && status.lastGrantNanos() - nanos > 0) {
        return true;
      }
    }
    return false;
  }

  /** A fault that has no effect would have tried nothing. */
  void awaitEffect(Callable<Boolean> isSeen, String otherwise) throws Exception {
    long deadlineNanos = System.nanoTime() + EFFECT_LIMIT.toNanos();
    while (!isSeen.call()) {
      if (System.nanoTime() - deadlineNanos >= 0) {
        throw new IllegalStateException(otherwise + " within " + EFFECT_LIMIT);
      }
      TimeUnit.MILLISECONDS.sleep(BETWEEN_TRIES_MILLIS);
    }
  }

  /** Returns a node by its role, if there is one and it is undisturbed. */
  Optional<Node> find(NodeRole part) throws InterruptedException {
    Optional<Node> found =
        switch (part) {
          case PRIMARY -> arena.cluster().primaryOf(names.lockAlias()).map(Node.class::cast);
          case MASTER -> arena.cluster().master().map(Node.class::cast);
          case ANY -> {
            List<Node> whole =
                arena.cluster().nodes().stream()
                    .filter(node -> !isDisturbed(node))
                    .map(Node.class::cast)
                    .toList();
            yield whole.isEmpty()
                ? Optional.empty()
                : Optional.of(whole.get(random.nextInt(whole.size())));
          }
        };
    return found.filter(node -> !isDisturbed(node));
  }

  /**
   * Returns the slot of the worker whose name stands in a lock's record, if it runs and is whole.
   * Looks again for a while if there is none.
   */
  OptionalInt holderOf(String lock) throws InterruptedException {
    long end = System.nanoTime() + SEARCH.toNanos();
    do {
      String owner = ownerOf(lock);
      for (int slot = 0; slot < Arena.CLIENTS; slot++) {
        WorkerProcess worker = crew.worker(slot);
        if (worker.client().equals(owner) && worker.isAlive() && !isDisturbed(worker)) {
          return OptionalInt.of(slot);
        }
      }
      TimeUnit.MILLISECONDS.sleep(BETWEEN_TRIES_MILLIS);
    } while (System.nanoTime() - end < 0);
    return OptionalInt.empty();
  }

  private String ownerOf(String lock) throws InterruptedException {
    try {
      String path = "/" + names.lockAlias() + "/_doc/" + lock;
      return JSON.readTree(arena.cluster().request("GET", path, "", QUESTION_LIMIT))
          .path("_source")
          .path("owner")
          .asText();
    } catch (IOException e) {
      return ""; // nobody's, or not to be known now
    }
  }

  /** Selects a node by its role. */
  public enum NodeRole {
    /** It has the primary of the lock index. */
    PRIMARY,
    /** It is the master. */
    MASTER,
    /** Any node. */
    ANY
  }
}
