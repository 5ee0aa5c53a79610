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
final class Client {

  private final String name;
  private final Locker locker;
  private final Resource resource;
  private final HistoryWriter history;
  private final long ttlMillis;
  private final Progress progress;
  private final Set<Held> held = ConcurrentHashMap.newKeySet();

  Client(
      String name,
      Locker locker,
      Resource resource,
      HistoryWriter history,
      long ttlMillis,
      Progress progress) {
    this.name = name;
    this.locker = locker;
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
  Optional<Held> acquire(Recorder recorder, String lock, Duration wait, boolean renewed)
      throws InterruptedException {
    var invocation =
        recorder.invoke(
            Vocabulary.ACQUIRE,
            Map.of(
                Vocabulary.LOCK,
                lock,
                Vocabulary.CLIENT,
                name,
                Vocabulary.TTL,
                ttlMillis,
                Facts.RENEWED,
                renewed));
    try {
      Optional<Grip> granted = locker.acquire(lock, wait, renewed);
      if (granted.isEmpty()) {
        invocation.fail("held by another");
        progress.operation();
        return Optional.empty();
      }
      Held mine = new Held(lock, granted.get());
      invocation.ok(Map.of(Vocabulary.FENCE, mine.fence, Vocabulary.UNTIL, mine.grip.untilNanos()));
      progress.granted();
      mine.grip.onLost(() -> history.notice(Vocabulary.LOST, mine.subject()));
      held.add(mine);
      return Optional.of(mine);
    } catch (Locker.UnavailableException e) {
      invocation.info(String.valueOf(e.getMessage()));
      progress.operation();
      return Optional.empty();
    }
  }

  /**
   * Records, for each lock held, until when it is believed to be held: renewals go on in the
   * background, and what they bring is to be judged too.
   */
  void recordBeliefs(Recorder recorder) {
    for (Held each : held) {
      each.recordBelief(recorder);
    }
  }

  /** A lock that this client was granted. */
  final class Held {
    private final String lock;
    private final Grip grip;
    private final long fence;

    private Held(String lock, Grip grip) {
      this.lock = lock;
      this.grip = grip;
      this.fence = grip.token().toLong();
    }

    boolean isHeld() {
      return grip.isHeld();
    }

    private Map<String, Object> subject() {
      Map<String, Object> subject = new LinkedHashMap<>();
      subject.put(Vocabulary.LOCK, lock);
      subject.put(Vocabulary.CLIENT, name);
      subject.put(Vocabulary.FENCE, fence);
      return subject;
    }

    private Map<String, Object> subject(String key, Object value) {
      Map<String, Object> subject = subject();
      subject.put(key, value);
      return subject;
    }

    void recordBelief(Recorder recorder) {
      // Begun before anything is asked: another thread may release the lock at any moment, and what
      // is recorded after that must not claim that the lock was held.
      var invocation = recorder.invoke(Vocabulary.RENEW, subject(Facts.OBSERVED, true));
      long until = grip.untilNanos();
      if (grip.isHeld()) {
        invocation.ok(Map.of(Vocabulary.UNTIL, until, Vocabulary.TTL, ttlMillis));
      } else {
        held.remove(this);
        invocation.fail(Facts.NOT_HELD);
      }
    }

    /** Writes the lock's document, fenced. */
    void write(Recorder recorder) {
      var invocation = recorder.invoke(Vocabulary.WRITE, subject());
      try {
        resource.write(lock, Map.of(Vocabulary.CLIENT, name), grip.token());
        invocation.ok();
      } catch (StaleFencingTokenException e) {
        invocation.fail("stale");
      } catch (IOException | ElasticsearchException e) {
        invocation.info(e.toString());
      }
    }

    /** Adds one to the lock's counter, by reading and then writing, without fencing. */
    void increment(Recorder recorder) {
      var invocation = recorder.invoke(Facts.INCREMENT, subject());
      long count;
      try {
        count = resource.read(lock) + 1;
      } catch (IOException | ElasticsearchException e) {
        invocation.fail(e.toString());
        return;
      }
      try {
        resource.write(lock, count);
        invocation.ok(Map.of(Facts.COUNT, count));
      } catch (IOException | ElasticsearchException e) {
        invocation.info(Map.of(Facts.COUNT, count), e.toString());
      }
    }

    /** Renews now. */
    void renew(Recorder recorder) {
      var invocation = recorder.invoke(Vocabulary.RENEW, subject());
      if (grip.renew()) {
        invocation.ok(Map.of(Vocabulary.UNTIL, grip.untilNanos(), Vocabulary.TTL, ttlMillis));
      } else if (grip.isHeld()) {
        invocation.info("not acknowledged");
      } else {
        // Its write may have been applied, though its answer was lost.
        invocation.info(Facts.NOT_HELD);
      }
      progress.operation();
    }

    /** Gives the lock back. */
    void release(Recorder recorder) {
      var invocation = recorder.invoke(Vocabulary.RELEASE, subject());
      held.remove(this);
      switch (grip.release()) {
        case RELEASED -> invocation.ok();
        // The lock may be another's by now because our own delete was applied.
        case NOT_HELD -> invocation.info(Facts.NOT_HELD);
        case UNCONFIRMED -> invocation.info("unconfirmed");
      }
      progress.operation();
    }
  }
}
