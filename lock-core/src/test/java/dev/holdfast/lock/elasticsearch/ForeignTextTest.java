package dev.holdfast.lock.elasticsearch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.holdfast.lock.Lease;
import dev.holdfast.lock.LeaseLostException;
import dev.holdfast.lock.LockAcquisitionException;
import dev.holdfast.lock.LockException;
import dev.holdfast.lock.LockInfo;
import dev.holdfast.lock.LockManager;
import dev.holdfast.lock.LockOptions;
import dev.holdfast.lock.LockStoreUnavailableException;
import dev.holdfast.lock.elasticsearch.HttpFront.Reply;
import dev.holdfast.lock.internal.Texts;
import dev.holdfast.lock.memory.InMemoryLockStore;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What comes from outside, in exceptions: it can be written, and it is shown escaped. */
@Timeout(120)
class ForeignTextTest {
  private static final String HIDDEN = "\r\nERROR forged \u001b[2J\u202e\u2028";
  private static final String SHOWN = "\\r\\nERROR forged \\u001b[2J\\u202e\\u2028";
  private static final String ID = "job" + HIDDEN;

  private static <T extends Throwable> T written(T failure) {
    try {
      ByteArrayOutputStream bytes = new ByteArrayOutputStream();
      try (ObjectOutputStream out = new ObjectOutputStream(bytes)) {
        out.writeObject(failure);
      }
      try (ObjectInputStream in =
          new ObjectInputStream(new ByteArrayInputStream(bytes.toByteArray()))) {
        @SuppressWarnings("unchecked")
        T read = (T) in.readObject();
        return read;
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (ClassNotFoundException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Everything that is printed of it is there again. */
  private static <T extends LockException> T assertThatItCanBeWritten(T failure) {
    T read = written(failure);
    assertThat(read).hasSameClassAs(failure);
    assertThat(read.lockId()).isEqualTo(failure.lockId());
    assertThat(read.getStackTrace()).isEqualTo(failure.getStackTrace());
    assertThat(read.getSuppressed()).hasSameSizeAs(failure.getSuppressed());
    @Nullable Throwable before = failure;
    @Nullable Throwable after = read;
    while (before != null && after != null) {
      assertThat(after).hasToString(before.toString());
      before = before.getCause();
      after = after.getCause();
    }
    assertThat(after).isNull();
    assertThat(before).isNull();
    return read;
  }

  /** Nothing of it, nor of its causes, shows anything but what is displayed. */
  private static void assertThatItIsPrintable(Throwable failure) {
    for (Throwable t = failure; t != null; t = t.getCause()) {
      assertThat(Texts.isPrintable(t.toString())).as(Texts.printable(t)).isTrue();
      for (Throwable suppressed : t.getSuppressed()) {
        assertThatItIsPrintable(suppressed);
      }
    }
  }

  static Stream<Reply> failures() {
    return Stream.of(
        HttpFront.error(400, "illegal_argument_exception", "no" + jsonEscaped(HIDDEN)),
        HttpFront.error(403, "cluster_block_exception", "blocked"),
        HttpFront.error(429, "rejected" + jsonEscaped(HIDDEN), "busy"),
        HttpFront.error(503, "unavailable_shards_exception", "red"),
        HttpFront.html(413),
        HttpFront.html(502),
        HttpFront.html(200),
        HttpFront.json(200, "{{"),
        HttpFront.json(200, ""),
        HttpFront.json(301, ""),
        new Reply.Reset(),
        new Reply.Raw(out -> out.write("HTTP/1.1 20".getBytes(StandardCharsets.US_ASCII))));
  }

  private static String jsonEscaped(String text) {
    return text.replace("\r", "\\r").replace("\n", "\\n").replace("\u001b", "\\u001b");
  }

  @ParameterizedTest
  @MethodSource("failures")
  void failureOfTheStore_canBeWritten_andIsPrintable(Reply failure) {
    try (HttpFront server = HttpFront.alone(request -> failure);
        ElasticsearchLockStore store = ElasticsearchLockStore.builder(server.url()).build();
        LockManager locks = LockManager.create(store)) {
      for (boolean indexIsFound : new boolean[] {false, true}) {
        server.script(request -> request.isIndex() && indexIsFound ? Answers.INDEX : failure);
        for (ThrowingCallable call :
            List.<ThrowingCallable>of(
                () -> locks.tryAcquire(ID), () -> locks.find(ID), locks::list)) {
          LockStoreUnavailableException thrown =
              catchThrowableOfType(LockStoreUnavailableException.class, call);

          LockStoreUnavailableException read = assertThatItCanBeWritten(thrown);

          assertThat(read.isRetryable()).isEqualTo(thrown.isRetryable());
          assertThatItIsPrintable(thrown);
        }
      }
    }
  }

  @Test
  void failureWhoseCauseCannotBeWritten_isWrittenWithAStandIn() {
    class Unwritable extends RuntimeException {
      private static final long serialVersionUID = 1L;

      @SuppressWarnings({"unused", "serial"})
      private final Object held = new Object();

      Unwritable(String message, Throwable cause) {
        super(message, cause);
      }
    }
    try (LockManager locks = LockManager.create(new InMemoryLockStore())) {
      LeaseLostException lost =
          catchThrowableOfType(
              LeaseLostException.class,
              () ->
                  locks.withLock(
                      ID,
                      () -> {
                        assertThat(locks.forceRelease(ID)).isTrue();
                        IllegalStateException cause = new IllegalStateException("inner");
                        Unwritable failure = new Unwritable("outer", cause);
                        // A circle, which some libraries make.
                        cause.addSuppressed(failure);
                        throw failure;
                      }));

      LeaseLostException read = written(lost);

      assertThat(read.getCause()).hasToString(String.valueOf(lost.getCause()));
      assertThat(read.getCause()).cause().hasMessage("inner");
      assertThat(read.getSuppressed()).hasSize(1);
      assertThat(read.getSuppressed()[0]).isInstanceOf(LeaseLostException.class);
      assertThatItIsPrintable(read);
      assertThat(read.getMessage()).contains(SHOWN);
    }
  }

  @Test
  void contention_canBeWritten_withItsHolder_andShowsItsIdAndOwnerEscaped() throws Exception {
    InMemoryLockStore store = new InMemoryLockStore();
    try (LockManager holder = LockManager.builder(store).owner("o" + HIDDEN).build();
        LockManager other = LockManager.create(store)) {
      Lease held =
          holder
              .tryAcquire(
                  ID,
                  LockOptions.defaults()
                      .withMetadata(Map.of("a", List.of(1, Map.of("b", 2.5)), "c", HIDDEN)))
              .orElseThrow();

      LockAcquisitionException thrown =
          catchThrowableOfType(LockAcquisitionException.class, () -> other.acquire(ID));

      LockAcquisitionException read = assertThatItCanBeWritten(thrown);
      LockInfo info = thrown.holder().orElseThrow();
      assertThat(read.holder()).contains(info);
      assertThat(thrown.lockId()).isEqualTo(ID);
      assertThat(thrown.getMessage()).contains("job" + SHOWN).contains("o" + SHOWN);
      assertThat(Texts.isPrintable(info.toString())).isTrue();
      assertThatItIsPrintable(thrown);
      assertThat(held.isHeld()).isTrue();
    }
  }

  @Test
  void logLines_showIdsAndOwnersEscaped() throws Exception {
    InMemoryLockStore store = new InMemoryLockStore();
    try (LogCapture logs = LogCapture.ofHoldfast();
        LockManager locks = LockManager.builder(store).owner("o" + HIDDEN).build();
        LockManager other = LockManager.create(store)) {
      Lease renewed = locks.acquire(ID);
      assertThat(renewed.renew()).isTrue();
      assertThat(other.tryAcquire(ID)).isEmpty();
      renewed.close();
      LockOptions brief = LockOptions.defaults().withTtl(Duration.ofMillis(300));
      Lease lost = locks.acquire(ID, brief.withAutoRenew(false));
      Poll.until("it has ended", () -> !lost.isHeld());
      other.acquire(ID, brief.withWaitTimeout(Duration.ofSeconds(10))).close();
      Lease forced = locks.acquire(ID);
      assertThat(locks.forceRelease(ID)).isTrue();
      Poll.until("it was lost", () -> !forced.isHeld());

      assertThat(logs.lines())
          .anyMatch(line -> line.startsWith("WARN") && line.contains("lost"))
          .anyMatch(line -> line.contains("taken over from o" + SHOWN))
          .allMatch(Texts::isPrintable);
    }
  }

  @Test
  void lockIdThatIsRefused_isShownEscaped() {
    try (LockManager locks = LockManager.create(new InMemoryLockStore())) {
      assertThat(
              catchThrowableOfType(
                  IllegalArgumentException.class, () -> locks.tryAcquire("\n\r\u2028")))
          .hasMessageContaining("\\n\\r\\u2028");
      assertThat(
              catchThrowableOfType(
                  IllegalArgumentException.class, () -> locks.find(ID + "x".repeat(600))))
          .hasMessageContaining("job\\r\\nERROR forged");
    }
  }
}
