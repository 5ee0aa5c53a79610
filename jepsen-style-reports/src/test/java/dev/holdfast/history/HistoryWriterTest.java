package dev.holdfast.history;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HistoryWriterTest {

  @TempDir Path folder;

  private final AtomicLong clock = new AtomicLong(1000);

  @Test
  void recorder_callsAndNotices_areLinesWithoutIndex() throws IOException {
    Path file = folder.resolve("c1.edn");
    try (HistoryWriter writer = HistoryWriter.create(file, clock::incrementAndGet)) {
      HistoryWriter.Recorder worker = writer.recorder();
      worker.invoke("acquire", Map.of("lock", "a", "client", "c1")).ok(Map.of("fence", 7));
      writer.notice("lost", Map.of("lock", "a", "client", "c1", "fence", 7));
      worker.invoke("write", Map.of("fence", 7)).fail("stale");
      writer.nemesis("stop-partition", Map.of("target", "n1"));
    }
    assertThat(file)
        .hasContent(
            """
            {:time 1001, :type :invoke, :process 0, :f :acquire, :value {:lock "a", :client "c1"}}
            {:time 1002, :type :ok, :process 0, :f :acquire, :value {:lock "a", :client "c1", :fence 7}}
            {:time 1003, :type :info, :process 1, :f :lost, :value {:lock "a", :client "c1", :fence 7}}
            {:time 1004, :type :invoke, :process 0, :f :write, :value {:fence 7}}
            {:time 1005, :type :fail, :process 0, :f :write, :value {:fence 7}, :error "stale"}
            {:time 1006, :type :info, :process :nemesis, :f :stop-partition, :value {:target "n1"}}
            """);
  }

  @Test
  void recorder_afterInfo_goesOnUnderAFreshProcess() throws IOException {
    Path file = folder.resolve("c1.edn");
    try (HistoryWriter writer = HistoryWriter.create(file, clock::incrementAndGet, 2, 10)) {
      HistoryWriter.Recorder one = writer.recorder();
      HistoryWriter.Recorder other = writer.recorder();
      one.invoke("acquire", Map.of()).info("timeout");
      one.invoke("acquire", Map.of()).info(Map.of("seen", 1), "timeout");
      one.invoke("acquire", Map.of()).ok();
      other.invoke("acquire", Map.of()).ok();
    }
    assertThat(HistoryReader.read(file))
        .extracting(Operation::process)
        .containsExactly(2L, 2L, 22L, 22L, 32L, 32L, 12L, 12L);
  }

  @Test
  void recorder_twoThingsAtOnce_isRefused() {
    List<Operation> all = new ArrayList<>();
    HistoryWriter writer = HistoryWriter.into(all::add, clock::incrementAndGet);
    HistoryWriter.Recorder worker = writer.recorder();
    HistoryWriter.Recorder.Invocation first = worker.invoke("acquire", Map.of());
    assertThatThrownBy(() -> worker.invoke("renew", Map.of()))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("still busy with acquire");
    first.ok();
    assertThatThrownBy(first::ok).isInstanceOf(IllegalStateException.class);
    assertThat(all)
        .extracting(Operation::type)
        .containsExactly(Operation.Type.INVOKE, Operation.Type.OK);
  }

  @Test
  void write_onAnInterruptedThread_isWrittenAndStaysInterrupted() throws IOException {
    Path file = folder.resolve("c1.edn");
    try (HistoryWriter writer = HistoryWriter.create(file, System::nanoTime)) {
      Thread.currentThread().interrupt();
      writer.recorder().invoke("release", Map.of()).ok();
      assertThat(Thread.interrupted()).isTrue();
      writer.recorder().invoke("acquire", Map.of()).ok();
    }
    assertThat(HistoryReader.read(file)).hasSize(4);
  }

  @Test
  void write_manyThreads_linesAreWholeAndInOrderOfTime() throws Exception {
    Path file = folder.resolve("c1.edn");
    List<Thread> threads = new ArrayList<>();
    try (HistoryWriter writer = HistoryWriter.create(file, System::nanoTime)) {
      for (int i = 0; i < 8; i++) {
        HistoryWriter.Recorder worker = writer.recorder();
        threads.add(
            new Thread(
                () -> {
                  for (int n = 0; n < 250; n++) {
                    worker.invoke("acquire", Map.of("n", n)).ok();
                  }
                }));
      }
      threads.forEach(Thread::start);
      for (Thread thread : threads) {
        thread.join();
      }
    }
    History history = History.of(HistoryReader.read(file));
    assertThat(history.calls()).hasSize(2000).allMatch(Call::isOk);
  }

  @Test
  void read_fileCutAnywhere_isThePrefixOfItsWholeLines() throws IOException {
    Path file = folder.resolve("c1.edn");
    try (HistoryWriter writer = HistoryWriter.create(file, clock::incrementAndGet)) {
      HistoryWriter.Recorder worker = writer.recorder();
      worker.invoke("acquire", Map.of("lock", "ü😀\n")).ok(Map.of("fence", 7));
      worker.invoke("release", Map.of("lock", "a")).ok();
    }
    byte[] whole = Files.readAllBytes(file);
    List<Operation> all = HistoryReader.read(file);
    Path cut = folder.resolve("cut.edn");
    for (int length = 0; length <= whole.length; length++) {
      byte[] part = Arrays.copyOf(whole, length);
      Files.write(cut, part);
      int complete = 0;
      for (int i = 0; i < whole.length; i++) {
        complete += whole[i] == '\n' && i <= length ? 1 : 0; // the line break itself may be missing
      }
      List<Operation> read = HistoryReader.read(cut);
      assertThat(read).as("cut at " + length).isEqualTo(all.subList(0, complete));
      History.of(read);
    }
  }

  @Test
  void create_fileThatExists_isRefused() throws IOException {
    Path file = Files.createFile(folder.resolve("c1.edn"));
    assertThatThrownBy(() -> HistoryWriter.create(file, clock::get))
        .isInstanceOf(FileAlreadyExistsException.class);
  }

  @Test
  void write_afterClose_isRefused() throws IOException {
    HistoryWriter writer = HistoryWriter.create(folder.resolve("c1.edn"), clock::get);
    writer.close();
    writer.close();
    assertThatThrownBy(() -> writer.nemesis("kill", Map.of()))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("closed");
  }
}
