package dev.holdfast.bench;

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
                return number;
              };
            });
    try (load) {
      all.await();
      assertThat(load.perSecond(Duration.ofMillis(50))).isPositive();
    }
    assertThat(calls).containsOnlyKeys(0, 1, 2);
    assertThat(load.done()).isEqualTo(calls.values().stream().mapToLong(AtomicLong::get).sum());
  }

  @Test
  void callThatThrows_isToldOnClose() throws Exception {
    IllegalStateException trouble = new IllegalStateException("trouble");
    CountDownLatch called = new CountDownLatch(1);
    Load load =
        new Load(
            1,
            number ->
                () -> {
                  called.countDown();
                  throw trouble;
                });
    called.await();

    assertThatThrownBy(load::close).hasCause(trouble);
    assertThat(load.done()).isZero();
  }
}
