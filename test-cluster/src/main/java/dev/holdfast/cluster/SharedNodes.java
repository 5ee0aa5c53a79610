package dev.holdfast.cluster;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * One node per version that all tests of a JVM share.
 *
 * <p>This is the module's only static state: what is shared is a process of the operating system,
 * which is one per JVM by nature. A shutdown hook stops the nodes; should it not run, they stop by
 * themselves. Thread-safe.
 */
public final class SharedNodes {

  private static final Map<ElasticsearchVersion, Slot> SLOTS = new ConcurrentHashMap<>();

  private SharedNodes() {}

  /**
   * Returns the shared node of the version, and starts it if this is the first use. The caller must
   * not close, kill or reconfigure it, and must resume it if it paused it.
   *
   * @throws NodeStartException if it did not start; later calls fail at once for the same reason
   * @throws IllegalStateException as {@link ElasticsearchNode.Builder#start} does
   */
  public static ElasticsearchNode get(ElasticsearchVersion version) {
    return SLOTS.computeIfAbsent(version, Slot::new).get();
  }

  private static final class Slot {

    private final ElasticsearchVersion version;
    private final ReentrantLock lock = new ReentrantLock();
    private @Nullable ElasticsearchNode node;
    private @Nullable NodeStartException failure;

    Slot(ElasticsearchVersion version) {
      this.version = version;
    }

    ElasticsearchNode get() {
      lock.lock();
      try {
        if (failure != null) {
          throw new NodeStartException("it failed before: " + failure.getMessage(), failure);
        }
        ElasticsearchNode running = node;
        if (running == null) {
          running = start();
          node = running;
        }
        return running;
      } finally {
        lock.unlock();
      }
    }

    private ElasticsearchNode start() {
      try {
        ElasticsearchNode started =
            ElasticsearchNode.builder(version)
                .clusterName("holdfast-shared")
                .nodeName("shared-" + version.major())
                .start();
        Runtime.getRuntime()
            .addShutdownHook(new Thread(started::close, "holdfast-stop-shared-" + version.major()));
        return started;
      } catch (NodeStartException e) {
        if (!Thread.currentThread().isInterrupted()) {
          failure = e; // starting again would fail as slowly
        }
        throw e;
      }
    }
  }
}
