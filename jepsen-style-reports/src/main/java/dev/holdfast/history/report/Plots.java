package dev.holdfast.history.report;

import dev.holdfast.history.Call;
import dev.holdfast.history.Fault;
import dev.holdfast.history.Vocabulary;
import dev.holdfast.history.Words;
import dev.holdfast.history.report.Drawing.Anchor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;

/**
 * The plots of a run over its time, with the faults shaded: how long each call took, quantiles of
 * that, and how many there were. Calls that were never answered have no latency, and are counted at
 * their invocation.
 */
final class Plots {

  /** One plot: a file's name without its ending, and what it shows. */
  enum Plot {
    LATENCY("latency", "How long each call took", 330),
    QUANTILES("latency-quantiles", "Latency of acknowledged calls: quantiles", 0),
    RATE("rate", "Calls a second, by outcome", 250);

    final String file;
    final String title;
    private final int height;

    Plot(String file, String title, int height) {
      this.file = file;
      this.title = title;
      this.height = height;
    }
  }

  private static final int WIDTH = 1000;
  private static final int LEFT = 64;
  private static final int RIGHT = 14;
  private static final int TOP = 52;
  private static final int BOTTOM = 30;
  private static final int PANEL = 190;
  private static final int BUCKETS = 100;
  private static final int PER_TICK = 90;
  private static final int MANY = 3_000;
  private static final double[] QUANTILES = {0.5, 0.95, 0.99, 1};

  private final Story story;
  private final List<String> kinds;
  private final long bucketNanos;

  Plots(Story story) {
    this.story = story;
    this.bucketNanos = Ticks.step((double) story.lengthNanos() / BUCKETS);
    Map<String, Integer> seen = new LinkedHashMap<>();
    for (String f :
        List.of(Vocabulary.ACQUIRE, Vocabulary.RENEW, Vocabulary.RELEASE, Vocabulary.WRITE)) {
      seen.put(f, 0);
    }
    story.history().calls().forEach(call -> seen.merge(call.f(), 1, Integer::sum));
    this.kinds = seen.keySet().stream().filter(f -> seen.getOrDefault(f, 0) > 0).limit(5).toList();
  }

  /** The plot as SVG. */
  SvgDrawing svg(Plot plot) {
    SvgDrawing drawing = new SvgDrawing(WIDTH, height(plot), plot.title);
    draw(plot, drawing);
    return drawing;
  }

  /** The plot as an image. */
  ImageDrawing image(Plot plot) {
    ImageDrawing drawing = new ImageDrawing(WIDTH, height(plot));
    draw(plot, drawing);
    return drawing;
  }

  private int height(Plot plot) {
    return plot == Plot.QUANTILES ? TOP + BOTTOM + quantileKinds().size() * PANEL : plot.height;
  }

  private void draw(Plot plot, Drawing to) {
    to.text(Ink.TEXT, Anchor.START, true, 4, 16, plot.title);
    switch (plot) {
      case LATENCY -> latency(to);
      case QUANTILES -> quantiles(to);
      case RATE -> rate(to);
    }
  }

  // --- Latency

  private void latency(Drawing to) {
    LogScale scale = latencies(call -> true, TOP, Plot.LATENCY.height - BOTTOM);
    ground(to, scale.top, scale.bottom);
    scale.draw(to);
    double dot = story.history().calls().size() > MANY ? 2 : 4;
    Legend legend = new Legend(to);
    for (int kind = 0; kind < kinds.size(); kind++) {
      String f = kinds.get(kind);
      scatter(to, Ink.of(kind), dot, scale, call -> call.f().equals(f) && call.isOk());
      legend.add(Ink.of(kind), f);
    }
    scatter(to, Ink.TEXT, dot + 1, scale, Call::isFailed);
    legend.add(Ink.TEXT, "failed: certainly did not happen");
    scatter(to, Ink.RED, dot + 1, scale, call -> !call.isOk() && !call.isFailed());
    legend.add(Ink.RED, "nobody knows");
  }

  /** Draws no two dots of a kind at one place: a run may have hundreds of thousands. */
  private void scatter(
      Drawing to, Ink ink, double thick, LogScale scale, Predicate<Call> predicate) {
    Set<Long> taken = new HashSet<>();
    List<double[]> dots = new ArrayList<>();
    for (Call call : story.history().calls()) {
      if (call.completion() != null && predicate.test(call)) {
        double x = x(call.completedAt());
        double y = scale.y(call.completedAt() - call.invokedAt());
        if (taken.add(Math.round(x) << Integer.SIZE | Math.round(y))) {
          dots.add(new double[] {x, y});
        }
      }
    }
    to.dots(
        ink,
        thick,
        dots.stream().mapToDouble(dot -> dot[0]).toArray(),
        dots.stream().mapToDouble(dot -> dot[1]).toArray());
  }

  // --- Quantiles

  private List<String> quantileKinds() {
    return kinds.stream()
        .filter(f -> story.history().calls().stream().anyMatch(c -> c.isOk() && c.f().equals(f)))
        .limit(3)
        .toList();
  }

  private void quantiles(Drawing to) {
    Legend legend = new Legend(to);
    for (int i = 0; i < QUANTILES.length; i++) {
      String percent = String.format(Locale.ROOT, "%.0f %%", QUANTILES[i] * 100);
      legend.add(Ink.of(i), QUANTILES[i] == 1 ? "slowest" : percent + " took at most");
    }
    int top = TOP;
    for (String f : quantileKinds()) {
      Predicate<Call> ofKind = call -> call.isOk() && call.f().equals(f);
      LogScale scale = latencies(ofKind, top + 22, top + PANEL - BOTTOM);
      ground(to, scale.top, scale.bottom);
      scale.draw(to);
      to.text(Ink.TEXT, Anchor.START, true, LEFT, top + 14, f);
      List<List<Long>> buckets = new ArrayList<>();
      for (int i = 0; i < buckets(); i++) {
        buckets.add(new ArrayList<>());
      }
      for (Call call : story.history().calls()) {
        if (ofKind.test(call)) {
          buckets.get(bucket(call.completedAt())).add(call.completedAt() - call.invokedAt());
        }
      }
      buckets.forEach(bucket -> bucket.sort(null));
      for (int i = QUANTILES.length - 1; i >= 0; i--) {
        double[] ys = new double[buckets.size()];
        for (int bucket = 0; bucket < ys.length; bucket++) {
          List<Long> sorted = buckets.get(bucket);
          int rank = (int) Math.ceil(QUANTILES[i] * sorted.size()) - 1;
          ys[bucket] = sorted.isEmpty() ? Double.NaN : scale.y(sorted.get(Math.max(0, rank)));
        }
        double[] xs = middles();
        to.line(Ink.of(i), 1.6 + i, xs, ys); // thicker below, so that equal ones are all seen
        to.dots(Ink.of(i), 4, lonely(xs, ys, xs), lonely(xs, ys, ys));
      }
      top += PANEL;
    }
  }

  /** Those of the values whose points have no neighbour, where a line would not be seen. */
  private static double[] lonely(double[] xs, double[] ys, double[] values) {
    List<Double> found = new ArrayList<>();
    for (int i = 0; i < xs.length; i++) {
      boolean before = i > 0 && !Double.isNaN(ys[i - 1]);
      boolean after = i + 1 < xs.length && !Double.isNaN(ys[i + 1]);
      if (!Double.isNaN(ys[i]) && !before && !after) {
        found.add(values[i]);
      }
    }
    return found.stream().mapToDouble(each -> each).toArray();
  }

  // --- Rate

  private void rate(Drawing to) {
    double[][] counts = new double[3][buckets()];
    for (Call call : story.history().calls()) {
      int outcome = call.isOk() ? 0 : call.isFailed() ? 1 : 2;
      long at = call.completion() == null ? call.invokedAt() : call.completedAt();
      counts[outcome][bucket(at)] += 1e9 / bucketNanos;
    }
    double highest =
        Math.max(1e-9, Arrays.stream(counts).flatMapToDouble(Arrays::stream).max().orElse(0));
    int bottom = Plot.RATE.height - BOTTOM;
    ground(to, TOP, bottom);
    double step = highest < 4 ? highest / 4 : Ticks.step(highest / 4);
    for (int i = 0; i * step <= highest * 1.0001; i++) {
      double y = bottom - i * step / highest * (bottom - TOP);
      String label = highest < 4 ? String.format(Locale.ROOT, "%.2f", i * step) : count(i * step);
      tick(to, y, label);
    }
    Legend legend = new Legend(to);
    String[] names = {"happened", "certainly did not", "nobody knows"};
    Ink[] inks = {Ink.BLUE, Ink.ORANGE, Ink.RED};
    for (int outcome = 0; outcome < counts.length; outcome++) {
      double[] ys =
          Arrays.stream(counts[outcome])
              .map(each -> bottom - each / highest * (bottom - TOP))
              .toArray();
      if (Arrays.stream(counts[outcome]).sum() > 0) {
        to.line(inks[outcome], 1.8, middles(), ys);
      }
      legend.add(inks[outcome], names[outcome]);
    }
  }

  // --- Axes

  private static String count(double number) {
    return String.format(Locale.ROOT, "%,.0f", number);
  }

  private int buckets() {
    return bucket(story.startNanos() + story.lengthNanos()) + 1;
  }

  private int bucket(long nanos) {
    return (int) Math.max(0, (nanos - story.startNanos()) / bucketNanos);
  }

  private double[] middles() {
    double[] xs = new double[buckets()];
    for (int i = 0; i < xs.length; i++) {
      long middle = story.startNanos() + i * bucketNanos + bucketNanos / 2;
      xs[i] = x(Math.min(middle, story.startNanos() + story.lengthNanos()));
    }
    return xs;
  }

  private double x(long nanos) {
    double part = (double) (nanos - story.startNanos()) / story.lengthNanos();
    return LEFT + part * (WIDTH - LEFT - RIGHT);
  }

  /** Shades the faults and draws the axis of time. */
  private void ground(Drawing to, int top, int bottom) {
    double shaded = 0;
    for (Fault fault : story.faults()) {
      double from = x(fault.fromNanos());
      double wide = Math.max(1.5, x(fault.toNanos()) - from);
      if (from + wide > shaded + 1) { // else hidden by the ones before
        String target = fault.target().isEmpty() ? "" : " of " + fault.target();
        String words = fault.name() + target + " from " + Words.seconds(fault.fromNanos());
        words += " to " + Words.seconds(fault.toNanos());
        to.rect(Ink.SHADE, from, top, wide, bottom - top, words);
        shaded = Math.max(shaded, from + wide);
      }
    }
    long step = Ticks.step((double) story.lengthNanos() * PER_TICK / (WIDTH - LEFT - RIGHT));
    long end = story.startNanos() + story.lengthNanos();
    for (long at = -Math.floorDiv(-story.startNanos(), step) * step; at <= end; at += step) {
      double x = x(at);
      to.line(Ink.GRID, 1, new double[] {x, x}, new double[] {top, bottom});
      Anchor anchor = x > WIDTH - 40 ? Anchor.END : Anchor.MIDDLE;
      to.text(Ink.MUTED, anchor, false, x, bottom + 18, Ticks.seconds(at));
    }
    to.line(Ink.MUTED, 1, new double[] {LEFT, WIDTH - RIGHT}, new double[] {bottom, bottom});
  }

  private static void tick(Drawing to, double y, String label) {
    to.line(Ink.GRID, 1, new double[] {LEFT, WIDTH - RIGHT}, new double[] {y, y});
    to.text(Ink.MUTED, Anchor.END, false, LEFT - 8, y + 4, label);
  }

  private LogScale latencies(Predicate<Call> which, int top, int bottom) {
    long low = Long.MAX_VALUE;
    long high = 1;
    for (Call call : story.history().calls()) {
      if (call.completion() != null && which.test(call)) {
        low = Math.min(low, call.completedAt() - call.invokedAt());
        high = Math.max(high, call.completedAt() - call.invokedAt());
      }
    }
    int floor = (int) Math.floor(powerOfTen(Math.min(low, high)));
    int ceiling = Math.max(floor + 1, (int) Math.ceil(powerOfTen(high)));
    return new LogScale(floor, ceiling, top, bottom);
  }

  private static double powerOfTen(long nanos) {
    return Math.log10((double) Math.max(1, nanos));
  }

  /** From a power of ten nanoseconds, at the bottom, to another, at the top. */
  private record LogScale(int low, int high, int top, int bottom) {

    double y(long nanos) {
      double part = (powerOfTen(nanos) - low) / (high - low);
      return bottom - Math.max(0, Math.min(1, part)) * (bottom - top);
    }

    void draw(Drawing to) {
      String[] units = {" ns", " µs", " ms", " s"};
      for (int power = low; power <= high; power++) {
        int unit = Math.min(units.length - 1, power / 3);
        String label = count(Math.pow(10, power - 3 * unit)) + units[unit];
        tick(to, y(Math.round(Math.pow(10, power))), label);
      }
    }
  }

  /** Names of colours, side by side below the title. */
  private static final class Legend {
    private final Drawing to;
    private double x = LEFT;

    Legend(Drawing to) {
      this.to = to;
    }

    void add(Ink ink, String name) {
      to.rect(ink, x, 28, 10, 10, "");
      to.text(Ink.MUTED, Anchor.START, false, x + 15, 37, name);
      x += 42 + name.length() * 6.5;
    }
  }
}
