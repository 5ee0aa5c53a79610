package dev.holdfast.bench.scenarios;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(120)
class LoadTest {
  @Test
  void calls_areMadeByAllThreads_andCounted() throws Exception {
    ConcurrentHashMap<Integer, AtomicLong> calls = new ConcurrentHashMap<>();
    CountDownLatch all = new CountDownLatch(3);
    Load load =
        new Load(
            3,
            number -> {
              calls.put(number, new AtomicLong());
              return () -> {
                if (calls.get(number).incrementAndGet() == 2) {
                  all.countDown();
                }
              };
            });
    try (load) {
      all.await();
    }
    assertThat(calls).containsOnlyKeys(0, 1, 2);
    assertThat(load.done()).isEqualTo(calls.values().stream().mapToLong(AtomicLong::get).sum());
  }

  @Test
  void perSecond_ofCallsThatSleep_isNoMoreThanTheirSleepAllows() throws Exception {
    try (Load load = new Load(2, number -> () -> Thread.sleep(10))) {
      double rate;
      do {
        rate = load.perSecond(Duration.ofMillis(500));
        // In each thread one more may return that began before.
        assertThat(rate).isLessThanOrEqualTo(205);
      } while (rate == 0); // on a machine that stalls
    }
  }

  @Test
  void callsThatThrow_areAllToldOnClose_whenTheOtherThreadsHaveEnded() throws Exception {
    CountDownLatch called = new CountDownLatch(3);
    AtomicLong underWay = new AtomicLong();
    Load load =
        new Load(
            3,
            number ->
                () -> {
                  called.countDown();
                  if (number < 2) {
                    throw new IllegalStateException("trouble " + number);
                  }
                  underWay.incrementAndGet();
                  Thread.sleep(50);
                  underWay.decrementAndGet();
                });
    called.await();

    assertThatThrownBy(load::close)
        .hasRootCauseMessage("trouble 0")
        .satisfies(
            e -> assertThat(e.getSuppressed()).singleElement().asString().contains("trouble 1"));
    assertThat(underWay).hasValue(0);
  }
}
