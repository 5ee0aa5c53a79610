package dev.holdfast.chaos.threads;

import java.time.Duration;
import java.util.stream.Collectors;

/** Runs rounds with a planted fault; called through reflection, in a copy of the library. */
final class PlantedRounds {
  /** Shorter than in the real test: what hangs is to be found soon. */
  private static final Duration SLACK = Duration.ofSeconds(8);

  private PlantedRounds() {}

  /**
   * Runs one round.
   *
   * @return what was found, one finding after the other; each begins with its requirement
   */
  static String findings(long seed, String fault) throws InterruptedException {
    ThreadFault planted = ThreadFault.valueOf(fault);
    return new ThreadsRound(RoundPlan.of(seed), new CallCounts(), SLACK, planted::store)
        .run().list().stream()
            .map(Findings.Finding::toString)
            .collect(Collectors.joining(SEPARATOR));
  }

  /** Between findings. */
  static final String SEPARATOR = "\u0000";
}
