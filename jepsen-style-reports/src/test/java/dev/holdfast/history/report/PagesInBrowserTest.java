package dev.holdfast.history.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.holdfast.history.History;
import dev.holdfast.history.HistoryScript;
import dev.holdfast.history.check.Checker;
import dev.holdfast.history.check.LinearizabilityChecker;
import dev.holdfast.history.check.Result;
import dev.holdfast.history.check.Verdict;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The pages in a real browser, which leaves pictures of them in {@code target/screenshots}. */
class PagesInBrowserTest {

  private static final Path SCREENSHOTS = Path.of("target/screenshots");
  private static final String REPRODUCE =
      "mvn -B verify -Pchaos -Dholdfast.test.scenario=partition-heals -Dholdfast.test.seed=42";

  private static final Result NOT_CHECKED =
      new Result("none", Verdict.UNKNOWN, "Not checked.", List.of());

  private static final Result ALLOWED =
      new Result("mutual-exclusion", Verdict.VALID, "In each life of the index.", List.of());

  @TempDir private static Path folder;
  private static Browser browser;
  private static Path store;
  private static Path invalid;
  private static Path chaos;

  @BeforeAll
  static void openBrowser() throws Exception {
    Optional<Path> executable = Browser.executable();
    assumeTrue(executable.isPresent(), Browser.missing());
    store = folder.resolve("store");
    invalid = run(store, "partition-heals", "2026-11-23T09:15:02.123Z", SampleRun.withOverlap());
    run(store, "partition-heals", "2026-11-22T08:01:12.001Z", SampleRun.valid());
    run(store, "holder-killed", "2026-11-23T10:20:00.500Z", SampleRun.valid());
    run(store, "nothing-happened", "2026-11-23T11:00:00.000Z", new HistoryScript().build());
    chaos = folder.resolve("chaos");
    RunStore series =
        new RunStore(chaos, InstantSource.fixed(Instant.parse("2026-11-23T09:00:00Z"))).series(6);
    chaosRun(series, "baseline", SampleRun.valid(), SampleRun.checker(), "");
    chaosRun(series, "holder-killed", SampleRun.valid(), SampleRun.checker(), "");
    chaosRun(series, "index-deleted", SampleRun.withOverlap(), history -> ALLOWED, "");
    chaosRun(
        series,
        "holder-killed-no-renewal-check",
        SampleRun.withLongOverlap(),
        SampleRun.checker(),
        "mutual-exclusion");
    chaosRun(
        series,
        "baseline-lease-from-response",
        SampleRun.withOverlap(),
        SampleRun.checker(),
        "mutual-exclusion");
    series.skip(
        "nodes-partitioned",
        "Nodes are partitioned.",
        "partitions between nodes need root: iptables ended with status 4");
    browser = new Browser(executable.get(), folder.resolve("profile"));
  }

  private static void chaosRun(
      RunStore in, String test, History history, Checker checker, String control)
      throws IOException {
    Run run = in.start(test);
    run.expectInvalid(control);
    run.allowOverlaps("Deleting the index releases all locks by force.");
    Result unused = run.finish(history, checker, REPRODUCE);
  }

  private static Path run(Path root, String test, String when, History history) throws IOException {
    Run run = new RunStore(root, InstantSource.fixed(Instant.parse(when))).start(test);
    Result unused = run.finish(history, SampleRun.checker(), REPRODUCE);
    return run.directory();
  }

  @AfterAll
  static void closeBrowser() {
    if (browser != null) {
      browser.close();
    }
  }

  @BeforeEach
  void forget() {
    browser.complaints().clear();
    browser.requests().clear();
    browser.look(1280, 900, false);
  }

  @AfterEach
  void nothingWasComplainedOfAndNothingCameFromTheNetwork() {
    assertThat(browser.complaints()).isEmpty();
    assertThat(browser.requests())
        .isNotEmpty()
        .allMatch(each -> each.startsWith("file:") || each.startsWith("data:"));
  }

  @Test
  void report_ofARunWithAnOverlap_saysSoAndHasTheNumbers() throws IOException {
    open(invalid.resolve("index.html"));
    assertThat(text(".verdict strong")).isEqualTo("Invalid");
    assertThat(text(".numbers"))
        .containsSubsequence("Duration", "21.", "Locks", "2", "Overlaps", "1", "Faults", "3");
    assertThat(text("#timeline + p"))
        .isEqualTo("Two clients held a lock at the same time: 1 overlap.");
    assertThat(browser.evaluate(visible(".plot") + ".length").asInt()).isEqualTo(3);
    assertThat(text("#files ~ pre")).isEqualTo(REPRODUCE);
    assertThat(browser.evaluate("performance.getEntriesByName('timeline-drawn').length").asInt())
        .isEqualTo(1);
  }

  @Test
  void report_overlapLink_showsTheOverlapAndItsTwoOperations() throws IOException {
    open(invalid.resolve("index.html"));
    double before = shown();
    browser.evaluate("document.querySelector('.overlaps a').click()");
    browser.await(
        "Number(document.getElementById('timeline-figure').dataset.to) - Number(document"
            + ".getElementById('timeline-figure').dataset.from) < "
            + before / 2);
    assertThat(text("#told")).contains("client-2 held orders", "OVERLAPS with client-1 (operation");
    browser.screenshot(SCREENSHOTS.resolve("overlap.png"), false);
  }

  @Test
  void timeline_keysWheelAndMouse_zoomAndPan() throws IOException {
    open(invalid.resolve("timeline.html"));
    browser.screenshot(SCREENSHOTS.resolve("timeline.png"), false);
    double all = shown();
    double[] before = window();
    browser.press("+");
    double[] closer = changed(before);
    assertThat(closer[1] - closer[0]).isLessThan(all * 0.7);
    browser.press("ArrowRight");
    double[] right = changed(closer);
    assertThat(right[0]).isGreaterThan(closer[0]);
    assertThat(right[1] - right[0]).isCloseTo(closer[1] - closer[0], within(1.0));
    browser.press("Home");
    double[] home = changed(right);
    browser.wheel(700, 400, 0, -300, false);
    double[] wheeled = changed(home);
    assertThat(wheeled[1] - wheeled[0]).isLessThan(home[1] - home[0]);
    browser.mouse("mousePressed", 700, 400);
    browser.mouse("mouseMoved", 500, 400);
    browser.mouse("mouseReleased", 500, 400);
    double[] dragged = changed(wheeled);
    assertThat(dragged[0]).isGreaterThan(wheeled[0]);
    browser.press("n");
    browser.await("document.getElementById('told').textContent.includes(' held ')");
    browser.press("0");
    double[] whole = changed(dragged);
    assertThat(whole[1] - whole[0]).isCloseTo(all, within(1.0));
    browser.press("g");
    browser.await("document.querySelector('[data-group=client]').ariaPressed === 'true'");
    browser.screenshot(SCREENSHOTS.resolve("timeline-by-client.png"), false);
  }

  @Test
  void timeline_withoutFocus_leavesTheWheelToThePage() {
    open(invalid.resolve("index.html"));
    browser.evaluate("document.getElementById('stage').scrollIntoView({block: 'center'})");
    double[] before = window();
    double scrolled = browser.evaluate("scrollY").asDouble();
    browser.wheel(700, 450, 0, 40, false);
    browser.await("scrollY === " + (scrolled + 40));
    assertThat(window()).isEqualTo(before);
    browser.wheel(700, 450, 0, -240, true);
    double[] zoomed = changed(before);
    assertThat(zoomed[1] - zoomed[0]).isLessThan(before[1] - before[0]);
  }

  @Test
  void pages_darkAndOnAPhone_fitTheWindow() throws IOException {
    for (String page : List.of("index", "timeline")) {
      screenshots(page, invalid.resolve(page + ".html"));
      browser.look(1280, 1080, true);
      open(invalid.resolve(page + ".html"));
      String ground = browser.evaluate("getComputedStyle(document.body).backgroundColor").asText();
      assertThat(ground).isEqualTo("rgb(15, 19, 24)");
    }
    browser.look(2560, 1300, false);
    open(invalid.resolve("index.html"));
    fits();
  }

  @Test
  void index_ofAStore_listsAllRunsAndFilters() throws IOException {
    open(store.resolve("index.html"));
    assertThat(text(".verdict")).isEqualTo("Failed1 of 3 runs valid.");
    assertThat(text("tbody th")).as("what is wrong comes first").isEqualTo("partition-heals");
    screenshots("store", store.resolve("index.html"));
    browser.look(1280, 900, false);
    browser.evaluate("document.getElementById('filter').focus()");
    for (char letter : "heals".toCharArray()) {
      browser.press(String.valueOf(letter));
    }
    browser.await("document.getElementById('shown').textContent === '2 shown'");
    browser.follow("tbody tr:not([hidden]) a");
    assertThat(text(".verdict strong")).isEqualTo("Invalid");
    browser.follow("nav a");
    assertThat(text("h1")).isEqualTo("All runs");
  }

  @Test
  void index_ofAChaosRun_hasPassedWithItsControlRuns_andSaysWhatWasSkipped() throws IOException {
    Path page = chaos.resolve("index.html");
    screenshots("chaos", page);
    assertThat(text(".verdict"))
        .isEqualTo("Passed3 of 3 runs valid, 2 of 2 control runs detected, 1 skipped.");
    assertThat(text("[aria-labelledby=control-runs]"))
        .contains("Detected", "expected invalid, found by mutual-exclusion");
    assertThat(text("[aria-labelledby=skipped]"))
        .contains("nodes-partitioned", "partitions between nodes need root");
    assertThat(text("[aria-labelledby=runs]"))
        .contains("overlaps allowed: Deleting the index")
        .doesNotContain("no-renewal-check");
    assertThat(browser.evaluate("document.querySelectorAll('tbody .invalid').length").asInt())
        .as("nothing is red when all is as expected")
        .isZero();
    browser.follow("a[href*=index-deleted]");
    assertThat(text(".verdict strong")).isEqualTo("Valid");
    assertThat(text(".held-words")).contains("without a violation: 1 overlap. Deleting the index");
    assertThat(browser.evaluate("document.querySelectorAll('.alarm').length").asInt()).isZero();
    screenshots("allowed", Path.of(URI.create(browser.evaluate("location.href").asText())));
  }

  @Test
  void index_onAPhone_hasTheVerdictBesideTheName_andNothingBeyondTheEdge() {
    browser.look(390, 844, false);
    open(chaos.resolve("index.html"));
    fits();
    JsonNode rows =
        browser.evaluate(
            visible("tbody tr")
                + ".map(row => [row.querySelector('th'), row.querySelector('.badge'),"
                + " row.querySelector('time')].map(e => e ? e.getBoundingClientRect() : null)"
                + ".map(box => box && {left: box.left, right: box.right, top: box.top}))");
    assertThat(rows).hasSize(6);
    for (JsonNode row : rows) {
      assertThat(row.get(1).path("left").asDouble()).isGreaterThan(0);
      assertThat(row.get(1).path("right").asDouble()).isLessThanOrEqualTo(390);
      assertThat(row.get(2).path("top").asDouble(1e9))
          .as("the date is below the verdict")
          .isGreaterThan(row.get(1).path("top").asDouble());
    }
    assertThat(clipped(".runs, .runs *")).isZero();
  }

  @Test
  void report_onAPhone_isWhole_withoutHintsForKeys() {
    browser.look(390, 844, false);
    open(invalid.resolve("index.html"));
    fits();
    for (String each :
        List.of(".plot", ".stacked", ".stacked td", ".counterexample svg", ".clash")) {
      assertThat(browser.evaluate(visible(each) + ".length").asInt()).as(each).isPositive();
      assertThat(clipped(each)).as(each).isZero();
    }
    assertThat(browser.evaluate(visible("kbd") + ".length").asInt()).isZero();
    assertThat(browser.evaluate(visible(".touch") + ".length").asInt()).isEqualTo(1);
    assertThat(
            browser
                .evaluate(
                    "Math.min(..."
                        + visible(".plot text, .counterexample text")
                        + ".map(e => e.getBoundingClientRect().height))")
                .asDouble())
        .as("texts are not shrunk with the drawing")
        .isGreaterThan(9);
  }

  @Test
  void timeline_overlapsOutOfView_areAnnouncedAtTheEdge() {
    open(invalid.resolve("timeline.html"));
    assertThat(data("elsewhere")).isEmpty();
    browser.evaluate("location.hash = '#at=1,2'");
    browser.await("document.getElementById('timeline-figure').dataset.elsewhere === '1 overlap ▸'");
    browser.evaluate("location.hash = '#at=21.5,21.6'");
    browser.await("document.getElementById('timeline-figure').dataset.elsewhere === ''");
  }

  @Test
  void counterexample_isTwoSentencesAndTheWholeOverlap_inTheColoursOfTheTimeline()
      throws IOException {
    Path page = chaosPage("holder-killed-no-renewal-check");
    screenshots("counterexample", page);
    browser.look(1280, 1080, false);
    open(page);
    String lead = text(".counterexample .lead");
    assertThat(lead)
        .startsWith("client-3 (process ")
        .contains(
            " and client-3 (process ", " both held lock \"z-import\" from 6.952 s to 16.700 s.")
        .contains("Found by mutual-exclusion");
    assertThat(lead.split("\\. ", -1).length).as("sentences, and the link").isEqualTo(3);
    assertThat(text(".counterexample .both")).isEqualTo("both for 9.748 s");
    double overlap =
        browser.evaluate(visible(".counterexample .clash") + "[0].getBBox().width").asDouble();
    double whole =
        browser.evaluate(visible(".counterexample svg") + "[0].getBBox().width").asDouble();
    assertThat(overlap / whole)
        .as("most of the picture, not its first milliseconds")
        .isBetween(.3, .9);
    JsonNode labels =
        browser.evaluate(visible(".counterexample .named") + ".map(e => e.textContent)");
    assertThat(labels).hasSize(2).allMatch(each -> each.asText().startsWith("acquire, operation "));
    String bar =
        browser
            .evaluate("getComputedStyle(document.querySelector('.counterexample .bar')).fill")
            .asText();
    String legend =
        browser
            .evaluate(
                "getComputedStyle([...document.querySelectorAll('#holders li')].find(e =>"
                    + " e.textContent === 'client-3').querySelector('.swatch')).backgroundColor")
            .asText();
    assertThat(bar).isEqualTo(legend);
    assertThat(text(".counterexample .on-bar")).startsWith("#…");
    assertThat(text(".counterexample .tenure title"))
        .as("whole when pointed at")
        .contains("fence 70368744177");
    assertThat(
            browser
                .evaluate(
                    visible(".counterexample .lane small")
                        + ".filter(e => e.textContent.startsWith('process ')).length")
                .asInt())
        .as("a lane for each process of the client")
        .isEqualTo(2);
  }

  @Test
  void counterexample_ofAnOrder_showsTheLongestOneAndTheStateAfterEachStep() throws IOException {
    History history = SampleRun.withoutAnOrder();
    Run run = new RunStore(folder.resolve("order")).start("no-order");
    assertThat(
            run.finish(
                    history, new LinearizabilityChecker("fenced-mutex", Duration.ofMinutes(1)), "")
                .verdict())
        .isEqualTo(Verdict.INVALID);
    Path page = run.directory().resolve("index.html");
    screenshots("order", page);
    JsonNode steps =
        browser.evaluate("[...document.querySelectorAll('.order li')].map(e => e.innerText)");
    assertThat(steps).hasSize(4);
    assertThat(steps.get(0).asText()).contains("acquire by c1", "held by c1 with fence 1");
    assertThat(steps.get(1).asText()).contains("release by c1", "free");
    assertThat(steps.get(2).asText()).contains("acquire by c2", "held by c2 with fence 2");
    assertThat(steps.get(3).asText()).contains("acquire by c3", "cannot follow");
    assertThat(
            browser
                .evaluate(visible(".counterexample .named") + ".map(e => e.textContent).join()")
                .asText())
        .contains("1. acquire", "2. release", "3. acquire", "acquire, op");
  }

  @Test
  void pages_saysWhatPeopleSay() {
    for (Path page : List.of(invalid.resolve("index.html"), chaosPage("baseline"))) {
      open(page);
      assertThat(browser.evaluate("document.body.innerText").asText())
          .contains("attempted, not acquired", "the stronger the colour", "coverage")
          .doesNotContain(
              "went away", "the darker", "not-vacuous", "nobody knows", "Nobody wrote down");
    }
  }

  @Test
  void timeline_lanes_theMostTellingComeFirst_andShortLeasesHaveNames() throws IOException {
    open(chaosPage("holder-killed-no-renewal-check"));
    assertThat(data("lanes")).startsWith("z-import, a-short-");
    open(chaosPage("holder-killed"));
    assertThat(data("lanes")).as("a lease was lost there").isEqualTo("orders, invoices");
    Path timeline = chaosPage("holder-killed").resolveSibling("timeline.html");
    screenshots("telling", timeline);
  }

  @Test
  void pages_namesThatWouldBeScripts_areOnlyText() throws IOException {
    String evil = ReportPageTest.EVIL + "<script>window.owned = true</script>";
    History history = SampleRun.named(evil);
    Path run = run(folder.resolve("evil"), "evil", "2026-11-23T12:00:00.000Z", history);
    for (String page : List.of("index.html", "timeline.html")) {
      open(run.resolve(page));
      assertThat(browser.evaluate("typeof window.owned").asText()).isEqualTo("undefined");
      assertThat(browser.evaluate("document.querySelectorAll('img').length").asInt()).isZero();
      assertThat(text("#holders")).contains("<script>window.owned = true</script>");
      browser.evaluate("document.getElementById('stage').focus()");
      browser.press("n");
      browser.await("document.getElementById('told').textContent.includes('<img')");
    }
  }

  /** Prints what it measures; what it asserts is meant for a machine that is busy and slow. */
  @Test
  void timeline_of200000Calls_isSmallAndSmooth() throws IOException {
    RunAnalysis analysis = RunAnalysis.of(LargeRun.of(200_000, 40, 16, 1));
    Path page = Files.createDirectories(SCREENSHOTS).resolve("large.html"); // to be looked at
    ReportPage report =
        new ReportPage(
            "200,000 calls",
            Instant.EPOCH,
            new Intent("", "", "", "", null),
            analysis,
            NOT_CHECKED,
            Path.of("large"),
            List.of(),
            "");
    Files.writeString(page, report.timelineHtml());
    double megabytes = Files.size(page) / 1e6;
    open(page);
    double paint =
        browser
            .evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
            .asDouble();
    double drawn =
        browser.evaluate("performance.getEntriesByName('timeline-drawn')[0].startTime").asDouble();
    System.out.printf(
        Locale.ROOT,
        "timeline of %,d calls, %,d leases: %.1f MB, first paint after %.0f ms, drawn after %.0f"
            + " ms%n",
        analysis.history().calls().size(),
        analysis.tenures().size(),
        megabytes,
        paint,
        drawn);
    browser.screenshot(SCREENSHOTS.resolve("large.png"), false);
    assertThat(megabytes).isLessThan(5);
    assertThat(report.html().length() / 1e6).as("megabytes of the whole page").isLessThan(5);
    assertThat(paint).as("milliseconds to the first paint").isLessThan(20_000);
    for (int zooms : new int[] {0, 6, 6}) {
      double[] before = window();
      for (int i = 0; i < zooms; i++) {
        browser.press("+");
        before = changed(before);
      }
      double[] frames = framesWhilePanning();
      System.out.printf(
          Locale.ROOT,
          "    panning through %.1f s of it: %.0f frames/s, 95 %% of the frames within %.0f ms%n",
          shown() / 1e6,
          frames[0],
          frames[1]);
      assertThat(frames[0]).as("frames a second, however busy the machine").isGreaterThan(0.5);
    }
    browser.screenshot(SCREENSHOTS.resolve("large-closer.png"), false);
  }

  /** Drags to and fro; returns drawn frames a second, and the 95 % quantile between them in ms. */
  private static double[] framesWhilePanning() {
    browser.evaluate(
        """
        window.frames_ = [];
        var figure_ = document.getElementById('timeline-figure'); var seen_ = figure_.dataset.draws;
        (function look() {
          if (!window.frames_) return;
          if (figure_.dataset.draws !== seen_) { seen_ = figure_.dataset.draws; window.frames_.push(performance.now()); }
          requestAnimationFrame(look);
        })()
        """);
    browser.mouse("mousePressed", 700, 500);
    long start = System.nanoTime();
    for (int i = 0; System.nanoTime() - start < TimeUnit.SECONDS.toNanos(2); i++) {
      browser.mouse("mouseMoved", 700 + 250 * Math.sin(i / 20.0), 500);
    }
    browser.mouse("mouseReleased", 700, 500);
    JsonNode times =
        browser.evaluate(
            "(() => { const f = window.frames_; window.frames_ = null; return f; })()");
    assertThat(times.size()).as("frames").isGreaterThan(1);
    double[] gaps = new double[times.size() - 1];
    for (int i = 0; i < gaps.length; i++) {
      gaps[i] = times.get(i + 1).asDouble() - times.get(i).asDouble();
    }
    double seconds = Arrays.stream(gaps).sum() / 1e3;
    Arrays.sort(gaps);
    return new double[] {gaps.length / seconds, gaps[(int) (gaps.length * 0.95)]};
  }

  /** Leaves pictures of a page as a phone, a desktop and one in the dark show it. */
  private static void screenshots(String name, Path page) throws IOException {
    record Look(String name, int width, int height, boolean dark) {}
    for (Look look :
        List.of(
            new Look("phone", 390, 844, false),
            new Look("dark", 1280, 1080, true),
            new Look("desktop", 1280, 1080, false))) {
      browser.look(look.width, look.height, look.dark);
      open(page);
      fits();
      browser.screenshot(SCREENSHOTS.resolve(look.name + "-" + name + ".png"), true);
      if (browser.evaluate("document.querySelectorAll('.counterexample').length").asInt() > 0) {
        browser.evaluate("document.querySelector('#counterexamples').scrollIntoView()");
        browser.screenshot(SCREENSHOTS.resolve(look.name + "-" + name + "-detail.png"), false);
      }
    }
  }

  private static Path chaosPage(String test) {
    return chaos.resolve(test).resolve("latest/index.html").toAbsolutePath();
  }

  /** An expression for the elements that are shown. */
  private static String visible(String selector) {
    return "[...document.querySelectorAll('"
        + selector
        + "')].filter(e => e.getClientRects().length)";
  }

  /** Returns how many of the elements that are shown reach beyond the window's edge. */
  private static int clipped(String selector) {
    return browser
        .evaluate(
            visible(selector)
                + ".filter(e => { const b = e.getBoundingClientRect(); return b.width && (b.right >"
                + " innerWidth + 1 || b.left < -1); }).length")
        .asInt();
  }

  private static String data(String name) {
    return browser
        .evaluate("document.getElementById('timeline-figure').dataset." + name + " || ''")
        .asText();
  }

  private static void open(Path page) {
    browser.open(URI.create("about:blank"));
    browser.requests().clear();
    browser.open(page.toUri());
    browser.await(
        "!document.getElementById('timeline-figure')"
            + " || performance.getEntriesByName('timeline-drawn').length > 0");
  }

  private static String text(String selector) {
    return browser.evaluate("document.querySelector('" + selector + "').textContent").asText();
  }

  private static void fits() {
    assertThat(browser.evaluate("document.documentElement.scrollWidth").asInt())
        .as("no wider than the window")
        .isLessThanOrEqualTo(browser.evaluate("innerWidth").asInt());
  }

  /** From and to, in the units of the page. */
  private static double[] window() {
    JsonNode data =
        browser.evaluate("Object.assign({}, document.getElementById('timeline-figure').dataset)");
    return new double[] {data.path("from").asDouble(), data.path("to").asDouble()};
  }

  private static double shown() {
    double[] window = window();
    return window[1] - window[0];
  }

  /** Waits until the timeline shows another span than that. */
  private static double[] changed(double[] before) {
    browser.await(
        "document.getElementById('timeline-figure').dataset.from != "
            + before[0]
            + " || document.getElementById('timeline-figure').dataset.to != "
            + before[1]);
    return window();
  }
}
