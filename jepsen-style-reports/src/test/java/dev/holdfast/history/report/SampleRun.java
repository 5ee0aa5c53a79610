package dev.holdfast.history.report;

import static dev.holdfast.history.Operation.Type.FAIL;

import dev.holdfast.history.History;
import dev.holdfast.history.HistoryScript;
import dev.holdfast.history.check.Checker;
import dev.holdfast.history.check.Checkers;
import dev.holdfast.history.check.CoverageChecker;
import dev.holdfast.history.check.FencingChecker;
import dev.holdfast.history.check.LossNoticeChecker;
import dev.holdfast.history.check.MutualExclusionChecker;
import dev.holdfast.history.check.TtlExpiryChecker;
import java.time.Duration;
import java.util.Set;

/** Runs as a chaos test would record them, to look at. */
final class SampleRun {

  private SampleRun() {}

  static History valid() {
    return script().build();
  }

  /** The last holder of "orders" is granted it while another still holds it. */
  static History withOverlap() {
    return script()
        .ok(
            20_900,
            21_200,
            "acquire",
            "lock",
            "orders",
            "client",
            "client-2",
            "fence",
            31,
            "ttl",
            2000)
        .build();
  }

  /** Two clients that hold one lock, all of whose names, as that of a broken node, are this. */
  static History named(String name) {
    return new HistoryScript()
        .ok(0, 10, "acquire", "lock", name, "client", name, "fence", 1, "ttl", 1000)
        .ok(20, 30, "acquire", "lock", name, "client", name + "2", "fence", 2, "ttl", 1000)
        .nemesis(15, "kill", "target", name)
        .build();
  }

  /**
   * Two threads of one client hold a lock for ten seconds, among short leases on other locks;
   * tokens are as large as real ones are.
   */
  static History withLongOverlap() {
    HistoryScript script = new HistoryScript();
    long fence = 70_368_744_177_664L;
    for (int i = 0; i < 150; i++) {
      String lock = "a-short-" + i % 3;
      String client = "client-" + (1 + i % 12);
      long at = 120L * i;
      long token = fence + 256L * i;
      script
          .ok(at, at + 8, "acquire", "lock", lock, "client", client, "fence", token, "ttl", 3000)
          .ok(at + 60, at + 66, "release", "lock", lock, "client", client, "fence", token);
    }
    script
        .ok(
            6_850,
            6_900,
            "acquire",
            "lock",
            "z-import",
            "client",
            "client-3",
            "fence",
            fence + 1,
            "ttl",
            9_850)
        .ok(
            6_900,
            6_952,
            "acquire",
            "lock",
            "z-import",
            "client",
            "client-3",
            "fence",
            fence + 257,
            "ttl",
            30_000)
        .ok(
            17_000,
            17_050,
            "release",
            "lock",
            "z-import",
            "client",
            "client-3",
            "fence",
            fence + 257)
        .nemesis(5_000, "start-pause", "target", "client-3")
        .nemesis(9_000, "stop-pause", "target", "client-3");
    return script.build();
  }

  /** A third client acquires a mutex that the second still holds. */
  static History withoutAnOrder() {
    return new HistoryScript()
        .acquired(0, 100, "c1", 1, 100_000)
        .released(200, 300, "c1", 1)
        .acquired(400, 500, "c2", 2, 100_000)
        .acquired(600, 900, "c3", 3, 100_000)
        .released(1_000, 1_100, "c3", 3)
        .build();
  }

  static Checker checker() {
    return Checkers.compose(
        new MutualExclusionChecker(),
        new FencingChecker(),
        new TtlExpiryChecker(0.02, Duration.ofMillis(1500)),
        new LossNoticeChecker(),
        new CoverageChecker(Set.of("acquire", "renew", "release", "write"), true));
  }

  private static HistoryScript script() {
    HistoryScript script = new HistoryScript();
    String[] clients = {"client-1", "client-2", "client-3", "client-4"};
    long at = 100;
    for (int i = 0; i < 7; i++) {
      String client = clients[i % 3];
      long fence = 10L + i;
      script.ok(
          at, at + 60, "acquire", "lock", "orders", "client", client, "fence", fence, "ttl", 2000);
      script.ok(at + 200, at + 230, "write", "lock", "orders", "client", client, "fence", fence);
      script.ok(
          at + 700, at + 730, "renew", "lock", "orders", "client", client, "fence", fence, "ttl",
          2000);
      script.ok(
          at + 1300, at + 1350, "release", "lock", "orders", "client", client, "fence", fence);
      script.call(
          at + 250, at + 900, FAIL, "acquire", "lock", "orders", "client", clients[(i + 1) % 3]);
      at += 1500 + 70L * i;
    }
    script.nemesis(at, "start-partition", "target", "es-2");
    script.ok(
        at + 100,
        at + 160,
        "acquire",
        "lock",
        "orders",
        "client",
        "client-1",
        "fence",
        20,
        "ttl",
        2000);
    script.nemesis(at + 600, "start-pause", "target", "client-1");
    script.notice(at + 2910, "lost", "lock", "orders", "client", "client-1", "fence", 20);
    script.nemesis(at + 2900, "stop-pause", "target", "client-1");
    script.ok(
        at + 900,
        at + 2400,
        "acquire",
        "lock",
        "orders",
        "client",
        "client-3",
        "fence",
        22,
        "ttl",
        2000);
    script.nemesis(at + 4200, "stop-partition", "target", "es-2");
    script.ok(
        at + 2550,
        at + 2600,
        "renew",
        "lock",
        "orders",
        "client",
        "client-3",
        "fence",
        22,
        "ttl",
        2000);
    script.ok(at + 4300, at + 4350, "release", "lock", "orders", "client", "client-3", "fence", 22);
    script.nemesis(at + 5000, "kill", "target", "es-1");
    script.ok(
        at + 5200,
        at + 5900,
        "acquire",
        "lock",
        "orders",
        "client",
        "client-1",
        "fence",
        30,
        "ttl",
        2000);
    for (int i = 0; i < 5; i++) {
      long from = at + 6500 + 600L * i;
      script.ok(
          from,
          from + 30,
          "renew",
          "lock",
          "orders",
          "client",
          "client-1",
          "fence",
          30,
          "ttl",
          2000);
    }
    script.ok(at + 9800, at + 9850, "release", "lock", "orders", "client", "client-1", "fence", 30);
    for (int i = 0; i < 6; i++) {
      long from = 400 + 3500L * i;
      script.ok(
          from,
          from + 50,
          "acquire",
          "lock",
          "invoices",
          "client",
          "client-4",
          "fence",
          100 + 2 * i,
          "ttl",
          3000);
      script.ok(
          from + 1100,
          from + 1130,
          "renew",
          "lock",
          "invoices",
          "client",
          "client-4",
          "fence",
          100 + 2 * i,
          "ttl",
          3000);
      script.ok(
          from + 1900,
          from + 1950,
          "release",
          "lock",
          "invoices",
          "client",
          "client-4",
          "fence",
          100 + 2 * i);
      script.ok(
          from + 2000,
          from + 2080,
          "acquire",
          "lock",
          "invoices",
          "client",
          "client-2",
          "fence",
          101 + 2 * i,
          "ttl",
          3000);
      script.ok(
          from + 3000,
          from + 3050,
          "release",
          "lock",
          "invoices",
          "client",
          "client-2",
          "fence",
          101 + 2 * i);
    }
    return script;
  }
}
