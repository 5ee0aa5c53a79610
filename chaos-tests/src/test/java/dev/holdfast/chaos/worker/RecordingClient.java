package dev.holdfast.chaos.worker;

import co.elastic.clients.elasticsearch._types.ElasticsearchException;
import dev.holdfast.history.HistoryWriter;
import dev.holdfast.history.HistoryWriter.Recorder;
import dev.holdfast.history.Vocabulary;
import dev.holdfast.lock.elasticsearch.StaleFencingTokenException;
import java.io.IOException;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** One client: gets locks, uses them, and records all that it does. Thread-safe. */
final class RecordingClient {

  private static final Map<String, Object> NOT_HELD =
      Map.of(ChaosVocabulary.REASON, ChaosVocabulary.NOT_HELD);

  private final String name;
  private final LockClient lockClient;
  private final Resource resource;
  private final HistoryWriter history;
  private final long ttlMillis;
  private final WorkerProgress progress;
  private final Set<RecordedLock> held = ConcurrentHashMap.newKeySet();

  RecordingClient(
      String name,
      LockClient lockClient,
      Resource resource,
      HistoryWriter history,
      long ttlMillis,
      WorkerProgress progress) {
    this.name = name;
    this.lockClient = lockClient;
    this.resource = resource;
    this.history = history;
    this.ttlMillis = ttlMillis;
    this.progress = progress;
  }

  /**
   * Acquires a lock.
   *
   * @param renewed whether it is kept by itself until it is released
   * @return empty if it was not granted, for whatever reason
   */
  Optional<RecordedLock> acquire(Recorder recorder, String lock, Duration wait, boolean renewed)
      throws InterruptedException {
    Recorder.Invocation invocation = invokeAcquire(recorder, lock, renewed);
    try {
      Optional<HeldLock> granted = lockClient.acquire(lock, wait, renewed);
      if (granted.isEmpty()) {
        invocation.fail("held by another");
        progress.operation();
        return Optional.empty();
      }
      return Optional.of(granted(invocation, lock, granted.get()));
    } catch (LockClient.UnavailableException e) {
      invocation.info(
          e.reason()
              .<Map<String, Object>>map(reason -> Map.of(ChaosVocabulary.REASON, reason))
              .orElse(Map.of()),
          String.valueOf(e.getMessage()));
      progress.operation();
      return Optional.empty();
    }
  }

  private Recorder.Invocation invokeAcquire(Recorder recorder, String lock, boolean renewed) {
    return recorder.invoke(
        Vocabulary.ACQUIRE,
        Map.of(
            Vocabulary.LOCK,
            lock,
            Vocabulary.CLIENT,
            name,
            Vocabulary.TTL,
            ttlMillis,
            ChaosVocabulary.RENEWED,
            renewed));
  }

  private RecordedLock granted(Recorder.Invocation invocation, String lock, HeldLock grant) {
    RecordedLock mine = new RecordedLock(lock, grant);
    invocation.ok(
        Map.of(Vocabulary.FENCE, mine.fence, Vocabulary.UNTIL, mine.heldLock.untilNanos()));
    progress.granted();
    mine.heldLock.onLost(() -> history.notice(Vocabulary.LOST, mine.subject()));
    held.add(mine);
    return mine;
  }

  /** Begins to campaign for a lock; its only user is one leader election. */
  Campaign campaign(Recorder recorder, String lock) {
    return new Campaign(recorder, lock);
  }

  /**
   * What a candidate of a leader election does, as operations on the lock: from one term to the
   * next it acquires, and when it stops leading it may have released at any time from then on.
   */
  final class Campaign {
    private final Recorder recorder;
    private final String lock;
    private Recorder.Invocation acquisition;

    private Campaign(Recorder recorder, String lock) {
      this.recorder = recorder;
      this.lock = lock;
      this.acquisition = invokeAcquire(recorder, lock, true);
    }

    /** It leads. */
    RecordedLock elected(HeldLock grant) {
      return granted(acquisition, lock, grant);
    }

    /** It is about to stop leading. */
    void leaves(RecordedLock mine) {
      Recorder.Invocation release = recorder.invoke(Vocabulary.RELEASE, mine.subject());
      held.remove(mine);
      release.info("the election releases it");
      acquisition = invokeAcquire(recorder, lock, true);
      progress.operation();
    }

    /** The election was closed. */
    void over() {
      acquisition.info("the election was closed");
    }
  }

  /**
   * Records, for each lock held, until when it is believed to be held: renewals go on in the
   * background, and what they bring is to be checked too.
   */
  void recordBeliefs(Recorder recorder) {
    for (RecordedLock each : held) {
      each.recordBelief(recorder);
    }
  }

  /** A lock that this client was granted. */
  final class RecordedLock {
    private final String lock;
    private final HeldLock heldLock;
    private final long fence;

    private RecordedLock(String lock, HeldLock heldLock) {
      this.lock = lock;
      this.heldLock = heldLock;
      this.fence = heldLock.token().toLong();
    }

    boolean isHeld() {
      return heldLock.isHeld();
    }

    private Map<String, Object> subject() {
      Map<String, Object> subject = new LinkedHashMap<>();
      subject.put(Vocabulary.LOCK, lock);
      subject.put(Vocabulary.CLIENT, name);
      subject.put(Vocabulary.FENCE, fence);
      return subject;
    }

    void recordBelief(Recorder recorder) {
      // Begun before anything is asked: another thread may release the lock at any moment, and what
      // is recorded after that must not claim that the lock was held.
      var invocation = recorder.invoke(Vocabulary.BELIEF, subject());
      long until = heldLock.untilNanos();
      if (heldLock.isHeld()) {
        invocation.ok(Map.of(Vocabulary.UNTIL, until, Vocabulary.TTL, ttlMillis));
      } else {
        held.remove(this);
        invocation.fail("not held");
      }
    }

    /** Writes the lock's document, fenced. */
    void write(Recorder recorder) {
      var invocation = recorder.invoke(Vocabulary.WRITE, subject());
      try {
        resource.write(lock, Map.of(Vocabulary.CLIENT, name), heldLock.token());
        invocation.ok();
      } catch (StaleFencingTokenException e) {
        invocation.fail("stale");
      } catch (IOException | ElasticsearchException e) {
        invocation.info(e.toString());
      }
    }

    /** Adds one to the lock's counter, by reading and then writing, without fencing. */
    void increment(Recorder recorder) {
      var invocation = recorder.invoke(ChaosVocabulary.INCREMENT, subject());
      long count;
      try {
        count = resource.read(lock) + 1;
      } catch (IOException | ElasticsearchException e) {
        invocation.fail(e.toString());
        return;
      }
      try {
        resource.write(lock, count);
        invocation.ok(Map.of(ChaosVocabulary.COUNT, count));
      } catch (IOException | ElasticsearchException e) {
        invocation.info(Map.of(ChaosVocabulary.COUNT, count), e.toString());
      }
    }

    /** Renews now. */
    void renew(Recorder recorder) {
      var invocation = recorder.invoke(Vocabulary.RENEW, subject());
      if (heldLock.renew()) {
        invocation.ok(Map.of(Vocabulary.UNTIL, heldLock.untilNanos(), Vocabulary.TTL, ttlMillis));
      } else if (heldLock.isHeld()) {
        invocation.info("not acknowledged");
      } else {
        // Its write may have been applied, though its answer was lost.
        invocation.info(NOT_HELD, "not held");
      }
      progress.operation();
    }

    /** Gives the lock back. */
    void release(Recorder recorder) {
      var invocation = recorder.invoke(Vocabulary.RELEASE, subject());
      held.remove(this);
      switch (heldLock.release()) {
        case RELEASED -> invocation.ok();
        // The lock may be another's by now because our own delete was applied.
        case NOT_HELD -> invocation.info(NOT_HELD, "not held");
        case UNCONFIRMED -> invocation.info("unconfirmed");
      }
      progress.operation();
    }
  }
}
