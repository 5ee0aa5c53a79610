package dev.holdfast.bench.scenarios;

import com.sun.management.OperatingSystemMXBean;
import dev.holdfast.bench.report.Measurement;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** How much processor time each operation of one subject takes, in this process and in the node. */
final class ProcessorTime {
  private static final OperatingSystemMXBean SYSTEM =
      (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();

  private final String subject;
  private Reading used = Reading.NONE;
  private long operations;

  ProcessorTime(String subject) {
    this.subject = subject;
  }

  void clear() {
    used = Reading.NONE;
    operations = 0;
  }

  void add(Reading more, long moreOperations) {
    used = new Reading(used.ownNanos + more.ownNanos, used.serverNanos + more.serverNanos);
    operations += moreOperations;
  }

  List<Measurement> measurements() {
    String scenario = "processor time of " + InterleavedOwnLocks.SCENARIO;
    double micros = operations * 1e3;
    return List.of(
        Measurement.of(scenario, subject, used.ownNanos / micros, "us a pair, this process"),
        Measurement.of(scenario, subject, used.serverNanos / micros, "us a pair, the node"));
  }

  /**
   * Reads what has been used so far.
   *
   * @param server the node's process; null counts this process alone
   */
  static Reading read(@Nullable ProcessHandle server) {
    Duration ofServer =
        server == null ? Duration.ZERO : server.info().totalCpuDuration().orElse(Duration.ZERO);
    return new Reading(SYSTEM.getProcessCpuTime(), ofServer.toNanos());
  }

  /** Processor time, or a difference of two. */
  record Reading(long ownNanos, long serverNanos) {
    static final Reading NONE = new Reading(0, 0);

    Reading since(Reading earlier) {
      return new Reading(ownNanos - earlier.ownNanos, serverNanos - earlier.serverNanos);
    }
  }
}
