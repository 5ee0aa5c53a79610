package dev.holdfast.lock.micrometer;

import dev.holdfast.lock.FencingToken;
import dev.holdfast.lock.LeaseLostException;
import dev.holdfast.lock.LockInfo;
import dev.holdfast.lock.LockListener;
import dev.holdfast.lock.LockManagerStats;
import dev.holdfast.lock.ReleaseResult;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tag;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.binder.MeterBinder;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Metrics of lock managers. It is a listener of the managers and a binder for meter registries, in
 * any order:
 *
 * <pre>{@code
 * LockManager locks =
 *     LockManager.builder(store).listener(HoldfastMetrics.boundTo(meterRegistry)).build();
 * }</pre>
 *
 * <table>
 *   <caption>Meters</caption>
 *   <tr><th>name</th><th>type</th><th>tag</th></tr>
 *   <tr><td>{@code holdfast.locks.held}</td><td>gauge</td><td></td></tr>
 *   <tr><td>{@code holdfast.locks.waiting}</td><td>gauge</td><td></td></tr>
 *   <tr><td>{@code holdfast.locks.lingering}</td><td>gauge</td><td></td></tr>
 *   <tr><td>{@code holdfast.locks.cleanups}</td><td>gauge</td><td></td></tr>
 *   <tr><td>{@code holdfast.lock.acquire}</td><td>timer</td><td>{@code outcome}: {@code acquired},
 *       {@code contended}, {@code unavailable}</td></tr>
 *   <tr><td>{@code holdfast.lock.usage}</td><td>timer</td><td>{@code outcome}: {@code released},
 *       {@code not_held}, {@code unconfirmed}, {@code lost}</td></tr>
 *   <tr><td>{@code holdfast.lock.renew}</td><td>timer</td><td>{@code outcome}: {@code renewed},
 *       {@code failed}</td></tr>
 *   <tr><td>{@code holdfast.lock.lost}</td><td>counter</td><td>{@code reason}: a {@link
 *       LeaseLostException.Reason} in lower case</td></tr>
 *   <tr><td>{@code holdfast.lock.takeovers}</td><td>counter</td><td></td></tr>
 *   <tr><td>{@code holdfast.lock.events.dropped}</td><td>counter</td><td></td></tr>
 * </table>
 *
 * <p>{@code docs/operations.md} says what each meter means, and when to alert.
 *
 * <p>One instance may serve several managers; its gauges are sums then. To tell managers apart, use
 * an instance for each, with different {@linkplain Builder#tags tags}. The gauges keep no manager
 * alive, and those of a manager that was closed are 0. Events before the first {@link #bindTo} are
 * not counted. Thread-safe.
 */
public final class HoldfastMetrics implements MeterBinder, LockListener {
  private final Tags tags;
  private final @Nullable Function<String, String> lockTag;
  private final AttachedManagers managers = new AttachedManagers();

  /** One for each registry. */
  private final List<LockMeters> bound = new CopyOnWriteArrayList<>();

  private HoldfastMetrics(Builder builder) {
    this.tags = builder.tags;
    this.lockTag = builder.lockTag;
  }

  /** Metrics with default settings, bound to that registry. */
  public static HoldfastMetrics boundTo(MeterRegistry registry) {
    HoldfastMetrics metrics = builder().build();
    metrics.bindTo(registry);
    return metrics;
  }

  /** For metrics with other settings. */
  public static Builder builder() {
    return new Builder();
  }

  /** Registers the meters. Again does nothing. */
  @Override
  public synchronized void bindTo(MeterRegistry registry) {
    Objects.requireNonNull(registry, "registry");
    if (bound.stream().noneMatch(meters -> meters.isOf(registry))) {
      bound.add(new LockMeters(registry, tags, lockTag, managers));
    }
  }

  private void record(Consumer<LockMeters> event) {
    bound.forEach(event);
  }

  @Override
  public void attached(Supplier<LockManagerStats> stats) {
    managers.add(stats);
  }

  @Override
  public void acquired(String lockId, FencingToken fencingToken, Duration waited) {
    record(meters -> meters.acquire(lockId, "acquired", waited));
  }

  @Override
  public void contended(String lockId, Optional<LockInfo> holder, Duration waited) {
    record(meters -> meters.acquire(lockId, "contended", waited));
  }

  @Override
  public void unavailable(String lockId, Throwable cause, Duration waited) {
    record(meters -> meters.acquire(lockId, "unavailable", waited));
  }

  @Override
  public void takenOver(String lockId, LockInfo previous) {
    record(meters -> meters.takeover(lockId));
  }

  @Override
  public void renewed(String lockId, Duration took) {
    record(meters -> meters.renew(lockId, "renewed", took));
  }

  @Override
  public void renewalFailed(String lockId, Throwable cause, Duration took, Duration remaining) {
    record(meters -> meters.renew(lockId, "failed", took));
  }

  @Override
  public void lost(String lockId, LeaseLostException loss, Duration held) {
    record(meters -> meters.lost(lockId, loss.reason(), held));
  }

  @Override
  public void released(String lockId, ReleaseResult result, Duration held) {
    record(meters -> meters.released(lockId, result, held));
  }

  /** Settings of {@link HoldfastMetrics}. Not thread-safe. */
  public static final class Builder {
    private Tags tags = Tags.empty();
    private @Nullable Function<String, String> lockTag;

    private Builder() {}

    /** Adds tags to all meters. */
    public Builder tags(Iterable<? extends Tag> tags) {
      this.tags = this.tags.and(tags);
      return this;
    }

    /**
     * Adds the tag {@code lock} to the timers and to the counters of losses and takeovers. By
     * default there is none.
     *
     * <p>Each value makes up to 17 meters in each process, for the life of the registry. Do not
     * return the lock's id where ids are made of data, such as {@code import-4711}: map it to one
     * of a few names, such as {@code import}.
     *
     * @param lockTag the value for a lock id; thread-safe, and never blocks
     */
    public Builder lockTag(Function<String, String> lockTag) {
      this.lockTag = Objects.requireNonNull(lockTag, "lockTag");
      return this;
    }

    /** The metrics, which are bound to no registry yet. */
    public HoldfastMetrics build() {
      return new HoldfastMetrics(this);
    }
  }
}
