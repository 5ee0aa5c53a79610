package dev.holdfast.chaos;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.chaos.toxiproxy.ToxiproxyHandle;
import dev.holdfast.chaos.toxiproxy.ToxiproxyServers;
import dev.holdfast.chaos.worker.Clients;
import dev.holdfast.chaos.worker.WorkerMain;
import dev.holdfast.chaos.worker.WorkerProcess;
import dev.holdfast.cluster.ElasticsearchNode;
import dev.holdfast.cluster.ElasticsearchVersion;
import dev.holdfast.history.History;
import dev.holdfast.history.HistoryWriter;
import dev.holdfast.history.Vocabulary;
import dev.holdfast.history.check.Checker;
import dev.holdfast.history.check.Checkers;
import dev.holdfast.history.check.FencingChecker;
import dev.holdfast.history.check.LossNoticeChecker;
import dev.holdfast.history.check.MutualExclusionChecker;
import dev.holdfast.history.check.NotVacuousChecker;
import dev.holdfast.history.check.Result;
import dev.holdfast.history.check.TtlExpiryChecker;
import dev.holdfast.history.check.Verdict;
import dev.holdfast.history.report.Run;
import dev.holdfast.history.report.RunStore;
import dev.holdfast.lock.LockInfo;
import dev.holdfast.lock.LockManager;
import dev.holdfast.lock.elasticsearch.ElasticsearchLockStore;
import eu.rekawek.toxiproxy.Proxy;
import eu.rekawek.toxiproxy.ToxiproxyClient;
import eu.rekawek.toxiproxy.model.ToxicDirection;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

/**
 * The holder of a lock is cut off from Elasticsearch, while another client is not: the holder is
 * told of its loss before the other can have the lock, the other gets it when the TTL has passed,
 * and the old holder can do no harm afterwards.
 */
class CutOffHolderChaos {
  private static final String REPRODUCE = "mvn -B verify -Pchaos -DskipUnitTests";
  private static final String LOCK = "nightly-reindex";

  /**
   * Long, so that the holder's margin (a tenth for the clocks and 2 % for drift, 2.4 s) is longer
   * than this machine is likely to keep a process from running: being <em>told</em> in time takes a
   * thread that runs. That the lease is <em>over</em> in time holds at any speed.
   */
  private static final Duration TTL = Duration.ofSeconds(20);

  /**
   * How long after the lease's end somebody who waits may still wait: one poll of 0.12 s and two
   * requests, and then as much as a very busy machine may take.
   */
  private static final Duration TAKEOVER_BOUND = Duration.ofSeconds(30);

  private static final Checker CHECKER =
      Checkers.compose(
          new MutualExclusionChecker(),
          new FencingChecker(),
          new TtlExpiryChecker(0.02, TAKEOVER_BOUND),
          new LossNoticeChecker(),
          new NotVacuousChecker(
              Set.of(Vocabulary.ACQUIRE, Vocabulary.RENEW, Vocabulary.WRITE, Vocabulary.RELEASE),
              true));

  @Test
  void holder_cutOff_isToldAndReplacedAndHarmless() throws Exception {
    Run run =
        new RunStore(Path.of(System.getProperty("holdfast.store", "store")))
            .start("cut-off-holder");
    say("starting Elasticsearch");
    try (ElasticsearchNode node = ElasticsearchNode.builder(ElasticsearchVersion.V8).start();
        ToxiproxyHandle toxiproxy = ToxiproxyServers.find();
        HistoryWriter nemesis = HistoryWriter.create(run.recording("nemesis"), System::nanoTime)) {
      say("Elasticsearch at " + node.httpUri() + "; Toxiproxy: " + toxiproxy.description());
      ToxiproxyClient proxies = new ToxiproxyClient(toxiproxy.host(), toxiproxy.port());
      Proxy link =
          proxies.createProxy(
              "client-1-to-elasticsearch",
              "127.0.0.1:0",
              node.httpUri().getHost() + ":" + node.httpUri().getPort());
      try {
        URI throughProxy = URI.create("http://" + link.getListen());
        try (WorkerProcess first = worker(run, "c1", 0, throughProxy, node.httpUri());
            WorkerProcess second = worker(run, "c2", 1, node.httpUri(), node.httpUri())) {
          play(first, second, link, nemesis, node.httpUri());
        }
      } finally {
        link.delete();
      }
    }
    History history = run.readRecordings();
    Result result = run.finish(history, CHECKER, REPRODUCE);
    say("verdict: " + result.verdict() + ". " + result.summary());
    result
        .parts()
        .forEach(
            part -> say("  " + part.checker() + ": " + part.verdict() + ". " + part.summary()));
    say("report: " + run.directory().resolve("index.html").toAbsolutePath());
    assertThat(result.verdict()).as("%s", result).isEqualTo(Verdict.VALID);
  }

  private static void play(
      WorkerProcess first, WorkerProcess second, Proxy link, HistoryWriter nemesis, URI cluster)
      throws Exception {
    assertThat(first.ask("acquire 0")).startsWith("acquired ");
    assertThat(first.ask("write first")).isEqualTo("accepted");
    assertThat(first.ask("renew")).isEqualTo("true");
    assertThat(first.ask("hold")).isEqualTo("holding");
    assertThat(second.ask("acquire 0")).isEqualTo("refused");
    second.send("acquire " + TTL.plus(TAKEOVER_BOUND).multipliedBy(2).toMillis());

    say("client c1 holds the lock; cutting it off");
    Map<String, Object> target = Map.of(Vocabulary.TARGET, "link of c1");
    nemesis.nemesis("start-partition", target);
    link.toxics().timeout("drop-requests", ToxicDirection.UPSTREAM, 0);
    link.toxics().timeout("drop-answers", ToxicDirection.DOWNSTREAM, 0);
    assertThat(first.ask("await-lost")).isEqualTo("lost");
    say("client c1 was told that its lease is lost");
    assertThat(second.answer()).startsWith("acquired ");
    say("client c2 has taken the lock over");
    assertThat(second.ask("write second")).isEqualTo("accepted");

    // The protected resource, unlike the lock, is still within the old holder's reach.
    assertThat(first.ask("write late, while cut off")).isEqualTo("refused");
    link.toxics().get("drop-requests").remove();
    link.toxics().get("drop-answers").remove();
    nemesis.nemesis("stop-partition", target);
    say("healed; client c1 tries to go on");
    assertThat(first.ask("write late, after healing")).isEqualTo("refused");
    assertThat(first.ask("renew")).isEqualTo("false");
    LockInfo before = find(cluster);
    assertThat(first.ask("release")).isEqualTo("NOT_HELD");
    assertThat(first.ask("acquire 0")).isEqualTo("refused");
    LockInfo after = find(cluster);
    assertThat(after.token()).isEqualTo(before.token());
    assertThat(after.owner()).isEqualTo("c2");
    assertThat(textOfResource(cluster)).isEqualTo("second");
    assertThat(second.ask("renew")).isEqualTo("true");
    assertThat(second.ask("release")).isEqualTo("RELEASED");
  }

  private static LockInfo find(URI cluster) {
    try (ElasticsearchLockStore store = ElasticsearchLockStore.builder(cluster.toString()).build();
        LockManager locks = LockManager.create(store)) {
      return locks.find(LOCK).orElseThrow();
    }
  }

  private static String textOfResource(URI cluster) throws Exception {
    try (var client = Clients.to(cluster)) {
      Map<?, ?> document =
          client.get(get -> get.index(WorkerMain.RESOURCE_INDEX).id(LOCK), Map.class).source();
      return document == null ? "(none)" : String.valueOf(document.get("text"));
    }
  }

  private static WorkerProcess worker(
      Run run, String client, int number, URI locksUrl, URI resourceUrl) throws Exception {
    return WorkerProcess.start(
        new WorkerProcess.Spec(
            client,
            LOCK,
            TTL,
            locksUrl,
            resourceUrl,
            number,
            2,
            run.recording(client),
            run.directory().resolve(client + ".log")));
  }

  private static void say(String what) {
    System.out.println("[chaos] " + what);
  }
}
