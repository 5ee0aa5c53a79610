package dev.holdfast.lock;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Events for listeners, in their order, on an executor. */
class EventDispatchTest {
  private final Events told = new Events();
  private final List<Runnable> tasks = new ArrayList<>();
  private boolean rejects;

  private final EventDispatch events =
      new EventDispatch(
          List.of(told),
          task -> {
            if (rejects) {
              throw new OutOfMemoryError("no thread");
            }
            tasks.add(task);
          });

  private void tell(int number) {
    events.tell(listener -> listener.renewed("x" + number, Duration.ZERO));
  }

  private void runAll() {
    while (!tasks.isEmpty()) {
      tasks.remove(0).run();
    }
  }

  @Test
  void events_areToldInOrder_byOneTask() {
    tell(1);
    tell(2);
    assertThat(tasks).hasSize(1);
    runAll();
    tell(3);
    runAll();

    assertThat(told.all()).containsExactly("renewed x1", "renewed x2", "renewed x3");
  }

  @Test
  void events_forWhichThereWasNoThread_areToldWithTheNext() {
    rejects = true;
    assertThatThrownBy(() -> tell(1)).isInstanceOf(OutOfMemoryError.class);
    rejects = false;
    tell(2);
    runAll();

    assertThat(told.all()).containsExactly("renewed x1", "renewed x2");
  }

  @Test
  void events_ofAListenerThatThrows_goOn() {
    events.tell(
        listener -> {
          throw new IllegalStateException("a bug in a listener");
        });
    tell(1);
    runAll();

    assertThat(told.all()).containsExactly("renewed x1");
  }
}
