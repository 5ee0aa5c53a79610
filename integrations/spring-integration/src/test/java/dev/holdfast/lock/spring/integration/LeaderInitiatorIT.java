package dev.holdfast.lock.spring.integration;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.lock.LockManager;
import dev.holdfast.lock.LockOptions;
import dev.holdfast.testing.DocExample;
import dev.holdfast.testing.Jvm;
import dev.holdfast.testing.Poll;
import dev.holdfast.testing.TestIndex;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.context.annotation.AnnotationConfigApplicationContext;
import org.springframework.context.event.EventListener;
import org.springframework.integration.leader.DefaultCandidate;
import org.springframework.integration.leader.event.OnGrantedEvent;
import org.springframework.integration.leader.event.OnRevokedEvent;
import org.springframework.integration.support.leader.LockRegistryLeaderInitiator;

/** Leader election by Spring Integration on a real node. */
class LeaderInitiatorIT {
  private static final String LOCK_ID = "orders:leader";

  private final TestIndex index = new TestIndex();
  private final LockManager operator = index.manager();
  private final List<String> log = new CopyOnWriteArrayList<>();
  @TempDir Path folder;

  @AfterEach
  void closeIndex() {
    index.send("DELETE", "/holdfast-locks-1", "");
    index.close();
  }

  /** What happens in one application. */
  static class Events {
    private final String application;
    private final List<String> log;

    Events(String application, List<String> log) {
      this.application = application;
      this.log = log;
    }

    @EventListener
    public void granted(OnGrantedEvent event) {
      log.add(application + " granted");
    }

    @EventListener
    public void revoked(OnRevokedEvent event) {
      log.add(application + " revoked");
    }
  }

  private AnnotationConfigApplicationContext application(String name) {
    var options = LockOptions.defaults().withTtl(Duration.ofSeconds(3));
    var registry = new HoldfastLockRegistry(index.manager(), "orders", options);
    AnnotationConfigApplicationContext context = new AnnotationConfigApplicationContext();
    context.registerBean(Events.class, () -> new Events(name, log));
    context.registerBean(
        LockRegistryLeaderInitiator.class,
        () -> {
          var initiator =
              new LockRegistryLeaderInitiator(registry, new DefaultCandidate(name, "leader"));
          initiator.setHeartBeatMillis(100);
          initiator.setBusyWaitMillis(100);
          return initiator;
        });
    context.refresh();
    return context;
  }

  private static boolean leads(AnnotationConfigApplicationContext application) {
    return application.getBean(LockRegistryLeaderInitiator.class).getContext().isLeader();
  }

  private void await(String entry) {
    Poll.until(entry, () -> log.contains(entry));
  }

  @Test
  void leader_thatStops_isFollowedByTheOther() {
    var one = application("one");
    await("one granted");
    var two = application("two");
    try {
      // The other has made attempts, in vain.
      long begin = System.nanoTime();
      Poll.until("five heartbeats", () -> System.nanoTime() - begin > 500_000_000L);
      assertThat(leads(one)).isTrue();
      assertThat(leads(two)).isFalse();

      one.getBean(LockRegistryLeaderInitiator.class).stop();

      await("two granted");
      // It unlocks first and says so then.
      await("one revoked");
      assertThat(log).containsOnlyOnce("one granted", "one revoked", "two granted");
    } finally {
      one.close();
      two.close();
    }
    Poll.until("free", () -> operator.find(LOCK_ID).isEmpty());
  }

  @Test
  void leader_thatYields_isRevoked() {
    var one = application("one");
    try {
      await("one granted");
      one.getBean(LockRegistryLeaderInitiator.class).getContext().yield();
      await("one revoked");
      Poll.until("leads again", () -> Collections.frequency(log, "one granted") == 2);
    } finally {
      one.close();
    }
  }

  @Test
  void classPath_hasTheVersionThatIsMeant() {
    assertThat(LockRegistryLeaderInitiator.class.getProtectionDomain().getCodeSource().toString())
        .contains("-" + System.getProperty("holdfast.test.spring-integration") + ".jar");
  }

  /** An operator released its lock by force. */
  @Test
  void leader_thatLosesItsLock_isRevoked() {
    var one = application("one");
    try {
      await("one granted");
      assertThat(operator.forceRelease(LOCK_ID)).isTrue();
      await("one revoked");
      Poll.until("leads again", () -> Collections.frequency(log, "one granted") == 2);
      assertThat(log.subList(0, 3)).containsExactly("one granted", "one revoked", "one granted");
    } finally {
      one.close();
    }
  }

  /** The example of the documentation, run twice: one is killed, and the other takes over. */
  @Test
  @Tag("slow")
  void example_killed_isTakenOver() throws IOException, InterruptedException {
    List<String> command = DocExample.compiledInto(folder, "Spring Integration").command();
    try (Jvm one = Jvm.start(folder, index.node(), command)) {
      Poll.until("the first leads", () -> one.output().contains(one.pid() + " leads"));
      try (Jvm two = Jvm.start(folder, index.node(), command)) {
        Poll.until("the second runs", () -> two.output().contains(two.pid() + " started"));
        assertThat(two.output()).doesNotContain("leads");

        one.kill();

        Poll.until("the second leads", () -> two.output().contains(two.pid() + " leads"));
        assertThat(two.output()).doesNotContain("Exception");
      }
    }
  }
}
