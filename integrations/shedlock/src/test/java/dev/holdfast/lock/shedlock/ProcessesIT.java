package dev.holdfast.lock.shedlock;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.testing.DocExample;
import dev.holdfast.testing.Jvm;
import dev.holdfast.testing.Poll;
import dev.holdfast.testing.TestIndex;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Processes that exclude each other: JVMs of their own, one of which is killed. */
class ProcessesIT {
  private final TestIndex index = new TestIndex();
  @TempDir Path folder;

  @AfterEach
  void closeIndex() {
    index.send("DELETE", "/holdfast-locks-1", "");
    index.close();
  }

  private Jvm lockOnce(Duration atLeast) throws IOException {
    return Jvm.start(
        folder,
        index.node(),
        List.of(
            "-cp",
            System.getProperty("java.class.path"),
            LockOnce.class.getName(),
            "PT5M",
            atLeast.toString()));
  }

  /** A job that ends at once does not run again in a process that starts it a little later. */
  @Test
  void lockAtLeastFor_bindsOtherProcesses_afterTheEndOfTheFirst() throws Exception {
    Duration atLeast = Duration.ofSeconds(6);
    long begin = System.nanoTime();
    assertThat(lockOnce(atLeast).end()).contains("locked");
    long released = System.nanoTime();

    String second = lockOnce(Duration.ZERO).end();
    boolean inTime = LockProviderContract.elapsed(begin).compareTo(atLeast) < 0;
    assertThat(second.contains("held by another") || !inTime).as(second).isTrue();

    while (!second.contains("locked")) {
      assertThat(LockProviderContract.elapsed(released)).isLessThan(Duration.ofSeconds(90));
      second = lockOnce(Duration.ZERO).end();
    }
    assertThat(LockProviderContract.elapsed(begin)).isGreaterThan(atLeast);
  }

  /** The example of the documentation, run twice: one is killed, and the other takes over. */
  @Test
  @Tag("slow")
  void example_killed_isTakenOver() throws Exception {
    List<String> command = DocExample.compiledInto(folder, "ShedLock").command();
    try (Jvm one = Jvm.start(folder, index.node(), command)) {
      Poll.until("the first has the lock", () -> one.output().contains(one.pid() + " works"));
      try (Jvm two = Jvm.start(folder, index.node(), command)) {
        Poll.until("the second runs", () -> two.output().contains(two.pid() + " started"));
        assertThat(two.output()).doesNotContain("works");

        one.kill();

        Poll.until("the second works", () -> two.output().contains(two.pid() + " works"));
        assertThat(two.output()).doesNotContain("Exception");
      }
    }
  }
}
