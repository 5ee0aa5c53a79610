package dev.holdfast.lock.micrometer;

import dev.holdfast.lock.FencingToken;
import dev.holdfast.lock.LeaseLostException;
import dev.holdfast.lock.LockInfo;
import dev.holdfast.lock.LockListener;
import dev.holdfast.lock.ReleaseResult;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.time.Duration;
import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * Counts and times what happens to locks. Lock ids are not tags: there may be any number of them.
 * Thread-safe.
 *
 * <p>Meters: timers {@code holdfast.lock.acquire} (tag {@code result}: {@code acquired}, {@code
 * contended}, {@code unavailable}), {@code holdfast.lock.renew}, {@code holdfast.lock.held} (tag
 * {@code result}: that of the release); counters {@code holdfast.lock.waiting}, {@code
 * holdfast.lock.takeover}, {@code holdfast.lock.renew.failed}, {@code holdfast.lock.lost}.
 */
public final class MicrometerLockListener implements LockListener {
  private final Timer acquired;
  private final Timer contended;
  private final Timer unavailable;
  private final Timer renewed;
  private final Map<ReleaseResult, Timer> held = new EnumMap<>(ReleaseResult.class);
  private final Counter waiting;
  private final Counter takenOver;
  private final Counter renewalFailed;
  private final Counter lost;

  /** Registers the meters. */
  public MicrometerLockListener(MeterRegistry registry) {
    acquired = acquire(registry, "acquired");
    contended = acquire(registry, "contended");
    unavailable = acquire(registry, "unavailable");
    renewed =
        Timer.builder("holdfast.lock.renew")
            .description("From the sending of a renewal to its acknowledgement")
            .register(registry);
    for (ReleaseResult result : ReleaseResult.values()) {
      held.put(
          result,
          Timer.builder("holdfast.lock.held")
              .description("From the grant of a lock to its release")
              .tag("result", result.name().toLowerCase(Locale.ROOT))
              .register(registry));
    }
    waiting = counter(registry, "waiting", "Acquisitions that found the lock held and waited");
    takenOver = counter(registry, "takeover", "Locks taken over from a holder that had expired");
    renewalFailed = counter(registry, "renew.failed", "Renewals that were not acknowledged");
    lost = counter(registry, "lost", "Leases lost before their release");
  }

  private static Timer acquire(MeterRegistry registry, String result) {
    return Timer.builder("holdfast.lock.acquire")
        .description("From the call to its outcome")
        .tag("result", result)
        .register(registry);
  }

  private static Counter counter(MeterRegistry registry, String name, String description) {
    return Counter.builder("holdfast.lock." + name).description(description).register(registry);
  }

  @Override
  public void acquired(String lockId, FencingToken fencingToken, Duration waited) {
    acquired.record(waited);
  }

  @Override
  public void takenOver(String lockId, LockInfo previous) {
    takenOver.increment();
  }

  @Override
  public void contended(String lockId, Optional<LockInfo> holder, Duration waited) {
    contended.record(waited);
  }

  @Override
  public void unavailable(String lockId, Throwable cause, Duration waited) {
    unavailable.record(waited);
  }

  @Override
  public void waiting(String lockId, Optional<LockInfo> holder) {
    waiting.increment();
  }

  @Override
  public void renewed(String lockId, Duration took) {
    renewed.record(took);
  }

  @Override
  public void renewalFailed(String lockId, Throwable cause, Duration remaining) {
    renewalFailed.increment();
  }

  @Override
  public void lost(String lockId, LeaseLostException loss) {
    lost.increment();
  }

  @Override
  public void released(String lockId, ReleaseResult result, Duration duration) {
    Timer timer = held.get(result);
    if (timer != null) {
      timer.record(duration);
    }
  }
}
