package dev.holdfast.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.holdfast.lock.Lease;
import dev.holdfast.lock.LockInfo;
import dev.holdfast.lock.LockManager;
import dev.holdfast.lock.LockOptions;
import dev.holdfast.lock.LockStoreUnavailableException;
import dev.holdfast.lock.ReleaseResult;
import java.io.IOException;
import java.net.http.HttpTimeoutException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Examines a cluster and the way to it, as locks use it: the library itself makes the requests that
 * locks need, and what it finds wrong is explained by {@link Remedies}. The rest is asked for by
 * plain requests, and left out where the user may not.
 */
final class Doctor {
  private static final int KIB = 1024;

  /** The library's largest request, and the largest record with default settings. */
  private static final int LARGEST_REQUEST = 768 * KIB;

  private static final int LARGEST_RECORD = 72 * KIB;

  private static final int SMALLEST_REQUEST = 4 * KIB;

  // Statuses, and one for none.
  private static final int NO_ANSWER = 0;
  private static final int TOO_LARGE = 413;
  private static final int SERVER_ERROR = 500;

  /** The library's default of {@code maxClockSkew}. */
  private static final Duration MAX_SKEW = Duration.ofSeconds(2);

  private static final Duration SLOW = Duration.ofSeconds(1);
  private static final int WRITES = 5;
  private static final int EXCHANGES = 5;
  private static final int OLDEST_VERSION = 8;
  private static final int MAX_DIGITS = 9;
  private static final long MAX_REFRESH_SECONDS = 2;

  private static final ObjectMapper MAPPER = new ObjectMapper();

  /** What a holder of locks needs on the index, and what it cannot do without. */
  private static final Map<String, String> PRIVILEGES = new LinkedHashMap<>();

  static {
    PRIVILEGES.put("read", "Locks cannot be looked up, waited for or taken over.");
    PRIVILEGES.put("index", "No lock can be acquired or renewed.");
    PRIVILEGES.put(
        "delete", "Releases are not confirmed: a lock stays unavailable until its TTL has passed.");
    PRIVILEGES.put("view_index_metadata", "The index cannot be verified: no lock can be acquired.");
  }

  private final Connection connection;
  private final Map<String, String> environment;
  private final boolean readOnly;
  private final List<Finding> findings = new ArrayList<>();

  Doctor(Connection connection, Map<String, String> environment, boolean readOnly) {
    this.connection = connection;
    this.environment = environment;
    this.readOnly = readOnly;
  }

  List<Finding> examine() throws InterruptedException {
    // What is wrong with the settings as a whole is a usage error.
    connection.open(environment).close();
    String good = null;
    Set<String> said = new LinkedHashSet<>();
    for (String url : urls()) {
      Finding about = reach(url);
      if (about.status() == Finding.Status.OK || !Remedies.isAboutTheNode(about)) {
        good = good == null ? url : good;
      }
      // What is wrong with the index is wrong whichever node is asked.
      if (Remedies.isAboutTheNode(about) || said.add(about.check() + about.remedy())) {
        findings.add(about);
      }
    }
    if (good == null) {
      return findings;
    }
    if (findings.stream().anyMatch(f -> f.check().equals("credentials"))) {
      return findings;
    }
    try {
      Http http = Http.of(good, environment);
      version(http);
      privileges(http);
      index(http);
      clocks();
      bodyLimit(http);
    } catch (IOException | IllegalArgumentException e) {
      findings.add(
          Finding.unknown(
              "details",
              "plain requests to " + shown(good) + " failed: " + e,
              "run it again; if it fails again, look into the log of the node or the proxy"));
    }
    if (!readOnly && findings.stream().noneMatch(Doctor::preventsLocks)) {
      writes();
    }
    return findings;
  }

  /** Whether acquiring a lock would only fail for a reason that was found already. */
  private static boolean preventsLocks(Finding finding) {
    return finding.status() == Finding.Status.PROBLEM
        && !Remedies.isAboutTheNode(finding)
        && !finding.check().equals("clock")
        && !finding.check().equals("body limit");
  }

  private List<String> urls() {
    return Arrays.stream(String.valueOf(environment.get("HOLDFAST_URL")).split(",", -1))
        .map(String::strip)
        .toList();
  }

  private static String shown(String url) {
    return url.replaceFirst("//[^/]*@", "//");
  }

  // --- Reachability, by the library's own look-up of a lock

  private Finding reach(String url) {
    Map<String, String> one = new LinkedHashMap<>(environment);
    one.put("HOLDFAST_URL", url);
    try (Connection.Session session = connection.open(one)) {
      long begun = System.nanoTime();
      session.builder().requestTimeout(Duration.ofSeconds(10));
      Optional<LockInfo> unused = session.locks().find("holdfast-doctor");
      return Finding.ok(
          "reachability",
          shown(url)
              + " answers, the first time after "
              + Durations.millis(Duration.ofNanos(System.nanoTime() - begun))
              + " ms, with connecting");
    } catch (LockStoreUnavailableException e) {
      return Remedies.of(e, connection.index());
    }
  }

  // --- Version

  private void version(Http http) throws IOException, InterruptedException {
    Http.Answer root = http.get("/");
    String version = root.body().at("/version/number").asText("");
    if (!root.body().at("/version/distribution").asText("").isEmpty()
        || (root.isOk() && !root.isOfElasticsearch())) {
      findings.add(
          Finding.problem(
              "version",
              "the server is not Elasticsearch: "
                  + root.body().at("/version/distribution").asText("it does not say what it is"),
              "Holdfast was never tested with it.",
              "use Elasticsearch 8 or 9"));
      return;
    }
    if (version.isEmpty()) {
      JsonNode found =
          http.get("/_nodes/_local?filter_path=nodes.*.version").body().findValue("version");
      version = found == null ? "" : found.asText();
    }
    if (version.isEmpty()) {
      findings.add(
          Finding.unknown(
              "version",
              "not told to this user",
              "to see it, grant the cluster privilege monitor; locks do not need it"));
    } else if (isTooOld(version)) {
      findings.add(
          Finding.problem(
              "version",
              "Elasticsearch " + version,
              "Holdfast was never tested with it.",
              "use Elasticsearch 8 or 9"));
    } else {
      findings.add(Finding.ok("version", "Elasticsearch " + version));
    }
  }

  /** Whether its first number is below the oldest that is supported. */
  static boolean isTooOld(String version) {
    String major = version.replaceFirst("\\D.*", "");
    return major.length() < MAX_DIGITS
        && !major.isEmpty()
        && Integer.parseInt(major) < OLDEST_VERSION;
  }

  // --- Privileges

  private void privileges(Http http) throws IOException, InterruptedException {
    List<String> names =
        List.of(connection.alias(), connection.index(), connection.alias() + ".doctor");
    ObjectNode body = MAPPER.createObjectNode();
    ObjectNode index = body.putArray("index").addObject();
    ArrayNode asked = index.putArray("names");
    names.forEach(asked::add);
    ArrayNode privileges = index.putArray("privileges");
    PRIVILEGES.keySet().forEach(privileges::add);
    privileges.add("manage");
    Http.Answer answer = http.post("/_security/user/_has_privileges", body.toString());
    JsonNode held = answer.body().path("index");
    if (!answer.isOk() || held.isMissingNode()) {
      findings.add(
          Finding.warning(
              "privileges",
              "security is off, or no privileges are told (" + answer.status() + ")",
              "Anybody who reaches the cluster can change and delete the records of locks.",
              "enable security, unless the network keeps others out"));
      return;
    }
    boolean all = true;
    for (Map.Entry<String, String> each : PRIVILEGES.entrySet()) {
      List<String> lacking =
          names.stream().filter(name -> !held.path(name).path(each.getKey()).asBoolean()).toList();
      if (!lacking.isEmpty()) {
        all = false;
        findings.add(
            Finding.problem(
                "privileges",
                "user \""
                    + answer.body().path("username").asText()
                    + "\" lacks "
                    + each.getKey()
                    + " on "
                    + String.join(", ", lacking),
                each.getValue(),
                "grant it: role holdfast-locker in docs/operations.md has "
                    + String.join(", ", PRIVILEGES.keySet())
                    + " on \""
                    + connection.alias()
                    + "*\""));
      }
    }
    if (all) {
      boolean manage = held.path(connection.index()).path("manage").asBoolean();
      findings.add(
          Finding.ok(
              "privileges",
              "all that locks need"
                  + (manage ? ", and to create the index" : "; not to create the index (manage)")));
    }
  }

  // --- The index, beyond what the library's look-up rejects

  private void index(Http http) throws IOException, InterruptedException {
    if (findings.stream().anyMatch(f -> f.check().equals("index"))) {
      return;
    }
    Http.Answer answer = http.get("/" + connection.alias() + "/_settings?flat_settings=true");
    if (answer.status() == 404) {
      findings.add(
          Finding.ok(
              "index",
              "there is none yet behind the alias \""
                  + connection.alias()
                  + "\"; the first lock creates it, which needs the privilege manage"));
      return;
    }
    JsonNode settings = answer.body().findValue("settings");
    if (!answer.isOk() || settings == null) {
      findings.add(
          Finding.unknown(
              "index",
              "its settings were not told (" + answer.status() + ")",
              "grant view_index_metadata"));
      return;
    }
    String name = answer.body().fieldNames().next();
    int before = findings.size();
    String policy = settings.path("index.lifecycle.name").asText("");
    if (!policy.isEmpty()) {
      findings.add(
          Finding.warning(
              "index",
              "lifecycle policy \"" + policy + "\" is attached to \"" + name + "\"",
              "A rollover, a deletion or a read-only phase ends or blocks every lock.",
              "remove it (POST /"
                  + name
                  + "/_ilm/remove), and exclude the index from the template that it comes from"));
    }
    String refresh = settings.path("index.refresh_interval").asText("");
    if (!refresh.isEmpty() && isLate(refresh)) {
      findings.add(
          Finding.warning(
              "index",
              "index.refresh_interval of \"" + name + "\" is " + refresh,
              "list and watch miss changes for that long; locks themselves do not depend on it.",
              "set it to null: PUT /" + name + "/_settings"));
    }
    String replicas = settings.path("index.number_of_replicas").asText("");
    if (replicas.equals("0")) {
      findings.add(
          Finding.warning(
              "index",
              "\"" + name + "\" has no replica",
              "When the node with its only copy is down, no lock can be acquired or renewed.",
              "add data nodes; index.auto_expand_replicas then adds replicas by itself"));
    }
    if (findings.size() == before) {
      findings.add(
          Finding.ok("index", "\"" + name + "\" has the mapping and settings that locks need"));
    }
  }

  private static boolean isLate(String interval) {
    return interval.startsWith("-")
        || (interval.matches("\\d{1,9}[smhd]")
            && Durations.parse(interval).toSeconds() > MAX_REFRESH_SECONDS);
  }

  // --- Clocks

  private void clocks() throws IOException, InterruptedException {
    for (String url : urls()) {
      ClockOffset offset = ClockOffset.ANY;
      Http http = Http.of(url, environment);
      boolean told = true;
      for (int i = 0; i < EXCHANGES && told; i++) {
        long before = System.currentTimeMillis();
        JsonNode timestamp = timestamp(http);
        if (timestamp == null) {
          told = false;
        } else {
          offset = offset.narrowedBy(before, System.currentTimeMillis(), timestamp.asLong());
        }
      }
      findings.add(
          told
              ? skew("the clock of " + shown(url), offset.atLeast(), offset.isAhead())
              : Finding.unknown(
                  "clock",
                  "the clock of " + shown(url) + " is not told",
                  "to compare it, grant the cluster privilege monitor; locks do not need it"));
    }
    holdersAhead();
  }

  private static @Nullable JsonNode timestamp(Http http) throws InterruptedException {
    try {
      return http.get("/_nodes/_local/stats/jvm?filter_path=nodes.*.timestamp")
          .body()
          .findValue("timestamp");
    } catch (IOException e) {
      return null; // That it does not answer was found before.
    }
  }

  private static Finding skew(String clock, Duration atLeast, boolean ahead) {
    if (atLeast.compareTo(MAX_SKEW) <= 0) {
      return Finding.ok(
          "clock",
          clock
              + " and this machine's agree within the measured round trip"
              + (atLeast.isZero() ? "" : ", or nearly so: " + Durations.text(atLeast)));
    }
    return Finding.problem(
        "clock",
        clock
            + " is "
            + Durations.text(atLeast)
            + (ahead ? " ahead of" : " behind")
            + " this machine's",
        "One of both is wrong. Exclusion relies on wall clocks of holders that differ by less than "
            + Durations.text(MAX_SKEW)
            + " (maxClockSkew): a process whose clock is ahead takes a lock over while it is held.",
        "synchronise the clocks (chrony, NTP); where that is impossible, set"
            + " calendarTakeover(false) in all processes");
  }

  /** Records from the future: their holder's clock is ahead, whatever this user may ask. */
  private void holdersAhead() {
    List<LockInfo> all;
    try (Connection.Session session = connection.open(environment)) {
      all = session.locks().list();
    } catch (LockStoreUnavailableException e) {
      return; // Explained by another finding.
    }
    Instant now = Instant.now();
    all.stream()
        .filter(info -> lastWrite(info).isAfter(now.plus(MAX_SKEW)))
        .findFirst()
        .ifPresent(
            info ->
                findings.add(
                    skew(
                        "the clock of "
                            + Records.owner(info)
                            + ", which holds lock \""
                            + info.lockId()
                            + "\",",
                        Duration.between(now, lastWrite(info)),
                        true)));
  }

  /**
   * When the record was written last, by its holder's clock: renewals change only when it expires.
   */
  static Instant lastWrite(LockInfo info) {
    Instant createdAt = info.createdAt() == null ? Instant.MIN : info.createdAt();
    if (!info.isHeld() || info.expiresAt() == null || info.ttl().isZero()) {
      return createdAt;
    }
    Instant renewedAt = info.expiresAt().minus(info.ttl());
    return renewedAt.isAfter(createdAt) ? renewedAt : createdAt;
  }

  // --- The size of requests

  private void bodyLimit(Http http) throws IOException, InterruptedException {
    int passes = LARGEST_REQUEST;
    int status = statusOf(http, passes);
    while (status == TOO_LARGE && passes > SMALLEST_REQUEST) {
      passes /= 2;
      status = statusOf(http, passes);
    }
    // That is known only of a size that passes: a node may not answer, whatever is sent.
    if (status == NO_ANSWER || status == TOO_LARGE || status >= SERVER_ERROR) {
      findings.add(
          Finding.unknown(
              "body limit",
              "a request of "
                  + passes / KIB
                  + " KiB "
                  + switch (status) {
                    case NO_ANSWER -> "had no answer in time";
                    case TOO_LARGE -> "was rejected, as all larger ones were";
                    default -> "was answered by " + status;
                  },
              "run it again; if it fails again, look into the log of the node or the proxy"));
      return;
    }
    if (passes == LARGEST_REQUEST) {
      findings.add(Finding.ok("body limit", "requests of 768 KiB pass"));
      return;
    }
    String summary =
        "requests of "
            + passes / KIB
            + " KiB pass, of "
            + 2 * passes / KIB
            + " KiB do not: a proxy limits their size, or Elasticsearch does";
    String remedy =
        "allow 1 MiB: client_max_body_size 1m; in nginx, http.max_content_length in Elasticsearch";
    findings.add(
        passes >= LARGEST_RECORD
            ? Finding.warning(
                "body limit",
                summary,
                "Holdfast sends such requests again in halves, which costs time under load.",
                remedy)
            : Finding.problem(
                "body limit",
                summary,
                "A lock with large metadata (up to 64 KiB are allowed) cannot be acquired or"
                    + " renewed.",
                remedy + "; or keep metadata small"));
  }

  /** A search for nothing with a body of spaces; whether there is an index makes no difference. */
  private int statusOf(Http http, int bytes) throws InterruptedException {
    String query = "{\"size\":0}";
    try {
      return http.post(
              "/" + connection.alias() + "/_search?filter_path=took&ignore_unavailable=true",
              query + " ".repeat(bytes - query.length()))
          .status();
    } catch (HttpTimeoutException e) {
      return NO_ANSWER;
    } catch (IOException e) {
      return TOO_LARGE; // A proxy may close the connection while the body is being sent.
    }
  }

  // --- Writes

  private void writes() throws InterruptedException {
    String lockId = "holdfast-doctor-" + ProcessHandle.current().pid() + "-" + System.nanoTime();
    try (Connection.Session session = connection.open(environment)) {
      LockManager locks = session.locks();
      // Releases the lock if a signal ends this process meanwhile.
      Thread atExit = new Thread(locks::close, "holdfast-doctor-exit");
      Runtime.getRuntime().addShutdownHook(atExit);
      try {
        writes(locks, lockId);
      } finally {
        removeHook(atExit);
      }
    } catch (LockStoreUnavailableException e) {
      findings.add(Remedies.of(e, connection.index()));
    }
  }

  private static void removeHook(Thread hook) {
    try {
      boolean unused = Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException e) {
      // It runs already.
    }
  }

  private void writes(LockManager locks, String lockId) throws InterruptedException {
    List<Duration> acquired = new ArrayList<>();
    // The first connects, and may create the index.
    for (int i = 0; i <= WRITES; i++) {
      long begun = System.nanoTime();
      Lease lease =
          locks.acquire(lockId, LockOptions.defaults().withWaitTimeout(Duration.ofSeconds(10)));
      Duration took = Duration.ofNanos(System.nanoTime() - begun);
      if (i > 0) {
        acquired.add(took);
      }
      if (lease.release() != ReleaseResult.RELEASED) {
        findings.add(
            Finding.problem(
                "writes",
                "the release of lock \"" + lockId + "\" was not confirmed",
                "Locks stay unavailable after their release until their TTL has passed.",
                "look at the message above, if there is one, and into the log of Elasticsearch"));
        boolean unused = locks.forceRelease(lockId);
        return;
      }
    }
    acquired.sort(null);
    latency(acquired.get(WRITES / 2), acquired.get(WRITES - 1));
  }

  private void latency(Duration median, Duration longest) {
    String summary =
        "a lock is acquired in "
            + Durations.millis(median)
            + " ms (median of "
            + WRITES
            + "), at most "
            + Durations.millis(longest)
            + " ms";
    findings.add(
        longest.compareTo(SLOW) <= 0
            ? Finding.ok("writes", summary)
            : Finding.warning(
                "writes",
                summary,
                "A renewal takes as long. Leases whose TTL is not many times that are lost in any"
                    + " disturbance.",
                "look at the load, the disks and the network of the cluster; choose the TTL by"
                    + " benchmarks.jar ttl"));
  }
}
