package dev.holdfast.bench.ttl;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.net.URI;
import java.util.Locale;
import java.util.concurrent.TimeUnit;

/**
 * The offset of a node's wall clock from this machine's: somewhere in an interval, whose width is
 * what the round trip leaves open.
 *
 * <p>The node read its clock between the request's leaving and the answer's coming, and tells whole
 * milliseconds; each exchange bounds the offset from both sides, and all of them together better
 * than the best alone (Cristian, "Probabilistic clock synchronization", Distributed Computing 3,
 * 1989; the intersection as in Marzullo's thesis, Stanford, 1984).
 *
 * @param lowMillis the least that the node can be ahead, negative if it may be behind
 * @param highMillis the most that it can be ahead
 */
record ClockOffset(double lowMillis, double highMillis) {
  private static final int EXCHANGES = 20;
  private static final double NANOS_PER_MILLI = TimeUnit.MILLISECONDS.toNanos(1);

  /** Nothing known. */
  static final ClockOffset ANY = new ClockOffset(-Double.MAX_VALUE, Double.MAX_VALUE);

  /**
   * Asks a node several times.
   *
   * @throws IOException if it does not tell; the message says why
   */
  static ClockOffset measure(Target target, URI node) throws IOException, InterruptedException {
    ClockOffset offset = ANY;
    for (int i = 0; i < EXCHANGES; i++) {
      long before = System.currentTimeMillis();
      long beganNanos = System.nanoTime();
      JsonNode answer =
          target.request("GET", node, "/_nodes/_local/stats/jvm?filter_path=nodes.*.timestamp");
      double roundTrip = (System.nanoTime() - beganNanos) / NANOS_PER_MILLI;
      JsonNode timestamp = answer.findValue("timestamp");
      if (timestamp == null || !timestamp.isIntegralNumber()) {
        throw new IOException("the node's statistics have no timestamp");
      }
      offset = offset.narrowedBy(before, roundTrip, timestamp.longValue());
    }
    return offset;
  }

  /**
   * Narrowed by one more exchange.
   *
   * @param beforeMillis this machine's clock when the request left, rounded down
   * @param roundTripMillis until the answer came
   * @param nodeMillis the node's clock in between, rounded down
   */
  ClockOffset narrowedBy(long beforeMillis, double roundTripMillis, long nodeMillis) {
    double low = nodeMillis - (beforeMillis + 1 + roundTripMillis);
    double high = nodeMillis + 1.0 - beforeMillis;
    ClockOffset both = new ClockOffset(Math.max(lowMillis, low), Math.min(highMillis, high));
    // They contradict each other if a clock was set in between: then either may be true.
    return both.lowMillis <= both.highMillis
        ? both
        : new ClockOffset(Math.min(lowMillis, low), Math.max(highMillis, high));
  }

  /** The most by which the clocks may differ. */
  double worstMillis() {
    return Math.max(Math.abs(lowMillis), Math.abs(highMillis));
  }

  @Override
  public String toString() {
    return String.format(
        Locale.ROOT,
        "%+.1f ms, give or take %.1f ms",
        (lowMillis + highMillis) / 2,
        (highMillis - lowMillis) / 2);
  }
}
