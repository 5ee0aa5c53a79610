package dev.holdfast.history.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.holdfast.history.History;
import dev.holdfast.history.HistoryScript;
import dev.holdfast.history.check.Result;
import dev.holdfast.history.check.Verdict;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
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
      "mvn -B verify -Pchaos -Dholdfast.scenario=partition-heals -Dholdfast.seed=42";

  private static final Result NOT_CHECKED =
      new Result("none", Verdict.UNKNOWN, "Not checked.", List.of());

  @TempDir private static Path folder;
  private static Browser browser;
  private static Path store;
  private static Path invalid;

  @BeforeAll
  static void openBrowser() throws Exception {
    Optional<Path> executable = Browser.executable();
    assumeTrue(executable.isPresent(), Browser.missing());
    store = folder.resolve("store");
    invalid = run(store, "partition-heals", "2026-11-23T09:15:02.123Z", SampleRun.withOverlap());
    run(store, "partition-heals", "2026-11-22T08:01:12.001Z", SampleRun.valid());
    run(store, "holder-killed", "2026-11-23T10:20:00.500Z", SampleRun.valid());
    run(store, "nothing-happened", "2026-11-23T11:00:00.000Z", new HistoryScript().build());
    browser = new Browser(executable.get(), folder.resolve("profile"));
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
    assertThat(browser.evaluate("document.querySelectorAll('.plot').length").asInt()).isEqualTo(3);
    assertThat(text("#files ~ pre")).isEqualTo(REPRODUCE);
    assertThat(browser.evaluate("performance.getEntriesByName('timeline-drawn').length").asInt())
        .isEqualTo(1);
    browser.screenshot(SCREENSHOTS.resolve("report.png"), true);
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
    for (String page : List.of("index.html", "timeline.html")) {
      browser.look(390, 844, false);
      open(invalid.resolve(page));
      fits();
      browser.screenshot(SCREENSHOTS.resolve("phone-" + page.replace("html", "png")), true);
      browser.look(1280, 900, true);
      open(invalid.resolve(page));
      fits();
      String ground = browser.evaluate("getComputedStyle(document.body).backgroundColor").asText();
      assertThat(ground).isEqualTo("rgb(15, 19, 24)");
      browser.screenshot(SCREENSHOTS.resolve("dark-" + page.replace("html", "png")), true);
    }
    browser.look(2560, 1300, false);
    open(invalid.resolve("index.html"));
    fits();
  }

  @Test
  void index_ofAStore_listsAllRunsAndFilters() throws IOException {
    open(store.resolve("index.html"));
    assertThat(text(".numbers")).containsSubsequence("Runs", "4", "Valid", "2", "Invalid", "1");
    assertThat(browser.evaluate("document.querySelector('tbody th').innerText").asText())
        .as("the newest comes first")
        .isEqualTo("nothing-happened");
    browser.screenshot(SCREENSHOTS.resolve("store.png"), true);
    browser.evaluate("document.getElementById('filter').focus()");
    for (char letter : "heals".toCharArray()) {
      browser.press(String.valueOf(letter));
    }
    browser.await("document.getElementById('shown').textContent === '2 shown'");
    browser.follow("tbody tr:not([hidden]) a");
    assertThat(text(".verdict strong")).isEqualTo("Invalid");
    browser.follow("nav a");
    assertThat(text("h1")).isEqualTo("All runs");
    browser.look(390, 844, false);
    open(store.resolve("index.html"));
    fits();
    browser.screenshot(SCREENSHOTS.resolve("phone-store.png"), true);
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
    Story story = Story.of(LargeRun.of(200_000, 40, 16, 1));
    Path page = Files.createDirectories(SCREENSHOTS).resolve("large.html"); // to be looked at
    ReportPage report =
        new ReportPage("200,000 calls", "", Instant.EPOCH, story, NOT_CHECKED, "", List.of(), "");
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
        "timeline of %,d calls, %,d leases: %.1f MB, first paint after %.0f ms, drawn after %.0f ms%n",
        story.history().calls().size(),
        story.tenures().size(),
        megabytes,
        paint,
        drawn);
    browser.screenshot(SCREENSHOTS.resolve("large.png"), false);
    assertThat(megabytes).isLessThan(15);
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

  private static void open(Path page) {
    browser.open(URI.create("about:blank"));
    browser.requests().clear();
    browser.open(page.toUri());
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
