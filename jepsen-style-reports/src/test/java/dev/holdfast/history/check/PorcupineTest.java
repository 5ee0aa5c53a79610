package dev.holdfast.history.check;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.holdfast.history.Call;
import dev.holdfast.history.History;
import dev.holdfast.history.Operation;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The search beside Porcupine's, on random histories, by models that are written in Go. The program
 * is built from {@code src/test/go/porcupine}, as {@code .ci/run} does where there is Go, and named
 * by the system property {@code holdfast.test.porcupine}; without it this is skipped.
 */
class PorcupineTest {

  private static final int HISTORIES = 5_000;
  private static final Duration LIMIT = Duration.ofMinutes(1);
  private static final String PROGRAM = System.getProperty("holdfast.test.porcupine", "");

  @TempDir Path folder;

  @BeforeEach
  void needsTheProgram() {
    assumeTrue(
        !PROGRAM.isEmpty() && Files.isExecutable(Path.of(PROGRAM)),
        "-Dholdfast.test.porcupine names no program built from src/test/go/porcupine");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "mutex",
        "owner-mutex",
        "reentrant-mutex:2",
        "fenced-mutex",
        "semaphore:2",
        "lease",
        "register",
        "cas-register"
      })
  void check_randomHistories_agreesWithPorcupine(String model)
      throws IOException, InterruptedException {
    SplittableRandom random = new SplittableRandom(31L * model.hashCode());
    List<History> histories = new ArrayList<>();
    List<String> lines = new ArrayList<>();
    List<String> ours = new ArrayList<>();
    while (ours.size() < HISTORIES) {
      boolean isShared = model.equals("lease") && random.nextBoolean();
      History history =
          isShared ? EveryOrderTest.shared(random) : EveryOrderTest.random(random, model);
      Verdict verdict = new LinearizabilityChecker(model, LIMIT).check(history).verdict();
      // Porcupine knows no order of one process at one time.
      if (verdict != Verdict.UNKNOWN && !hasCallsAtOnce(history)) {
        histories.add(history);
        lines.add(json(model, history));
        ours.add(verdict.text());
      }
    }
    List<String> theirs = porcupine(lines);
    assertThat(theirs).hasSameSizeAs(ours);
    for (int i = 0; i < HISTORIES; i++) {
      assertThat(ours.get(i))
          .as("%s", EveryOrderTest.written(histories.get(i)))
          .isEqualTo(theirs.get(i));
    }
    assertThat(theirs).contains("valid", "invalid");
  }

  private List<String> porcupine(List<String> lines) throws IOException, InterruptedException {
    Path in = Files.write(folder.resolve("histories"), lines);
    Path out = folder.resolve("verdicts");
    Process process =
        new ProcessBuilder(PROGRAM)
            .redirectInput(in.toFile())
            .redirectOutput(out.toFile())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    try {
      assertThat(process.waitFor(5, TimeUnit.MINUTES)).as("it ended").isTrue();
      assertThat(process.exitValue()).isZero();
    } finally {
      process.destroyForcibly();
    }
    return Files.readAllLines(out);
  }

  private static boolean hasCallsAtOnce(History history) {
    Map<Long, Long> ends = new HashMap<>();
    boolean isAtOnce = false;
    for (Call call : history.calls()) {
      Long end = ends.put(call.invocation().process(), call.completedAt());
      isAtOnce |= end != null && end == call.invokedAt();
    }
    return isAtOnce;
  }

  private static String json(String model, History history) throws IOException {
    List<Map<String, Object>> ops = new ArrayList<>();
    for (Call call : history.calls()) {
      boolean isLoss = call.f().equals("expire") || call.f().equals("lost");
      if (call.isFailed() || (isLoss && !model.equals("lease"))) {
        continue;
      }
      Map<String, Object> op = op(call.f(), call.client(), call.invokedAt(), call.fence());
      Operation completion = call.completion();
      op.put("arg", call.invocation().value().get("value"));
      op.put("result", completion == null ? null : completion.value().get("value"));
      op.put("open", !call.isOk());
      op.put("return", call.isOk() ? call.completedAt() : Long.MAX_VALUE);
      op.put("until", call.invokedAt() + 1_000_000 * call.number("ttl").orElse(0));
      if (isLoss) {
        Map<String, Object> loss = loss(call.client(), call.invokedAt(), call.fence());
        loss.put("told", call.completedAt());
        ops.add(loss);
        op.put("f", "ended");
      }
      if (!isLoss || call.isOk()) {
        ops.add(op);
      }
    }
    for (Operation notice : history.notices()) {
      ops.add(loss(notice.client(), notice.time(), notice.number("fence")));
    }
    return new ObjectMapper().writeValueAsString(Map.of("model", model, "ops", ops));
  }

  private static Map<String, Object> loss(String client, long from, OptionalLong fence) {
    Map<String, Object> loss = op("loss", client, from, fence);
    loss.put("open", true);
    loss.put("return", Long.MAX_VALUE);
    loss.put("told", from);
    return loss;
  }

  private static Map<String, Object> op(String f, String client, long call, OptionalLong fence) {
    Map<String, Object> op = new HashMap<>();
    op.put("f", f);
    op.put("client", client);
    op.put("call", call);
    op.put("fence", fence.isPresent() ? (Object) fence.getAsLong() : null);
    return op;
  }
}
