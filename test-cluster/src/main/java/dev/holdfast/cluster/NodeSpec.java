package dev.holdfast.cluster;

import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * The specification of a node.
 *
 * @param distribution the unpacked distribution
 * @param javaHome the Java to run it on
 * @param settings what is added to, or replaces, the defaults in {@code elasticsearch.yml}
 * @param configFiles contents by the path below the node's config folder
 * @param startLimit how long the node may take until it answers
 */
record NodeSpec(
    Path distribution,
    Path javaHome,
    String clusterName,
    String nodeName,
    Map<String, String> settings,
    Map<String, String> configFiles,
    int heapMebibytes,
    Duration startLimit) {

  private static final Set<String> RESERVED =
      Set.of("cluster.name", "node.name", "path.data", "path.logs", "node.portsfile");

  /**
   * A throw-away node does not look at the machine's disk. A full one is no reason to refuse
   * writes; and even with the thresholds disabled each look, one every 30 s by default, removes the
   * flood stage's block from all indices, which a test may have set.
   */
  static final Map<String, String> UNAFFECTED_BY_DISK =
      Map.of(
          "cluster.routing.allocation.disk.threshold_enabled", "false",
          "cluster.info.update.interval", "1h");

  NodeSpec {
    requireName(clusterName);
    requireName(nodeName);
    settings = Map.copyOf(settings);
    configFiles = Map.copyOf(configFiles);
    for (String key : settings.keySet()) {
      if (RESERVED.contains(key)) {
        throw new IllegalArgumentException(key + " is not for callers to set");
      }
    }
    if (heapMebibytes < 64) {
      throw new IllegalArgumentException("a heap of " + heapMebibytes + " MiB is too small");
    }
    if (startLimit.isNegative() || startLimit.isZero()) {
      throw new IllegalArgumentException("the limit must be positive: " + startLimit);
    }
  }

  /** Returns the version and the name, for diagnostics only. */
  @Override
  public String toString() {
    return "Elasticsearch " + Distributions.versionOf(distribution) + " node " + nodeName;
  }

  /** Returns {@code https} if the settings ask for it, else {@code http}. */
  String scheme() {
    return "true".equals(settings.get("xpack.security.http.ssl.enabled")) ? "https" : "http";
  }

  /** Returns all of {@code elasticsearch.yml} for a node that lives in the work dir. */
  Map<String, String> effectiveSettings(WorkDir dir) {
    Map<String, String> all = new LinkedHashMap<>();
    all.put("cluster.name", clusterName);
    all.put("node.name", nodeName);
    all.put("path.data", dir.data().toString());
    all.put("path.logs", dir.logs().toString());
    all.put("network.host", "127.0.0.1");
    // The system chooses free ports, the node writes them to files.
    all.put("http.port", "0");
    all.put("transport.port", "0");
    all.put("node.portsfile", "true");
    all.put("xpack.security.enabled", "false");
    all.putAll(UNAFFECTED_BY_DISK);
    if (settings.keySet().stream().noneMatch(NodeSpec::isAboutForming)) {
      all.put("discovery.type", "single-node");
    }
    all.putAll(new TreeMap<>(settings));
    return all;
  }

  /** Returns the value of {@code ES_JAVA_OPTS}: a small server that is up soon. */
  String javaOptions() {
    return javaOptions(heapMebibytes);
  }

  static String javaOptions(int heapMebibytes) {
    return "-Xms%1$dm -Xmx%1$dm -XX:TieredStopAtLevel=1 -XX:-UseG1GC -XX:+UseSerialGC"
        .formatted(heapMebibytes);
  }

  static boolean isAboutForming(String key) {
    return key.startsWith("discovery.") || key.equals("cluster.initial_master_nodes");
  }

  private static void requireName(String name) {
    if (!name.matches("[A-Za-z0-9_-]{1,64}")) {
      throw new IllegalArgumentException("not a name of letters, digits, _ and -: " + name);
    }
  }
}
