package dev.holdfast.lock;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/**
 * What a thread has while it runs bodies; how it is interrupted is in {@link InjectedPartsTest}.
 */
class BodyThreadTest {
  private static BodyThread enter() {
    BodyThread thread = BodyThread.enter();
    int taken = thread.begin();
    assertThat(taken).isZero();
    return thread;
  }

  private static void exit(BodyThread thread) {
    thread.exit(false, 0, null);
  }

  @Test
  void bodies_oneInAnother_shareOne_andTheOutermostLeavesNothing() {
    BodyThread outer = enter();
    for (int i = 0; i < 2; i++) {
      BodyThread inner = enter();
      assertThat(inner).isSameAs(outer);
      exit(inner);
    }
    exit(outer);

    BodyThread next = enter();
    assertThat(next).as("kept by a thread that runs no body").isNotSameAs(outer);
    exit(next);
  }
}
