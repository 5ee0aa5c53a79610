package dev.holdfast.chaos.fault;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
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

/** What operators and other users of the cluster do to the lock index. Stateless. */
public final class IndexFaults {

  /** What a history calls the deletion. */
  public static final String DELETED = "index-deleted";

  private static final ObjectMapper JSON = new ObjectMapper();

  private IndexFaults() {}

  /**
   * An act of an operator upon the index. Operators do that while their cluster is whole; and only
   * then it is known for certain that what was asked for has happened when it is answered.
   */
  private abstract static class OperatorAct extends NodeFaults.Simple {
    OperatorAct(String name, String target) {
      super(name, target);
    }

    @Override
    boolean isPossible(Stage stage) {
      return stage.arena().cluster().isGreen();
    }

    @Override
    void end(Stage stage) {
      // What is gone is gone, and what was made stays.
    }
  }

  /** The lock index is deleted; whoever comes first makes it anew. */
  public static Disruption delete() {
    return new OperatorAct(DELETED, "the lock index") {
      @Override
      void begin(Stage stage) throws Exception {
        deleteIndex(stage);
      }
    };
  }

  /**
   * The lock index is deleted, and one with a raised fencing era takes its place in the same
   * moment: clients that need a lock at once would make one of the old era.
   */
  public static Disruption deleteAndRaiseEra(int era) {
    return new OperatorAct(DELETED, "the lock index, era " + era) {
      @Override
      void begin(Stage stage) throws Exception {
        String alias = stage.names().lockAlias();
        Map.Entry<String, JsonNode> old =
            JSON.readTree(stage.arena().cluster().request("GET", "/" + alias, ""))
                .properties()
                .iterator()
                .next();
        ObjectNode mappings = (ObjectNode) old.getValue().get("mappings");
        ((ObjectNode) mappings.at("/_meta/holdfast")).put("era", era);
        String next = stage.names().lockIndex() + "-era-" + era;
        ObjectNode made = JSON.createObjectNode();
        made.set("mappings", mappings);
        made.putObject("aliases").putObject(alias + ".era" + era);
        made.putObject("settings").put("number_of_shards", 1).put("auto_expand_replicas", "0-2");
        String unusedMade = stage.arena().cluster().request("PUT", "/" + next, made.toString());
        ObjectNode swap = JSON.createObjectNode();
        ArrayNode actions = swap.putArray("actions");
        actions.addObject().putObject("remove_index").put("index", old.getKey());
        actions.addObject().putObject("add").put("index", next).put("alias", alias);
        String unusedSwap = stage.arena().cluster().request("POST", "/_aliases", swap.toString());
      }
    };
  }

  private static void deleteIndex(Stage stage) throws IOException, InterruptedException {
    String unused = stage.arena().cluster().request("DELETE", "/" + stage.names().lockIndex(), "");
  }

  /**
   * Others write so much that Elasticsearch answers 429 to many.
   *
   * @param threads how many requests there are at a time
   * @param alone whether nothing else is broken meanwhile. Then it is an error, and no overload, if
   *     nothing is rejected
   */
  public static Disruption overload(int threads, boolean alone) {
    return new Disruption() {
      @Override
      public String name() {
        return "overload";
      }

      @Override
      public Optional<Injection> aim(Stage stage) {
        return Optional.of(new Flood(stage, threads, alone));
      }
    };
  }

  private static final class Flood implements Disruption.Injection {
    private static final int DOCUMENTS = 200;

    private final Stage stage;
    private final int threads;
    private final boolean alone;
    private final List<Thread> running = new ArrayList<>();
    private final AtomicBoolean over = new AtomicBoolean();
    private final AtomicLong rejected = new AtomicLong();

    Flood(Stage stage, int threads, boolean alone) {
      this.stage = stage;
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
      List<URI> nodes = stage.arena().cluster().httpUris();
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
                          + stage.names().resourceIndex()
                          + "-flood/_bulk?filter_path=errors,items.*.status"))
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
          Thread.onSpinWait(); // an overloaded node may close connections: go on
        } catch (InterruptedException e) {
          return;
        }
      }
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
