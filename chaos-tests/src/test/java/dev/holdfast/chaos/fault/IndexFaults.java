package dev.holdfast.chaos.fault;

import com.fasterxml.jackson.core.JsonPointer;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.holdfast.history.Vocabulary;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/** Faults by operators and other users of the cluster that affect the lock index. Stateless. */
public final class IndexFaults {

  /** The name of the deletion in histories. */
  public static final String DELETED = "index-deleted";

  /** While this lasts, nothing can be written to the lock index for certain. */
  public static final String NO_WRITES = "no-writes";

  private static final AtomicLong SWAPS = new AtomicLong(); // names must differ

  private static final ObjectMapper JSON = new ObjectMapper();

  /** In a storm a cluster is seldom whole, and soon if nothing more is broken. */
  private static final Duration PATIENCE = Duration.ofSeconds(20);

  /** Where the mappings of the lock index have its fencing era. */
  private static final JsonPointer ERA = JsonPointer.compile("/_meta/holdfast/era");

  /** A fencing token has four bits for its era in {@code toLong()}, by which histories go. */
  private static final int LAST_ERA = 15;

  private IndexFaults() {}

  /** An act of an operator upon the index, of which nothing is left to be ended. */
  private interface OperatorAct {
    void perform() throws IOException, InterruptedException;
  }

  /** Deletes the lock index; the first client that needs it re-creates it. */
  public static Fault delete() {
    return new IndexDeletion() {
      @Override
      Injection aim(FaultContext context, IndexMade old) {
        return injection(
            "the lock index", () -> request(context, "DELETE", "/" + old.name(), JSON.nullNode()));
      }
    };
  }

  /**
   * The lock index is deleted, and one with the next fencing era takes its place in the same
   * moment: clients that need a lock at once would make one of the old era. Not after the last era
   * that a token has room for as a number.
   */
  public static Fault deleteAndRaiseEra() {
    return new IndexDeletion() {
      @Override
      @Nullable Injection aim(FaultContext context, IndexMade old)
          throws IOException, InterruptedException {
        int era = old.mappings().at(ERA).asInt() + 1;
        if (era > LAST_ERA) {
          return null;
        }
        String next = makeNext(context, old, era, "era" + era);
        return injection("the lock index, era " + era, () -> swap(context, old, next));
      }
    };
  }

  /**
   * The alias is moved to a new index of the same fencing era, as by an operator who knows nothing
   * of eras. The old index stays, and so does its incarnation, which is where holders write until
   * they notice. That takes them some seconds, for which this must last.
   */
  public static Fault swapAlias() {
    return new IndexDeletion() {
      @Override
      Injection aim(FaultContext context, IndexMade old) throws IOException, InterruptedException {
        int era = old.mappings().at(ERA).asInt();
        String next = makeNext(context, old, era, "swapped" + SWAPS.incrementAndGet());
        return injection(
            "the alias of the lock index",
            () -> moveAlias(context, "remove", old, next, context.names().lockAlias()));
      }
    };
  }

  private static String makeNext(FaultContext context, IndexMade old, int era, String suffix)
      throws IOException, InterruptedException {
    String alias = context.names().lockAlias();
    String next = context.names().lockIndex() + "-" + suffix;
    ObjectNode mappings = old.mappings().deepCopy();
    ((ObjectNode) mappings.at(ERA.head())).put("era", era);
    ObjectNode made = JSON.createObjectNode();
    made.set("mappings", mappings);
    made.putObject("aliases").putObject(alias + "." + suffix);
    made.putObject("settings").put("number_of_shards", 1).put("auto_expand_replicas", "0-2");
    request(context, "PUT", "/" + next, made);
    return next;
  }

  private static void swap(FaultContext context, IndexMade old, String next)
      throws IOException, InterruptedException {
    moveAlias(context, "remove_index", old, next, null);
  }

  private static void moveAlias(
      FaultContext context, String how, IndexMade old, String next, @Nullable String from)
      throws IOException, InterruptedException {
    ObjectNode swap = JSON.createObjectNode();
    ArrayNode actions = swap.putArray("actions");
    ObjectNode remove = actions.addObject().putObject(how).put("index", old.name());
    if (from != null) {
      remove.put("alias", from);
    }
    actions
        .addObject()
        .putObject("add")
        .put("index", next)
        .put("alias", context.names().lockAlias());
    request(context, "POST", "/_aliases", swap);
  }

  /**
   * Writes to the lock index are blocked, and the block is lifted in the end.
   *
   * @param block such as {@code read_only_allow_delete}, which Elasticsearch sets by itself when a
   *     disk is full
   */
  public static Fault block(String block) {
    return new Fault() {
      @Override
      public String name() {
        return "index-blocked";
      }

      @Override
      public Optional<Injection> aim(FaultContext context) {
        return context.isWhole()
            ? Optional.of(new Block(context, "index.blocks." + block))
            : Optional.empty();
      }
    };
  }

  private record Block(FaultContext context, String setting) implements Fault.Injection {

    @Override
    public String target() {
      return "the lock index, " + setting;
    }

    @Override
    public void begin() throws Exception {
      set(JSON.getNodeFactory().booleanNode(true));
      context.nemesis().nemesis("start-" + NO_WRITES, Map.of(Vocabulary.TARGET, "cluster"));
    }

    @Override
    public void end() throws Exception {
      context.nemesis().nemesis("stop-" + NO_WRITES, Map.of(Vocabulary.TARGET, "cluster"));
      set(JSON.nullNode());
    }

    private void set(JsonNode value) throws IOException, InterruptedException {
      ObjectNode settings = JSON.createObjectNode();
      settings.set(setting, value);
      request(context, "PUT", "/" + context.names().lockAlias() + "/_settings", settings);
    }
  }

  private static void request(FaultContext context, String method, String path, JsonNode body)
      throws IOException, InterruptedException {
    String text = body.isNull() ? "" : body.toString();
    String unused = context.arena().cluster().change(method, path, text);
  }

  private static Fault.Injection injection(String target, OperatorAct act) {
    return new Fault.Injection() {
      @Override
      public String target() {
        return target;
      }

      @Override
      public void begin() throws Exception {
        act.perform();
      }

      @Override
      public void end() {
        // What is gone is gone, and what was made stays.
      }
    };
  }

  private record IndexMade(String name, ObjectNode mappings) {}

  /**
   * Operators act while their cluster is whole; and only then it is known for certain that what was
   * asked for has happened when it is answered.
   */
  private abstract static class IndexDeletion implements Fault {

    abstract @Nullable Injection aim(FaultContext context, IndexMade old)
        throws IOException, InterruptedException;

    @Override
    public Duration patience() {
      return PATIENCE;
    }

    @Override
    public String name() {
      return DELETED;
    }

    @Override
    public Optional<Injection> aim(FaultContext context) throws Exception {
      if (!context.isWhole()) {
        return Optional.empty();
      }
      String path = "/" + context.names().lockAlias();
      JsonNode indices;
      try {
        indices = JSON.readTree(context.arena().cluster().request("GET", path, ""));
      } catch (IOException e) {
        return Optional.empty(); // there is none at the moment
      }
      Map.Entry<String, JsonNode> old = indices.properties().iterator().next();
      ObjectNode mappings = (ObjectNode) old.getValue().get("mappings");
      return Optional.ofNullable(aim(context, new IndexMade(old.getKey(), mappings)));
    }
  }

  /**
   * Others write so much that Elasticsearch answers 429 to many.
   *
   * @param threads how many requests there are at a time
   * @param alone whether nothing else is broken meanwhile. Then it is an error, and no overload, if
   *     nothing is rejected
   */
  public static Fault overload(int threads, boolean alone) {
    return new Fault() {
      @Override
      public String name() {
        return "overload";
      }

      @Override
      public Optional<Injection> aim(FaultContext context) {
        return Optional.of(new Flood(context, threads, alone));
      }
    };
  }

  private static final class Flood implements Fault.Injection {
    private static final int DOCUMENTS = 200;

    private final FaultContext context;
    private final int threads;
    private final boolean alone;
    private final List<Thread> running = new ArrayList<>();
    private final AtomicBoolean over = new AtomicBoolean();
    private final AtomicLong rejected = new AtomicLong();

    Flood(FaultContext context, int threads, boolean alone) {
      this.context = context;
      this.threads = threads;
      this.alone = alone;
    }

    @Override
    public String target() {
      return "the write queues of all nodes";
    }

    @Override
    public void begin() {
      HttpClient http = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
      String line = "{\"index\":{}}\n{\"text\":\"" + "x".repeat(100) + "\"}\n";
      String body = line.repeat(DOCUMENTS);
      List<URI> nodes = context.arena().cluster().httpUris();
      for (int i = 0; i < threads; i++) {
        URI node = nodes.get(i % nodes.size());
        Thread thread = new Thread(() -> flood(http, node, body), "flood-" + i);
        thread.setDaemon(true);
        thread.start();
        running.add(thread);
      }
    }

    private void flood(HttpClient http, URI node, String body) {
      HttpRequest request =
          HttpRequest.newBuilder(
                  node.resolve(
                      "/"
                          + context.names().floodIndex()
                          + "/_bulk?filter_path=errors,items.*.status"))
              .timeout(Duration.ofSeconds(20))
              .header("Content-Type", "application/x-ndjson")
              .POST(HttpRequest.BodyPublishers.ofString(body))
              .build();
      while (!over.get()) {
        try {
          var answer = http.send(request, BodyHandlers.ofString());
          if (answer.statusCode() == 429 || answer.body().contains("\"status\":429")) {
            rejected.incrementAndGet();
          }
        } catch (IOException e) {
          pauseAfterFailure(); // an overloaded node may close connections, or be down: go on
        } catch (InterruptedException e) {
          return;
        }
      }
    }

    /** Threads that try at once again take the processors from the nodes. */
    private static void pauseAfterFailure() {
      LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(20));
    }

    @Override
    public void end() throws InterruptedException {
      over.set(true);
      for (Thread thread : running) {
        thread.join(TimeUnit.SECONDS.toMillis(30));
      }
      if (alone && rejected.get() == 0) {
        throw new IllegalStateException("nothing was rejected: this was no overload");
      }
    }
  }
}
