package dev.holdfast.lock;

import dev.holdfast.lock.store.ReadResult;
import dev.holdfast.lock.store.Version;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Polls who leads, at a fixed rate, and reports each new leader once. Does not poll while this
 * process leads and was reported.
 */
final class LeaderWatch {
  private static final Duration INTERVAL = Duration.ofSeconds(1);
  private static final double JITTER = 0.1;

  private final Engine engine;
  private final String name;
  private final Supplier<@Nullable String> ownToken;
  private final Consumer<? super LockInfo> onNewLeader;
  private final BiConsumer<String, Throwable> report;

  private volatile boolean stopped;
  private volatile Scheduler.@Nullable Timer timer;

  // One look at a time.
  private volatile @Nullable String lastToken;
  private @Nullable Version lastVersion;

  /**
   * For one election.
   *
   * @param ownToken the token of the lease of this process; null if it does not lead
   */
  LeaderWatch(
      Engine engine,
      String name,
      Supplier<@Nullable String> ownToken,
      Consumer<? super LockInfo> onNewLeader,
      BiConsumer<String, Throwable> report) {
    this.engine = engine;
    this.name = name;
    this.ownToken = ownToken;
    this.onNewLeader = onNewLeader;
    this.report = report;
  }

  void start() {
    look();
  }

  void stop() {
    stopped = true;
    cancelTimer();
  }

  private void look() {
    if (isOwnKnown()) {
      lookLater();
    } else {
      CompletableFuture<ReadResult> answer = engine.read(name);
      var unused = answer.thenAccept(result -> engine.callbacks.execute(() -> seen(result)));
    }
  }

  /** A lease that was handed off in memory has the token of the record and a number. */
  private boolean isOwnKnown() {
    String own = ownToken.get();
    String last = lastToken;
    return own != null && last != null && (own.equals(last) || own.startsWith(last + "#"));
  }

  private void seen(ReadResult result) {
    if (stopped) {
      return;
    }
    if (result instanceof ReadResult.Found found && isNews(found)) {
      lastVersion = found.version();
      LockInfo info = LockInfo.of(found, engine.clocks.wallNow());
      if (!info.expired() && info.isHeld() && !info.token().equals(lastToken)) {
        lastToken = info.token();
        tell(info);
      }
    }
    lookLater();
  }

  /** Whether it is not what a copy says that lags behind. */
  private boolean isNews(ReadResult.Found found) {
    Version last = lastVersion;
    return last == null || !found.version().isOlderThan(last);
  }

  private void tell(LockInfo leader) {
    try {
      onNewLeader.accept(leader);
    } catch (Throwable e) {
      report.accept("onNewLeader failed", e);
    }
  }

  private void lookLater() {
    timer = engine.timers.schedule(this::look, engine.jittered(INTERVAL.toNanos(), JITTER));
    if (stopped) {
      cancelTimer();
    }
  }

  private void cancelTimer() {
    Scheduler.Timer armed = timer;
    if (armed != null) {
      armed.cancel();
    }
  }
}
