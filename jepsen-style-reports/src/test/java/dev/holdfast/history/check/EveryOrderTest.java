package dev.holdfast.history.check;

import static dev.holdfast.history.Operation.Type.FAIL;
import static dev.holdfast.history.Operation.Type.INFO;
import static dev.holdfast.history.Operation.Type.OK;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.history.History;
import dev.holdfast.history.HistoryScript;
import dev.holdfast.history.Operation;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The search for an order beside trying all orders. */
class EveryOrderTest {

  private static final Duration LIMIT = Duration.ofMinutes(1);
  private static final int HISTORIES = 10_000;
  private static final int SHARED_HISTORIES = 50_000;
  private static final long NOTICES = 1_000;
  private static final List<String> KINDS =
      List.of("acquire", "acquire", "release", "release", "renew", "renew", "lost", "expire");

  /** Small random histories, and the verdict by trying all orders. */
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
  void check_randomHistories_agreesWithTryingAllOrders(String model) {
    SplittableRandom random = new SplittableRandom(model.hashCode());
    int valid = 0;
    int invalid = 0;
    for (int checked = 0; checked < HISTORIES; ) {
      History history = random(random, model);
      Verdict verdict = new LinearizabilityChecker(model, LIMIT).check(history).verdict();
      if (verdict != Verdict.UNKNOWN) { // nothing succeeded: not checked
        boolean explained = EveryOrder.explains(model, history);
        assertThat(verdict)
            .as("%s", history.operations())
            .isEqualTo(explained ? Verdict.VALID : Verdict.INVALID);
        valid += explained ? 1 : 0;
        invalid += explained ? 0 : 1;
        checked++;
      }
    }
    assertThat(valid).as("valid ones").isGreaterThan(HISTORIES / 20);
    assertThat(invalid).as("invalid ones").isGreaterThan(HISTORIES / 20);
  }

  /**
   * Threads that share a client, tokens that are not told, losses, and things of one process at the
   * same time: what is about which lease is to be found out.
   */
  @Test
  void check_randomLeasesOfSharedClients_agreesWithAllAttributions() {
    SplittableRandom random = new SplittableRandom(21);
    int valid = 0;
    int invalid = 0;
    for (int checked = 0; checked < SHARED_HISTORIES; ) {
      History history = shared(random);
      Verdict verdict = new LinearizabilityChecker("lease", LIMIT).check(history).verdict();
      if (verdict != Verdict.UNKNOWN) { // nothing succeeded: not checked
        boolean explained = EveryAttribution.explains(history);
        assertThat(verdict)
            .as("%s", written(history))
            .isEqualTo(explained ? Verdict.VALID : Verdict.INVALID);
        valid += explained ? 1 : 0;
        invalid += explained ? 0 : 1;
        checked++;
      }
    }
    assertThat(valid).as("valid ones").isGreaterThan(SHARED_HISTORIES / 5);
    assertThat(invalid).as("invalid ones").isGreaterThan(SHARED_HISTORIES / 5);
  }

  static String written(History history) {
    return history.operations().stream().map(Operation::toEdn).collect(Collectors.joining("\n"));
  }

  /** A few processes, each of which does one thing after the other, for two clients at most. */
  static History shared(SplittableRandom random) {
    HistoryScript script = new HistoryScript();
    int processes = 2 + random.nextInt(3);
    int clients = 1 + random.nextInt(2);
    int budget = 3 + random.nextInt(4);
    for (int process = 0; process < processes; process++) {
      String client = "c" + random.nextInt(clients);
      long now = random.nextInt(4);
      int calls = Math.min(budget, 1 + random.nextInt(4));
      budget -= calls;
      for (int i = 0; i < calls; i++) {
        String f = i == 0 ? "acquire" : KINDS.get(random.nextInt(KINDS.size()));
        long from = now + random.nextInt(3);
        long to = from + random.nextInt(6);
        now = to;
        List<Object> value = new ArrayList<>(List.of("lock", "a", "client", client));
        if (f.equals("acquire") || (f.equals("renew") && random.nextBoolean())) {
          value.addAll(List.of("ttl", 3 + random.nextInt(2)));
        } else if (f.equals("renew")) {
          value.addAll(List.of("ttl", 3));
        }
        List<Object> answer = new ArrayList<>(value);
        if (random.nextInt(3) > 0) {
          // Tokens mostly as they ought to be: of an acquisition by when it was answered.
          long fence = f.equals("acquire") ? 1 + to : 1 + random.nextInt(14);
          answer.addAll(List.of("fence", fence));
        }
        if (f.equals("lost")) {
          script.add(to, INFO, NOTICES + process, f, answer.toArray());
        } else {
          Operation.Type type = random.nextInt(7) == 0 ? INFO : random.nextInt(12) == 0 ? FAIL : OK;
          script.add(from, Operation.Type.INVOKE, process, f, value.toArray());
          script.add(to, type, process, f, (type == OK ? answer : value).toArray());
        }
      }
    }
    return script.build();
  }

  /** Cut after each answer: the first of these that nothing explains is the one that is named. */
  @ParameterizedTest
  @ValueSource(strings = {"owner-mutex", "lease", "cas-register"})
  void violation_randomHistories_namesTheSmallestFailingPrefix(String model) {
    SplittableRandom random = new SplittableRandom(model.hashCode());
    for (int found = 0; found < HISTORIES / 10; ) {
      History history = inDistinctMoments(random(random, model));
      Result result = new LinearizabilityChecker(model, LIMIT).check(history);
      if (result.verdict() == Verdict.INVALID) {
        found++;
        int length = 1;
        while (EveryOrder.explains(model, History.of(history.operations().subList(0, length)))) {
          length++;
        }
        assertThat(result.details().get(0))
            .as("%s", history.operations())
            .containsPattern("\\(operations \\d+ and " + (length - 1) + "\\D");
      }
    }
  }

  static History random(SplittableRandom random, String model) {
    HistoryScript script = new HistoryScript();
    int calls = 2 + random.nextInt(4);
    for (int i = 0; i < calls; i++) {
      long from = random.nextInt(12);
      long to = from + random.nextInt(6);
      Operation.Type type = random.nextInt(8) == 0 ? INFO : random.nextInt(10) == 0 ? FAIL : OK;
      if (model.endsWith("register")) {
        String f =
            List.of("read", "write", "cas").get(random.nextInt(model.equals("register") ? 2 : 3));
        Object value =
            f.equals("cas") ? List.of(random.nextInt(2), random.nextInt(2)) : random.nextInt(2);
        script.call(from, to, type, f, "value", value);
      } else {
        boolean hasLeases = model.equals("lease") || model.equals("fenced-mutex");
        String f =
            List.of("acquire", "release", "acquire", "renew")
                .get(random.nextInt(hasLeases ? 4 : 2));
        // Tokens in most cases as they ought to be: rising, and none where nobody was told.
        long fence =
            f.equals("acquire") && random.nextInt(4) > 0 ? 1 + from : 1 + random.nextInt(12);
        List<Object> value =
            new ArrayList<>(List.of("lock", "a", "client", "c" + random.nextInt(2), "ttl", 3));
        if (random.nextInt(4) > 0) {
          value.addAll(List.of("fence", fence));
        }
        script.call(from, to, type, f, value.toArray());
      }
    }
    return script.build();
  }

  /** The same in the same order, but no two things at the same time. */
  private static History inDistinctMoments(History history) {
    List<Operation> apart = new ArrayList<>();
    for (Operation operation : history.operations()) {
      apart.add(
          new Operation(
              operation.index(),
              operation.time() + operation.index(),
              operation.type(),
              operation.process(),
              operation.f(),
              operation.value()));
    }
    return History.of(apart);
  }
}
