package dev.holdfast.chaos.scenario;

import dev.holdfast.chaos.check.CrashTakeoverChecker;
import dev.holdfast.chaos.check.CrowdChecker;
import dev.holdfast.chaos.check.Deletion;
import dev.holdfast.chaos.check.ExpectedEffectChecker.ExpectedEffect;
import dev.holdfast.chaos.check.LeasesKeptChecker;
import dev.holdfast.chaos.check.NoGrantsChecker;
import dev.holdfast.chaos.check.ResourcesChecker;
import dev.holdfast.chaos.fault.ClientFaults;
import dev.holdfast.chaos.fault.Fault;
import dev.holdfast.chaos.fault.FaultContext.NodeRole;
import dev.holdfast.chaos.fault.IndexFaults;
import dev.holdfast.chaos.fault.LinkFaults;
import dev.holdfast.chaos.fault.LinkFaults.Reach;
import dev.holdfast.chaos.fault.NodeFaults;
import dev.holdfast.chaos.fault.NodeFaults.CutDirection;
import dev.holdfast.chaos.fault.UntilOvercome;
import dev.holdfast.chaos.scenario.Scenario.Ground;
import dev.holdfast.chaos.worker.Defect;
import dev.holdfast.chaos.worker.Workload;
import dev.holdfast.chaos.worker.Workload.Cyclers;
import dev.holdfast.chaos.worker.Workload.Election;
import dev.holdfast.chaos.worker.Workload.Environment;
import dev.holdfast.chaos.worker.Workload.Holders;
import dev.holdfast.lock.elasticsearch.Relay;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.function.Function;
import java.util.function.IntFunction;
import java.util.random.RandomGenerator;
import java.util.stream.Collectors;

/** The catalogue of scenarios. Stateless. */
public final class Scenarios {

  /** In place of names: all scenarios. */
  static final String ALL = "all";

  /** In place of names: the scenarios that do not run by default. */
  static final String NIGHTLY = "nightly";

  private static final int CLIENTS = dev.holdfast.chaos.arena.Arena.CLIENTS;

  /** The lock that is always wanted, and at whose holder faults of clients are aimed. */
  private static final String WANTED = "h0";

  private static final Duration SKEW = Duration.ofSeconds(2);

  /** A poll of at most 0.12 s, the read that it makes, and the write that follows. */
  private static final Duration POLL_BOUND = Duration.ofSeconds(1);

  /** The extra time allowed on a machine that is busy with other work. */
  private static final Duration STALLS = Duration.ofSeconds(15);

  private static final long TTL_MILLIS = Workload.standard().rules().ttlMillis();

  /** So that a fault finds a lock held, which is not released meanwhile. */
  private static final Holders LONG_HOLDERS = new Holders(2, 2, 10 * TTL_MILLIS, true);

  /** Leaves the processors to nodes that start. */
  private static final Workload UNHURRIED = Workload.standard().with(new Cyclers(8, 12, 60));

  private static final List<String> NODES = List.of("n1", "n2", "n3");
  private static final List<NodeRole> PARTS = List.of(NodeRole.values());
  private static final List<CutDirection> DIRECTIONS = List.of(CutDirection.values());

  private Scenarios() {}

  /** Returns all scenarios, also those that run only where they are asked for. */
  public static List<Scenario> all(Duration storm) {
    List<Scenario> all = new ArrayList<>();
    all.add(baseline());
    all.addAll(links());
    all.addAll(clients());
    all.addAll(clocks());
    all.addAll(nodes());
    all.addAll(indices());
    all.add(manyLocks());
    all.add(storm(storm));
    all.add(soak(storm));
    all.add(defaultDetection());
    all.add(overload());
    return all;
  }

  /** Returns scenarios with deliberately broken clients, each of which must be detected. */
  public static List<Scenario> broken() {
    return List.of(
        scenario("holder-cut-off").with(Defect.NO_RENEWAL_CHECK, 2),
        scenario("answers-delayed").with(Defect.LEASE_FROM_RESPONSE, 1),
        scenario("client-paused").with(Defect.UNFENCED_WRITES, 2),
        scenario("client-paused").with(Defect.RELEASE_WITHOUT_OWNER_CHECK, 1),
        scenario("baseline").with(Defect.TRUST_IN_A_STALE_READ, 0),
        scenario("idle-connections-dropped").nightlyWith(Defect.NO_RENEWAL, 1),
        scenario("clocks-slewed").nightlyWith(Defect.NO_CLOCK_MARGIN, 2),
        scenario("linger-cut-off").nightlyWith(Defect.LINGER_WITHOUT_CHECK, 1),
        scenario("leader-cut-off").nightlyWith(Defect.LEADER_IGNORES_LOSS, 1));
  }

  /**
   * Returns the scenarios for nodes in containers: a few short ones, since all others are about
   * things that do not care where a node runs.
   */
  public static List<Scenario> inContainers() {
    return List.of(
        Scenario.named("container-holder-cut-off")
            .purpose("The holder of a lock loses its connection to all containers, silently.")
            .bound("its lease is over, and it has been told, before another is granted the lock")
            .workload(Workload.standard().with(LONG_HOLDERS))
            .faults(
                random -> times(2, 4_500, 1_000, i -> LinkFaults.cut(LinkFaults.HOLDER, Reach.ALL)))
            .shows(ExpectedEffect.LOSS, ExpectedEffect.TAKEOVER, ExpectedEffect.UNANSWERED)
            .build(),
        Scenario.named("container-disconnected")
            .purpose(
                "The container with the primary is taken from the network of the nodes, and put"
                    + " back; clients reach all of them.")
            .bound("the smaller part grants nothing, and its reads are not believed")
            .faults(random -> times(1, 8_000, 2_000, i -> NodeFaults.disconnect(NodeRole.PRIMARY)))
            .build(),
        Scenario.named("container-paused")
            .purpose(
                "The container with the primary is paused until another grants locks, and goes on.")
            .bound("the answers of a stale primary are not believed")
            .faults(
                random ->
                    times(
                        1,
                        8_000,
                        2_000,
                        i -> new UntilOvercome(NodeFaults.pause(NodeRole.PRIMARY))))
            .build(),
        Scenario.named("container-killed")
            .purpose("The container with the primary is killed, and started again.")
            .bound("an acknowledged write survives its container")
            .faults(random -> times(1, 3_000, 3_000, i -> NodeFaults.kill(NodeRole.PRIMARY)))
            .build(),
        Scenario.named("container-restarted")
            .purpose("The master's container is stopped in an orderly way, and started again.")
            .bound("an upgrade makes no second holder")
            .faults(random -> times(1, 3_000, 1_000, i -> NodeFaults.restart(NodeRole.MASTER)))
            .build());
  }

  /**
   * Returns a scenario for containers with a deliberately broken client, which must be detected.
   */
  public static List<Scenario> brokenInContainers() {
    return List.of(inContainers().get(0).with(Defect.NO_RENEWAL_CHECK, 2));
  }

  private static Scenario scenario(String name) {
    return all(Duration.ofSeconds(1)).stream()
        .filter(each -> each.name().equals(name))
        .findFirst()
        .orElseThrow();
  }

  private static Scenario baseline() {
    return Scenario.named("baseline")
        .purpose("No faults: the lock alone loses no update.")
        .bound("no update of a counter without fencing is lost")
        .workload(Workload.standard().withTtlMillis(30_000).with(new Holders(2, 2, 3_000, false)))
        .faults(random -> Schedule.quiet(Duration.ofSeconds(12)))
        .build();
  }

  // --- Between clients and nodes

  private static List<Scenario> links() {
    Workload slow =
        Workload.standard().withTtlMillis(10_000).with(new Holders(2, 6, 20_000, false));
    // Long enough for a request to be given up and another to succeed, between two renewals. Few
    // requests, so that connections are idle.
    long longTtlMillis = 15_000;
    Workload calm =
        Workload.standard()
            .withTtlMillis(longTtlMillis)
            .with(new Cyclers(4, 12, 100))
            .with(new Holders(2, 2, 4 * longTtlMillis, true));
    return List.of(
        Scenario.named("holder-cut-off")
            .purpose("The holder of a lock loses its connection to all nodes, silently.")
            .bound("its lease is over, and it has been told, before another is granted the lock")
            .workload(Workload.standard().with(LONG_HOLDERS))
            .faults(
                random -> times(3, 4_500, 1_000, i -> LinkFaults.cut(LinkFaults.HOLDER, Reach.ALL)))
            .shows(ExpectedEffect.LOSS, ExpectedEffect.TAKEOVER, ExpectedEffect.UNANSWERED)
            .build(),
        Scenario.named("cut-off-from-primary")
            .purpose("The holder cannot reach the node with the primary, but can reach the others.")
            .bound("the same as when it is cut off from all")
            .workload(Workload.standard().with(LONG_HOLDERS))
            .faults(
                random ->
                    times(2, 4_000, 1_000, i -> LinkFaults.cut(LinkFaults.HOLDER, Reach.PRIMARY)))
            .build(),
        Scenario.named("answers-reset")
            .purpose("Requests are applied, and the connection is reset in place of the answer.")
            .bound("a write that was applied without an answer makes no second holder")
            .faults(
                random ->
                    times(44, 300, 250, i -> LinkFaults.resetAnswers(slot(random), Reach.ALL)))
            .build(),
        Scenario.named("one-way-cuts")
            .purpose("Only requests, or only answers, get lost.")
            .bound(
                "no client believes in a lease for longer than its last acknowledged write allows")
            .workload(Workload.standard().with(LONG_HOLDERS))
            .faults(
                random ->
                    times(
                        4,
                        5_500,
                        1_000,
                        i ->
                            i % 2 == 0
                                ? LinkFaults.cutRequests(LinkFaults.HOLDER, Reach.ALL)
                                : LinkFaults.cutAnswers(LinkFaults.HOLDER, Reach.ALL)))
            .shows(ExpectedEffect.LOSS, ExpectedEffect.TAKEOVER, ExpectedEffect.UNANSWERED)
            .build(),
        Scenario.named("answers-delayed")
            .purpose("Answers take a second, then two, with jitter.")
            .bound("a lease counts from before its request, however late the answer comes")
            // Others wait for less than the delay after a lease is over, or they would cover for
            // who counts it from the answer. Leases are short, many hold locks and more look for
            // them, so that many leases are granted under the fault, end under it, and are wanted.
            // That needs the first delay: with the second, which counts for each part of an answer,
            // most answers come too late.
            .workload(
                slow.with(new Workload.Rules(5_000, 200, true, 8_000, true))
                    .with(new Cyclers(16, 12, 20))
                    .with(new Holders(8, 28, 10_000, false)))
            .faults(
                random ->
                    new Schedule.Writer()
                        .add(LinkFaults.delay(slot(random), Reach.ALL, 1_000, 200), 25_000, 1_000)
                        .add(LinkFaults.delay(slot(random), Reach.ALL, 2_000, 500), 11_000, 1_000)
                        .end())
            .build(),
        Scenario.named("bandwidth")
            .purpose("Links carry 1 KB/s.")
            .bound("the same as for any delay")
            .workload(slow)
            .faults(
                random ->
                    times(2, 7_000, 1_000, i -> LinkFaults.throttle(slot(random), Reach.ALL, 1)))
            .build(),
        Scenario.named("sliced")
            .purpose("Packets arrive in pieces of some ten bytes.")
            .bound("no answer is understood before it is complete")
            .faults(
                random ->
                    times(4, 2_000, 400, i -> LinkFaults.slice(slot(random), Reach.ALL, 10, 1_000)))
            .build(),
        Scenario.named("broken-off")
            .purpose("Connections end in the middle of a request or an answer.")
            .bound("a request that was cut off at an unknown point makes no second holder")
            .faults(
                random ->
                    times(
                        44,
                        300,
                        250,
                        i ->
                            LinkFaults.limit(
                                slot(random),
                                Reach.ALL,
                                random.nextBoolean(),
                                100 + random.nextInt(600))))
            .build(),
        Scenario.named("flapping")
            .purpose("Links come and go several times a second, by refusal or silently.")
            .bound("a lease outlives short failures and is never held by two")
            .faults(
                random ->
                    times(
                        80,
                        150,
                        150,
                        i ->
                            random.nextBoolean()
                                ? LinkFaults.refuse(slot(random), Reach.ALL)
                                : LinkFaults.cut(slot(random), Reach.ALL)))
            .build(),
        Scenario.named("idle-connections-dropped")
            .purpose(
                "A proxy before the nodes forgets connections that were idle for half a second:"
                    + " silently, with a reset, with a close.")
            .bound("a connection that is dead costs a request, and no lease")
            .workload(calm)
            .faults(
                random ->
                    new Schedule.Writer()
                        .add(idle(Relay.Death.SILENT), 14_000, 1_000)
                        .add(idle(Relay.Death.RESET_AT_USE), 7_000, 1_000)
                        .add(idle(Relay.Death.CLOSED_AT_USE), 7_000, 1_000)
                        .end())
            .checkedBy(new LeasesKeptChecker(Duration.ofMillis(longTtlMillis)))
            .shows(ExpectedEffect.HIT)
            .nightly()
            .build(),
        Scenario.named("bodies-limited")
            .purpose("A proxy before the nodes answers 413 to requests of more than 5,000 bytes.")
            .bound("requests are sent in parts, and no lease is lost")
            // So many leases that their renewals together are larger, and so long that a busy
            // machine has time for all parts.
            .workload(
                calm.withTtlMillis(2 * longTtlMillis)
                    .with(new Holders(2, 2, 8 * longTtlMillis, true))
                    .withLeases(100))
            .faults(
                random ->
                    times(
                        1,
                        33_000,
                        1_000,
                        i -> LinkFaults.limitBodies(LinkFaults.ALL_CLIENTS, Reach.ALL, 5_000)))
            .checkedBy(new LeasesKeptChecker(Duration.ofMillis(2 * longTtlMillis)))
            .shows(ExpectedEffect.HIT)
            .nightly()
            .build());
  }

  private static Fault idle(Relay.Death death) {
    return LinkFaults.dropIdle(LinkFaults.ALL_CLIENTS, Reach.ALL, death, Duration.ofMillis(500));
  }

  // --- Clients

  private static List<Scenario> clients() {
    return List.of(
        Scenario.named("client-paused")
            .purpose("A holder is paused beyond its TTL, and resumes in the middle of its work.")
            .bound("its stale write is refused, it learns of its loss, and it harms no successor")
            .workload(Workload.standard().with(LONG_HOLDERS))
            // Time to see what a stale holder tries, before the next one is paused.
            .faults(random -> times(3, 6_500, 4_000, i -> ClientFaults.pauseHolder(WANTED)))
            .shows(
                ExpectedEffect.LOSS,
                ExpectedEffect.TAKEOVER,
                ExpectedEffect.REFUSED_WRITE,
                ExpectedEffect.REFUSED_RENEWAL,
                ExpectedEffect.REFUSED_RELEASE)
            .build(),
        Scenario.named("client-killed")
            .purpose("A holder is killed; others get its lock.")
            .bound(
                "taken over within the TTL, %d s of skew and %d s for a poll; invalid where a machine that is busy takes %d s more"
                    .formatted(SKEW.toSeconds(), POLL_BOUND.toSeconds(), STALLS.toSeconds()))
            .workload(Workload.standard().with(LONG_HOLDERS))
            .faults(random -> times(4, 4_500, 1_000, i -> ClientFaults.killHolder(WANTED)))
            .checkedBy(
                new CrashTakeoverChecker(
                    Duration.ofMillis(TTL_MILLIS).plus(SKEW).plus(POLL_BOUND), STALLS, "h"))
            .shows(ExpectedEffect.TAKEOVER)
            .build(),
        Scenario.named("linger-cut-off")
            .purpose(
                "A client with locks that linger after their releases loses its connection to all"
                    + " nodes, silently.")
            .bound(
                "a lock that lingers is granted again while its lease lasts, never beside another's"
                    + " grant")
            .workload(Workload.standard().withLingerers(6))
            .faults(random -> times(2, 6_500, 1_000, i -> LinkFaults.cut(slot(random), Reach.ALL)))
            .shows(ExpectedEffect.LINGERED, ExpectedEffect.LINGERING_TAKEN_OVER)
            .build(),
        Scenario.named("leader-cut-off")
            .purpose(
                "The leader loses its connection to all nodes, silently, both ways and one way.")
            .bound("another leads, and never two at a time")
            .workload(Workload.standard().with(Election.UNTIL_LOST))
            .faults(
                random ->
                    new Schedule.Writer()
                        .add(LinkFaults.cut(LinkFaults.LEADER, Reach.ALL), 5_000, 1_000)
                        .add(LinkFaults.cutAnswers(LinkFaults.LEADER, Reach.ALL), 6_500, 1_000)
                        .end())
            .shows(ExpectedEffect.LEADER_REPLACED)
            .build(),
        Scenario.named("client-starved")
            .purpose(
                "The executor of a holder is busy, its process runs a tenth of the time, and then"
                    + " it loses its connection to all nodes, silently.")
            .bound("a lease ends in time without a thread that would tell so")
            .workload(Workload.standard().with(LONG_HOLDERS).in(new Environment(false, 4, false)))
            .faults(
                random ->
                    during(
                        2,
                        i -> ClientFaults.starveHolder(WANTED),
                        Duration.ofSeconds(9),
                        Duration.ofSeconds(1),
                        Duration.ofMillis(5_500)))
            .shows(ExpectedEffect.LOSS, ExpectedEffect.TAKEOVER, ExpectedEffect.HIT)
            .nightly()
            .build(),
        Scenario.named("spring-boot")
            .purpose(
                "Clients are applications of Spring Boot, of which one is cut off and one killed"
                    + " while they hold a lock.")
            .bound("the same as for clients that build their lock manager themselves")
            .workload(Workload.standard().with(LONG_HOLDERS).in(new Environment(true, 0, false)))
            .faults(
                random ->
                    new Schedule.Writer()
                        .add(LinkFaults.cut(LinkFaults.HOLDER, Reach.ALL), 4_500, 1_000)
                        .add(ClientFaults.killHolder(WANTED), 4_500, 1_000)
                        .end())
            .shows(ExpectedEffect.LOSS, ExpectedEffect.TAKEOVER, ExpectedEffect.UNANSWERED)
            .nightly()
            .build());
  }

  /**
   * Returns rounds of a fault during which, after a while, the holder of a lock is cut off from all
   * nodes too.
   */
  private static Schedule during(
      int rounds, IntFunction<Fault> fault, Duration lasting, Duration after, Duration cutOff) {
    List<Schedule.PlannedFault> steps = new ArrayList<>();
    Duration at = Duration.ofSeconds(1);
    for (int i = 0; i < rounds; i++) {
      steps.add(new Schedule.PlannedFault(at, fault.apply(i), lasting));
      steps.add(
          new Schedule.PlannedFault(
              at.plus(after), LinkFaults.cut(LinkFaults.HOLDER, Reach.ALL), cutOff));
      at = at.plus(lasting).plusSeconds(2);
    }
    return new Schedule(steps, at, false);
  }

  private static List<Scenario> clocks() {
    Function<RandomGenerator, Schedule> cuts =
        random -> times(2, 5_500, 1_000, i -> LinkFaults.cut(LinkFaults.HOLDER, Reach.ALL));
    return List.of(
        Scenario.named("clocks-hours-off")
            .purpose("Wall clocks are an hour early and late; the calendar rule is off.")
            .bound("locks do not depend on wall clocks then")
            .workload(Workload.standard().withoutCalendar().with(LONG_HOLDERS))
            .wallOffsetsMillis(3_600_000, -3_600_000, 0)
            .faults(cuts)
            .shows(ExpectedEffect.LOSS, ExpectedEffect.TAKEOVER)
            .build(),
        Scenario.named("clocks-within-skew")
            .purpose("Wall clocks differ by almost the allowed skew; the calendar rule is on.")
            .bound("a difference of up to the skew makes no second holder")
            .workload(Workload.standard().with(LONG_HOLDERS))
            .wallOffsetsMillis(950, -950, 0)
            .faults(cuts)
            .shows(ExpectedEffect.LOSS, ExpectedEffect.TAKEOVER)
            .build(),
        Scenario.named("clocks-slewed")
            .purpose(
                "Both clocks of a holder are slowed down by a twelfth, as chrony does, those of"
                    + " others are fast by 1.7 %, and the holder is cut off.")
            .bound("clocks within the margin of 10 % make no second holder")
            // So long that the margin is long beside a poll and a slow answer, and once, so that
            // wall
            // clocks stay within the skew.
            .workload(
                Workload.standard()
                    .withTtlMillis(4 * TTL_MILLIS)
                    .with(LONG_HOLDERS)
                    .in(new Environment(false, 0, true)))
            .faults(
                random ->
                    during(
                        1,
                        i -> ClientFaults.slewClocks(WANTED, -83_333, 17_000),
                        Duration.ofMillis(18_500),
                        // Its last renewal is of the time in which the clocks are slewed, too.
                        Duration.ofSeconds(4),
                        Duration.ofSeconds(14)))
            .shows(ExpectedEffect.LOSS, ExpectedEffect.TAKEOVER, ExpectedEffect.HIT)
            .nightly()
            .build());
  }

  // --- Nodes

  private static List<Scenario> nodes() {
    return List.of(
        Scenario.named("primary-killed")
            .purpose("The node with the primary is killed while locks are held, and comes back.")
            .bound("an acknowledged write survives its node")
            .workload(UNHURRIED)
            .faults(random -> times(1, 3_000, 4_000, i -> NodeFaults.kill(NodeRole.PRIMARY)))
            .build(),
        Scenario.named("master-killed")
            .purpose("The master is killed, and comes back.")
            .bound("an election makes no second holder")
            .workload(UNHURRIED)
            .faults(random -> times(1, 3_000, 4_000, i -> NodeFaults.kill(NodeRole.MASTER)))
            .build(),
        Scenario.named("primary-paused")
            .purpose(
                "The node with the primary is paused until another grants locks, and resumes as"
                    + " if it were the primary.")
            .bound("the answers of a stale primary are not believed")
            .faults(
                random ->
                    times(
                        2,
                        8_000,
                        3_000,
                        i -> new UntilOvercome(NodeFaults.pause(NodeRole.PRIMARY))))
            .build(),
        Scenario.named("node-inbound-cut")
            .purpose("Nothing that other nodes send reaches the primary, then the master.")
            .bound("a node that receives nothing grants nothing")
            .faults(
                random ->
                    times(
                        2,
                        7_000,
                        3_000,
                        i ->
                            new UntilOvercome(
                                NodeFaults.cutInbound(
                                    i == 0 ? NodeRole.PRIMARY : NodeRole.MASTER))))
            .build(),
        Scenario.named("nodes-partitioned")
            .purpose(
                "A node is partitioned from the others, both ways and one way; clients reach all.")
            .bound("the smaller part grants nothing, and its reads are not believed")
            .faults(
                random ->
                    new Schedule.Writer()
                        .add(partitioned(NodeRole.PRIMARY, CutDirection.BOTH), 7_000, 2_000)
                        .add(partitioned(NodeRole.MASTER, CutDirection.BOTH), 7_000, 2_000)
                        .add(partitioned(NodeRole.PRIMARY, CutDirection.INBOUND), 5_000, 2_000)
                        // Not until it is overcome: Elasticsearch does not part with a node that
                        // was the master too (see docs/adr/0017).
                        .add(
                            NodeFaults.partition(NodeRole.PRIMARY, CutDirection.OUTBOUND),
                            8_000,
                            2_000)
                        .end())
            .build(),
        Scenario.named("rolling-restart")
            .purpose("All nodes are restarted one by one under load.")
            .bound("an upgrade of the cluster makes no second holder")
            .workload(UNHURRIED)
            .faults(random -> times(1, 0, 2_000, i -> NodeFaults.roll()))
            .build(),
        Scenario.named("cluster-restarted")
            .purpose("The whole cluster is stopped, and started again.")
            .bound("leases end in time while there is no cluster, and locks outlive it")
            .workload(UNHURRIED)
            .faults(random -> times(1, 4_000, 3_000, i -> NodeFaults.stopAll()))
            .build(),
        Scenario.named("majority-lost")
            .purpose("Two of three nodes are killed, and come back.")
            .bound("without a majority nothing is granted, and every lease ends within its TTL")
            .workload(Workload.standard().with(LONG_HOLDERS))
            .faults(
                random ->
                    times(
                        1,
                        9_000,
                        3_000,
                        i -> NodeFaults.killMajority(NODES.get(random.nextInt(NODES.size())))))
            .checkedBy(NoGrantsChecker.withoutMajority(Duration.ofMillis(TTL_MILLIS)))
            .shows(ExpectedEffect.LOSS)
            .build(),
        Scenario.named("primary-stutters")
            .purpose(
                "The node with the primary pauses for 1.2 s again and again, as in long garbage"
                    + " collections, which the cluster does not notice.")
            .bound("pauses that are shorter than a request may take cost no lease")
            .workload(
                Workload.standard().withTtlMillis(10_000).with(new Holders(2, 2, 40_000, true)))
            .faults(
                random ->
                    times(1, 16_000, 1_000, i -> NodeFaults.stutter(NodeRole.PRIMARY, 1_200, 600)))
            .checkedBy(new LeasesKeptChecker(Duration.ofSeconds(10)))
            .shows(ExpectedEffect.HIT, ExpectedEffect.SLOWED)
            .nightly()
            .build());
  }

  private static Fault partitioned(NodeRole part, CutDirection direction) {
    return new UntilOvercome(NodeFaults.partition(part, direction));
  }

  private static Scenario defaultDetection() {
    return Scenario.named("partitioned-default-detection")
        .purpose(
            "The node with the primary is partitioned from the others, at the default fault"
                + " detection of Elasticsearch, which takes half a minute to notice.")
        .bound("exclusion does not depend on how fast a cluster notices")
        .on(Ground.DEFAULT_DETECTION)
        .faults(
            random ->
                times(1, 40_000, 2_000, i -> partitioned(NodeRole.PRIMARY, CutDirection.BOTH)))
        .build();
  }

  // --- The index

  private static List<Scenario> indices() {
    // So long that being told is not the same as running out, nor as the next renewal, which comes
    // after a third: a client that is told sooner was told by the answer to another's request.
    Workload patient =
        Workload.standard().withTtlMillis(90_000).with(new Holders(2, 2, 10_000, true));
    Duration told = Duration.ofSeconds(15);
    return List.of(
        Scenario.named("index-deleted")
            .purpose("The lock index is deleted while locks are held, and re-created by clients.")
            .bound(
                "holders are told at once; tokens begin low, and fenced resources reject"
                    + " new holders")
            .workload(patient)
            .faults(random -> times(2, 0, 6_000, i -> IndexFaults.delete()))
            .acrossDeletion()
            .checkedBy(Deletion.told(told), Deletion.fencing())
            .shows(ExpectedEffect.LOSS, ExpectedEffect.NEWCOMER_REFUSED)
            .build(),
        Scenario.named("index-deleted-era-raised")
            .purpose("The lock index is deleted, and re-created by its operator with a raised era.")
            .bound("holders are told at once, and tokens go on rising")
            .workload(patient)
            .faults(random -> times(2, 0, 6_000, i -> IndexFaults.deleteAndRaiseEra()))
            .acrossDeletion()
            .checkedBy(Deletion.told(told), Deletion.fencingThroughEras())
            .shows(ExpectedEffect.LOSS)
            .build(),
        Scenario.named("alias-swapped")
            .purpose(
                "The alias is moved to a new index of the same era, and the old index stays, where"
                    + " holders could go on.")
            .bound(
                "holders are told within 12 s; tokens begin low, and fenced resources reject new"
                    + " holders")
            .workload(patient)
            .faults(random -> times(1, 12_000, 6_000, i -> IndexFaults.swapAlias()))
            .acrossDeletion()
            .checkedBy(Deletion.told(Duration.ZERO), Deletion.fencing())
            .shows(ExpectedEffect.LOSS, ExpectedEffect.NEWCOMER_REFUSED)
            .nightly()
            .build(),
        Scenario.named("index-blocked")
            .purpose(
                "The index is blocked for writes, as at the flood stage of a disk and as by an"
                    + " operator, and the block is lifted.")
            .bound("meanwhile nothing is granted, and every lease ends within its TTL")
            .workload(Workload.standard().with(LONG_HOLDERS))
            .faults(
                random ->
                    new Schedule.Writer()
                        .add(IndexFaults.block("read_only_allow_delete"), 5_000, 2_500)
                        .add(IndexFaults.block("read_only"), 5_000, 1_000)
                        .end())
            .checkedBy(NoGrantsChecker.whileBlocked(Duration.ofMillis(TTL_MILLIS)))
            .shows(ExpectedEffect.LOSS, ExpectedEffect.BLOCKED)
            .build());
  }

  // --- Load

  private static Scenario overload() {
    return Scenario.named("overload")
        .purpose("Other clients write so much that Elasticsearch answers 429.")
        .bound("a rejected write is tried again, and counts as perhaps applied")
        .on(Ground.SHORT_QUEUES)
        .faults(random -> times(1, 8_000, 1_000, i -> IndexFaults.overload(48, true)))
        .shows(ExpectedEffect.REJECTED)
        .build();
  }

  private static Scenario manyLocks() {
    return Scenario.named("many-locks")
        .purpose(
            "The node with the primary is killed while a thousand locks are held, and more than"
                + " fifty clients wait for one other.")
        .bound("load makes no second holder")
        .workload(
            Workload.standard()
                .withTtlMillis(20_000)
                .with(new Cyclers(20, 1, 5))
                .with(new Holders(0, 1, 1, false))
                .withManagers(20)
                .withLeases(340))
        .faults(random -> times(1, 3_000, 5_000, i -> NodeFaults.kill(NodeRole.PRIMARY)))
        .checkedBy(new CrowdChecker(1_000, 50))
        .build();
  }

  // --- All of it

  private static Scenario storm(Duration length) {
    return Scenario.named("storm")
        .purpose(
            "Random faults of links, nodes, clients and the index, several at a time, under load"
                + " and with wrong clocks.")
        .bound("all of the above")
        .on(Ground.SHORT_QUEUES)
        .workload(Workload.standard().with(LONG_HOLDERS))
        .wallOffsetsMillis(950, -950, 0)
        .faults(random -> storm(length, random, true))
        .asFarAsPossible()
        .acrossDeletion()
        .checkedBy(
            Deletion.fencingThroughEras(), Deletion.outlivedBy(Duration.ofMillis(TTL_MILLIS)))
        .build();
  }

  /** The storm for what must not grow: locks may linger in it, and one client is never killed. */
  private static Scenario soak(Duration length) {
    return Scenario.named("soak")
        .purpose(
            "Random faults of links, nodes and clients, several at a time, while locks linger and a"
                + " leader is elected. One client is never killed.")
        .bound("all of the above, and its heap, threads, sockets and open files do not grow")
        .on(Ground.SHORT_QUEUES)
        .workload(Workload.standard().with(LONG_HOLDERS).withLingerers(2))
        .wallOffsetsMillis(950, -950, 0)
        .faults(random -> storm(length, random, false))
        .asFarAsPossible()
        .checkedBy(new ResourcesChecker(length.dividedBy(2)))
        .nightly()
        .build();
  }

  /** An operator acts only on a cluster that is whole, as it is for certain in the beginning. */
  private static Schedule storm(Duration length, RandomGenerator random, boolean deletions) {
    List<Schedule.PlannedFault> steps = new ArrayList<>();
    if (deletions) {
      steps.add(
          new Schedule.PlannedFault(
              Duration.ofSeconds(1), IndexFaults.deleteAndRaiseEra(), Duration.ZERO));
    }
    Duration at = Duration.ofSeconds(2);
    while (at.compareTo(length) < 0) {
      int kind = random.nextInt(80);
      if (kind == 0) {
        rollingRestart(at, steps);
      } else if (kind == 1 && deletions) {
        steps.add(new Schedule.PlannedFault(at, IndexFaults.deleteAndRaiseEra(), Duration.ZERO));
      } else {
        boolean link = kind < 62;
        long lasting = link ? 200 + random.nextInt(5_000) : 2_000 + random.nextInt(7_000);
        Fault what = link ? anyOfLinks(random) : anyOther(random);
        steps.add(new Schedule.PlannedFault(at, what, Duration.ofMillis(lasting)));
      }
      at = at.plusMillis(300 + random.nextInt(2_500));
    }
    steps.removeIf(step -> step.at().compareTo(length) >= 0);
    steps.sort(Comparator.comparing(Schedule.PlannedFault::at));
    return new Schedule(steps, length, true);
  }

  /** Adds a rolling restart; the load beside it must not stop meanwhile. */
  private static void rollingRestart(Duration from, List<Schedule.PlannedFault> steps) {
    for (int i = 0; i < NODES.size(); i++) {
      steps.add(
          new Schedule.PlannedFault(
              from.plusSeconds(25L * i), NodeFaults.roll(NODES.get(i)), Duration.ofSeconds(3)));
    }
  }

  private static Fault anyOfLinks(RandomGenerator random) {
    int slot = slot(random);
    Reach reach = random.nextInt(3) == 0 ? Reach.PRIMARY : Reach.ALL;
    return switch (random.nextInt(9)) {
      case 0 -> LinkFaults.cut(slot, reach);
      case 1 -> LinkFaults.cutRequests(slot, reach);
      case 2 -> LinkFaults.cutAnswers(slot, reach);
      case 3 -> LinkFaults.resetAnswers(slot, reach);
      case 4 -> LinkFaults.refuse(slot, reach);
      case 5 -> LinkFaults.delay(slot, reach, random.nextInt(2_000), random.nextInt(500));
      case 6 -> LinkFaults.throttle(slot, reach, 1 + random.nextInt(10));
      case 7 -> LinkFaults.slice(slot, reach, 5 + random.nextInt(50), random.nextInt(2_000));
      default -> LinkFaults.limit(slot, reach, random.nextBoolean(), random.nextInt(2_000));
    };
  }

  private static Fault anyOther(RandomGenerator random) {
    NodeRole part = PARTS.get(random.nextInt(PARTS.size()));
    CutDirection direction = DIRECTIONS.get(random.nextInt(DIRECTIONS.size()));
    return switch (random.nextInt(17)) {
      case 0, 1 -> NodeFaults.kill(part);
      case 2, 3 -> NodeFaults.stop(part);
      case 4, 5 -> NodeFaults.pause(part);
      case 6, 7 -> NodeFaults.cutInbound(part);
      case 8, 9 -> NodeFaults.partition(part, direction);
      case 10, 11 -> ClientFaults.pauseHolder(WANTED);
      case 12, 13 -> ClientFaults.killHolderExcept(CLIENTS - 1, WANTED);
      case 14 -> NodeFaults.stopAll();
      case 15 -> NodeFaults.killMajority(NODES.get(random.nextInt(NODES.size())));
      default -> IndexFaults.overload(48, false);
    };
  }

  private static int slot(RandomGenerator random) {
    return random.nextInt(CLIENTS);
  }

  private static Schedule times(
      int count, long lastingMillis, long pauseMillis, IntFunction<Fault> fault) {
    Schedule.Writer writer = new Schedule.Writer();
    for (int i = 0; i < count; i++) {
      writer.add(fault.apply(i), lastingMillis, pauseMillis);
    }
    return writer.end();
  }

  /**
   * Returns the scenarios of those names.
   *
   * @param names separated by commas; {@value #ALL} for all, {@value #NIGHTLY} for those that do
   *     not run otherwise, and empty for all but those
   * @throws IllegalArgumentException if there is no such scenario; the message names all there are
   */
  public static List<Scenario> select(List<Scenario> from, String names) {
    return switch (names.strip()) {
      case "" -> from.stream().filter(each -> !each.isNightly()).toList();
      case NIGHTLY -> from.stream().filter(Scenario::isNightly).toList();
      case ALL -> from;
      default -> Arrays.stream(names.split(",", -1)).map(name -> named(from, name)).toList();
    };
  }

  private static Scenario named(List<Scenario> from, String name) {
    return from.stream()
        .filter(each -> each.name().equals(name.strip()))
        .findFirst()
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "no scenario \"%s\"; there are %s"
                        .formatted(
                            name,
                            from.stream().map(Scenario::name).collect(Collectors.joining(", ")))));
  }
}
