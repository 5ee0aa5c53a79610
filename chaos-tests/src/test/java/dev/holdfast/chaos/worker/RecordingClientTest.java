package dev.holdfast.chaos.worker;

import static org.assertj.core.api.Assertions.assertThat;

import co.elastic.clients.elasticsearch.ElasticsearchClient;
import co.elastic.clients.json.jackson.JacksonJsonpMapper;
import co.elastic.clients.transport.rest5_client.Rest5ClientTransport;
import co.elastic.clients.transport.rest5_client.low_level.Rest5Client;
import dev.holdfast.history.History;
import dev.holdfast.history.HistoryWriter;
import dev.holdfast.history.Operation;
import dev.holdfast.history.Vocabulary;
import dev.holdfast.lock.FencingToken;
import dev.holdfast.lock.ReleaseResult;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** A history says that something failed only where it certainly did not happen. */
class RecordingClientTest {
  private final List<Operation> recorded = new ArrayList<>();

  /** A grip that does as it is told. */
  private record Told(boolean renews, boolean isHeld, ReleaseResult releases) implements HeldLock {
    @Override
    public FencingToken token() {
      return new FencingToken(0, 1, 1, 0);
    }

    @Override
    public long untilNanos() {
      return System.nanoTime() + Duration.ofMinutes(1).toNanos();
    }

    @Override
    public boolean renew() {
      return renews;
    }

    @Override
    public ReleaseResult release() {
      return releases;
    }

    @Override
    public void onLost(Runnable task) {}
  }

  private interface Use {
    void with(RecordingClient.RecordedLock held, HistoryWriter.Recorder recorder);
  }

  private Operation.Type recorded(String f, LockClient lockClient, Use use) throws Exception {
    try (HistoryWriter history = HistoryWriter.into(recorded::add, System::nanoTime);
        Rest5ClientTransport nobody =
            new Rest5ClientTransport(
                Rest5Client.builder(URI.create("http://127.0.0.1:1")).build(),
                new JacksonJsonpMapper())) {
      Resource resource =
          new Resource(new ElasticsearchClient(nobody), WorkerSpec.Names.of("x"), true);
      RecordingClient client =
          new RecordingClient("c0", lockClient, resource, history, 3_000, WorkerProgress.none());
      HistoryWriter.Recorder recorder = history.recorder();
      client
          .acquire(recorder, "x", Duration.ZERO, true)
          .ifPresent(held -> use.with(held, recorder));
    }
    List<Operation> completions =
        History.of(recorded).operations().stream()
            .filter(each -> each.f().equals(f) && each.type() != Operation.Type.INVOKE)
            .toList();
    assertThat(completions).hasSize(1);
    return completions.get(0).type();
  }

  @ParameterizedTest
  @EnumSource(ReleaseResult.class)
  void release_isRecordedAsFailed_byNoResult(ReleaseResult result) throws Exception {
    Operation.Type type =
        recorded(
            Vocabulary.RELEASE,
            (lock, wait, renewed) -> Optional.of(new Told(true, false, result)),
            RecordingClient.RecordedLock::release);

    // With NOT_HELD, the client's own delete may have been applied.
    assertThat(type)
        .isEqualTo(result == ReleaseResult.RELEASED ? Operation.Type.OK : Operation.Type.INFO);
  }

  @ParameterizedTest
  @CsvSource({"true, true, OK", "false, true, INFO", "false, false, INFO"})
  void renewal_thatWasNotAcknowledged_isRecordedAsUnknown(
      boolean renews, boolean isHeld, Operation.Type expected) throws Exception {
    assertThat(
            recorded(
                Vocabulary.RENEW,
                (lock, wait, renewed) ->
                    Optional.of(new Told(renews, isHeld, ReleaseResult.RELEASED)),
                RecordingClient.RecordedLock::renew))
        .isEqualTo(expected);
  }

  /** Otherwise a release by another thread could come between the look and its record. */
  @ParameterizedTest
  @CsvSource({"true, OK", "false, FAIL"})
  void belief_isLookedAt_afterItsRecordHasBegun(boolean isHeld, Operation.Type expected)
      throws Exception {
    HeldLock watching =
        new HeldLock() {
          @Override
          public FencingToken token() {
            return new FencingToken(0, 1, 1, 0);
          }

          @Override
          public boolean isHeld() {
            assertThat(recorded).last().extracting(Operation::f).isEqualTo(Vocabulary.BELIEF);
            return isHeld;
          }

          @Override
          public long untilNanos() {
            return System.nanoTime();
          }

          @Override
          public boolean renew() {
            throw new AssertionError();
          }

          @Override
          public ReleaseResult release() {
            throw new AssertionError();
          }

          @Override
          public void onLost(Runnable task) {}
        };

    assertThat(
            recorded(
                Vocabulary.BELIEF,
                (lock, wait, renewed) -> Optional.of(watching),
                (held, recorder) -> held.recordBelief(recorder)))
        .isEqualTo(expected);
  }

  @ParameterizedTest
  @CsvSource({"429 [es_rejected_execution_exception] x, rejected", "timeout,"})
  void acquisition_withoutAnAnswer_recordsTheReasonAsAValue(String message, @Nullable String reason)
      throws Exception {
    assertThat(
            recorded(
                Vocabulary.ACQUIRE,
                (lock, wait, renewed) -> {
                  throw new LockClient.UnavailableException(new IllegalStateException(message));
                },
                (held, recorder) -> {}))
        .isEqualTo(Operation.Type.INFO);
    assertThat(recorded)
        .last()
        .satisfies(last -> assertThat(last.value().get(ChaosVocabulary.REASON)).isEqualTo(reason));
  }

  /** A release that the election does by itself may have been applied, or not yet. */
  @Test
  void campaign_isOneAcquisitionToTheNextTerm_andItsReleaseIsUnknown() throws Exception {
    try (HistoryWriter history = HistoryWriter.into(recorded::add, System::nanoTime);
        Rest5ClientTransport nobody =
            new Rest5ClientTransport(
                Rest5Client.builder(URI.create("http://127.0.0.1:1")).build(),
                new JacksonJsonpMapper())) {
      RecordingClient client =
          new RecordingClient(
              "c0",
              (lock, wait, renewed) -> Optional.empty(),
              new Resource(new ElasticsearchClient(nobody), WorkerSpec.Names.of("x"), true),
              history,
              3_000,
              WorkerProgress.none());
      RecordingClient.Campaign campaign = client.campaign(history.recorder(), "e");
      campaign.leaves(campaign.elected(new Told(true, true, ReleaseResult.RELEASED)));
      campaign.over();
    }
    assertThat(History.of(recorded).operations())
        .extracting(each -> each.f() + " " + each.type())
        .containsExactly(
            "acquire INVOKE",
            "acquire OK",
            "release INVOKE",
            "release INFO",
            "acquire INVOKE",
            "acquire INFO");
  }

  @Test
  void acquisition_withoutAnAnswer_isRecordedAsUnknown_andAContendedOneAsFailed() throws Exception {
    assertThat(
            recorded(
                Vocabulary.ACQUIRE,
                (lock, wait, renewed) -> {
                  throw new LockClient.UnavailableException(new IllegalStateException());
                },
                (held, recorder) -> {}))
        .isEqualTo(Operation.Type.INFO);
    recorded.clear();
    assertThat(
            recorded(
                Vocabulary.ACQUIRE,
                (lock, wait, renewed) -> Optional.empty(),
                (held, recorder) -> {}))
        .isEqualTo(Operation.Type.FAIL);
  }
}
