package dev.holdfast.badexamples;

import java.time.Clock;
import java.time.Instant;
import java.time.InstantSource;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.util.Date;
import java.util.Random;
import java.util.Timer;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/** Each method does one thing that a simulator could not control. Never run. */
public final class EngineThatAsksTheWorld {
  private EngineThatAsksTheWorld() {}

  static long monotonicClock() {
    return System.nanoTime();
  }

  static LongSupplier monotonicClockByReference() {
    return System::nanoTime;
  }

  static long wallClock() {
    return System.currentTimeMillis();
  }

  static Instant instant() {
    return Instant.now();
  }

  static LocalDateTime localTime() {
    return LocalDateTime.now(ZoneId.of("UTC"));
  }

  @SuppressWarnings("JavaUtilDate") // It is the bad example.
  static Date date() {
    return new Date();
  }

  static Clock clock() {
    return Clock.systemUTC();
  }

  static InstantSource instantSource() {
    return InstantSource.system();
  }

  static Random random() {
    return new Random();
  }

  static double mathRandom() {
    return Math.random();
  }

  static int threadLocalRandom() {
    return ThreadLocalRandom.current().nextInt();
  }

  static UUID uuid() {
    return UUID.randomUUID();
  }

  static void sleep() throws InterruptedException {
    Thread.sleep(1);
  }

  static Thread thread() {
    return new Thread(() -> {});
  }

  static Executor executors() {
    return Executors.newCachedThreadPool();
  }

  static Executor pool() {
    return new ThreadPoolExecutor(1, 1, 1, TimeUnit.SECONDS, new LinkedBlockingQueue<>());
  }

  static Timer timer() {
    return new Timer();
  }

  static CompletableFuture<String> timeout(CompletableFuture<String> future) {
    return future.orTimeout(1, TimeUnit.SECONDS);
  }

  static CompletableFuture<String> commonPool() {
    return CompletableFuture.supplyAsync(() -> "");
  }

  static CompletableFuture<String> commonPoolLater(CompletableFuture<String> future) {
    return future.thenApplyAsync(text -> text);
  }
}
