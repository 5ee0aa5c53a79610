package dev.holdfast.lock.micrometer;

import dev.holdfast.lock.LeaseLostException;
import dev.holdfast.lock.LockManagerStats;
import dev.holdfast.lock.ReleaseResult;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Meter.MeterProvider;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.Timer;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import java.util.function.ToIntFunction;
import org.jspecify.annotations.Nullable;

/** The meters of {@link HoldfastMetrics} in one registry. Thread-safe. */
final class LockMeters {
  private static final String OUTCOME = "outcome";
  private static final String REASON = "reason";
  private static final String LOST = "lost";

  private final MeterRegistry registry;
  private final Tags tags;
  private final @Nullable Function<String, String> lockTag;
  private final MeterProvider<Timer> acquire;
  private final MeterProvider<Timer> usage;
  private final MeterProvider<Timer> renew;
  private final MeterProvider<Counter> lost;
  private final MeterProvider<Counter> takeovers;

  /** The values of the lock's tag whose series are there; as many as there are meters of them. */
  private final Set<String> registered = ConcurrentHashMap.newKeySet();

  LockMeters(
      MeterRegistry registry,
      Tags tags,
      @Nullable Function<String, String> lockTag,
      AttachedManagers managers) {
    this.registry = registry;
    this.tags = tags;
    this.lockTag = lockTag;
    gauge(managers, "held", "Locks that are held by this process", LockManagerStats::held);
    gauge(managers, "waiting", "Calls that wait for a lock", LockManagerStats::waiting);
    gauge(
        managers,
        "lingering",
        "Locks that are kept by this process without a holder",
        LockManagerStats::lingering);
    gauge(
        managers,
        "cleanups",
        "Ended acquisitions whose record might still appear",
        LockManagerStats::cleanUps);
    FunctionCounter.builder(
            "holdfast.lock.events.dropped", managers, AttachedManagers::droppedEvents)
        .description("Events that listeners missed")
        .tags(tags)
        .register(registry);
    acquire = timer("acquire", "From a call for a lock to its outcome");
    usage = timer("usage", "From the grant of a lock to its release or loss");
    renew = timer("renew", "From the last write of a renewal to its outcome");
    lost = counter(LOST, "Leases that were lost");
    takeovers = counter("takeovers", "Locks that were taken over from a holder that had expired");
    if (lockTag == null) {
      registerAll(Tags.empty());
    }
  }

  /** Has each series begin at 0, so that its first increase is seen. */
  private void registerAll(Tags ofLock) {
    List.of("acquired", "contended", "unavailable")
        .forEach(outcome -> acquire.withTags(ofLock.and(OUTCOME, outcome)));
    for (ReleaseResult result : ReleaseResult.values()) {
      usage.withTags(ofLock.and(OUTCOME, lowerCase(result)));
    }
    usage.withTags(ofLock.and(OUTCOME, LOST));
    List.of("renewed", "failed").forEach(outcome -> renew.withTags(ofLock.and(OUTCOME, outcome)));
    for (LeaseLostException.Reason reason : LeaseLostException.Reason.values()) {
      lost.withTags(ofLock.and(REASON, lowerCase(reason)));
    }
    takeovers.withTags(ofLock);
  }

  boolean isOf(MeterRegistry other) {
    return registry == other;
  }

  void acquire(String lockId, String outcome, Duration waited) {
    acquire.withTags(tags(lockId).and(OUTCOME, outcome)).record(waited);
  }

  void renew(String lockId, String outcome, Duration took) {
    renew.withTags(tags(lockId).and(OUTCOME, outcome)).record(took);
  }

  void takeover(String lockId) {
    takeovers.withTags(tags(lockId)).increment();
  }

  void lost(String lockId, LeaseLostException.Reason reason, Duration held) {
    Tags ofLock = tags(lockId);
    lost.withTags(ofLock.and(REASON, lowerCase(reason))).increment();
    usage.withTags(ofLock.and(OUTCOME, LOST)).record(held);
  }

  void released(String lockId, ReleaseResult result, Duration held) {
    usage.withTags(tags(lockId).and(OUTCOME, lowerCase(result))).record(held);
  }

  private Tags tags(String lockId) {
    if (lockTag == null) {
      return Tags.empty();
    }
    String value = lockTag.apply(lockId);
    Tags ofLock = Tags.of("lock", value);
    if (registered.add(value)) {
      registerAll(ofLock);
    }
    return ofLock;
  }

  private static String lowerCase(Enum<?> value) {
    return value.name().toLowerCase(Locale.ROOT);
  }

  private void gauge(
      AttachedManagers managers,
      String name,
      String description,
      ToIntFunction<LockManagerStats> number) {
    Gauge.builder("holdfast.locks." + name, managers, all -> all.sum(number))
        .description(description)
        .tags(tags)
        // It keeps no manager alive, and has a value when all of them are gone.
        .strongReference(true)
        .register(registry);
  }

  private MeterProvider<Timer> timer(String name, String description) {
    return Timer.builder("holdfast.lock." + name)
        .description(description)
        .tags(tags)
        .withRegistry(registry);
  }

  private MeterProvider<Counter> counter(String name, String description) {
    return Counter.builder("holdfast.lock." + name)
        .description(description)
        .tags(tags)
        .withRegistry(registry);
  }
}
