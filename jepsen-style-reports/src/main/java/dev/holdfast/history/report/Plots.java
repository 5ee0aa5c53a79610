package dev.holdfast.history.report;

import dev.holdfast.history.Call;
import dev.holdfast.history.FaultInterval;
import dev.holdfast.history.Formats;
import dev.holdfast.history.Operation;
import dev.holdfast.history.Vocabulary;
import dev.holdfast.history.report.Drawing.Anchor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Predicate;

/**
 * The plots of a run over its time, with the faults shaded: how long each call took, quantiles of
 * that, how many there were, and what the clients' processes used, where that is known. Calls that
 * were never answered have no latency, and are counted at their invocation.
 */
final class Plots {

  /** One plot: a file's name without its ending, and what it shows. */
  enum Plot {
    LATENCY("latency", "Latency of each call", 330),
    QUANTILES("latency-quantiles", "Latency of acknowledged calls: quantiles", 0),
    RATE("rate", "Calls a second, by outcome", 250),
    RESOURCES("resources", "What each client's process used", 0);

    final String file;
    final String title;
    private final int height;

    Plot(String file, String title, int height) {
      this.file = file;
      this.title = title;
      this.height = height;
    }
  }

  /** As files, and on a desktop. */
  private static final int WIDE = 1000;

  /** On a phone. */
  static final int NARROW = 330;

  /* The layout, in pixels. */
  private static final int LEFT = 64;
  private static final int RIGHT = 14;
  private static final int TOP = 52;
  private static final int LEGEND_LINE = 17;
  private static final int LETTER = 7;
  private static final int MORE_LINES = 4;
  private static final int BOTTOM = 30;
  private static final int PANEL = 190;
  private static final int BUCKETS = 100;
  private static final int PER_TICK = 90;

  /** With more calls than this, dots are smaller and share a grid, so that the page stays small. */
  private static final int MANY = 3_000;

  private static final double[] QUANTILES = {0.5, 0.95, 0.99, 1};

  private final RunAnalysis analysis;

  /** The calls to the lock service: beliefs are none. */
  private final List<Call> calls;

  private final List<String> kinds;

  /** By the name of what is used, and by the client. */
  private final Map<String, Map<String, List<Sample>>> resources = new TreeMap<>();

  private final long bucketNanos;
  private final int width;

  /** Where drawing begins below the legend, which takes more lines where it is narrow. */
  private final int top;

  /** How much a client used at a time. */
  private record Sample(long at, long value) {}

  Plots(RunAnalysis analysis) {
    this(analysis, WIDE);
  }

  Plots(RunAnalysis analysis, int width) {
    this.width = width;
    this.top = width == WIDE ? TOP : TOP + MORE_LINES * LEGEND_LINE;
    this.analysis = analysis;
    this.bucketNanos = Ticks.step((double) analysis.lengthNanos() / BUCKETS);
    Map<String, Integer> seen = new LinkedHashMap<>();
    for (String f :
        List.of(Vocabulary.ACQUIRE, Vocabulary.RENEW, Vocabulary.RELEASE, Vocabulary.WRITE)) {
      seen.put(f, 0);
    }
    this.calls =
        analysis.history().calls().stream()
            .filter(call -> !call.f().equals(Vocabulary.BELIEF))
            .toList();
    calls.forEach(call -> seen.merge(call.f(), 1, Integer::sum));
    this.kinds = seen.keySet().stream().filter(f -> seen.getOrDefault(f, 0) > 0).limit(5).toList();
    for (Operation notice : analysis.history().notices()) {
      if (notice.f().equals(Vocabulary.RESOURCES)) {
        addResources(notice);
      }
    }
  }

  private void addResources(Operation notice) {
    notice
        .value()
        .forEach(
            (name, value) -> {
              if (value instanceof Long number) {
                resources
                    .computeIfAbsent(name, n -> new LinkedHashMap<>())
                    .computeIfAbsent(notice.client(), c -> new ArrayList<>())
                    .add(new Sample(notice.time(), number));
              }
            });
  }

  /** Returns those that have something to show. */
  List<Plot> all() {
    return Arrays.stream(Plot.values())
        .filter(plot -> plot != Plot.RESOURCES || !resources.isEmpty())
        .toList();
  }

  /** The plot as SVG. */
  SvgDrawing svg(Plot plot) {
    SvgDrawing drawing = new SvgDrawing(width, height(plot), plot.title);
    draw(plot, drawing);
    return drawing;
  }

  /** The plot as an image. */
  ImageDrawing image(Plot plot) {
    ImageDrawing drawing = new ImageDrawing(width, height(plot));
    draw(plot, drawing);
    return drawing;
  }

  private int height(Plot plot) {
    return switch (plot) {
      case QUANTILES -> top + BOTTOM + quantileKinds().size() * PANEL;
      case RESOURCES -> top + BOTTOM + resources.size() * PANEL;
      case LATENCY, RATE -> plot.height + top - TOP;
    };
  }

  private void draw(Plot plot, Drawing to) {
    to.text(Palette.TEXT, Anchor.START, true, 4, 16, plot.title);
    switch (plot) {
      case LATENCY -> latency(to);
      case QUANTILES -> quantiles(to);
      case RATE -> rate(to);
      case RESOURCES -> resources(to);
    }
  }

  // --- Latency

  private void latency(Drawing to) {
    LogScale scale = latencies(call -> true, top, height(Plot.LATENCY) - BOTTOM);
    ground(to, scale.top, scale.bottom);
    scale.draw(to);
    double dot = calls.size() > MANY ? 2 : 4;
    Legend legend = new Legend(to);
    for (int kind = 0; kind < kinds.size(); kind++) {
      String f = kinds.get(kind);
      scatter(to, Palette.of(kind), dot, scale, call -> call.f().equals(f) && call.isOk());
      legend.add(Palette.of(kind), f);
    }
    scatter(to, Palette.TEXT, dot + 1, scale, Call::isFailed);
    legend.add(Palette.TEXT, "failed (did not happen)");
    scatter(to, Palette.RED, dot + 1, scale, call -> !call.isOk() && !call.isFailed());
    legend.add(Palette.RED, "unknown outcome");
  }

  /** Draws no two dots of a kind at one place: a run may have hundreds of thousands. */
  private void scatter(
      Drawing to, Palette color, double thick, LogScale scale, Predicate<Call> predicate) {
    Set<Long> taken = new HashSet<>();
    List<double[]> dots = new ArrayList<>();
    for (Call call : calls) {
      if (call.completion() != null && predicate.test(call)) {
        double x = placed(x(call.completedAt()));
        double y = placed(scale.y(call.completedAt() - call.invokedAt()));
        if (taken.add(Math.round(x) << Integer.SIZE | Math.round(y))) {
          dots.add(new double[] {x, y});
        }
      }
    }
    to.dots(
        color,
        thick,
        dots.stream().mapToDouble(dot -> dot[0]).toArray(),
        dots.stream().mapToDouble(dot -> dot[1]).toArray());
  }

  /** Returns where there are many dots, they lie side by side at least: a page must stay small. */
  private double placed(double pixels) {
    return calls.size() > MANY ? 2.0 * Math.round(pixels / 2) : pixels;
  }

  // --- Quantiles

  private List<String> quantileKinds() {
    return kinds.stream()
        .filter(f -> calls.stream().anyMatch(c -> c.isOk() && c.f().equals(f)))
        .limit(3)
        .toList();
  }

  private void quantiles(Drawing to) {
    Legend legend = new Legend(to);
    for (int i = 0; i < QUANTILES.length; i++) {
      String percent = String.format(Locale.ROOT, "%.0f %%", QUANTILES[i] * 100);
      legend.add(Palette.of(i), QUANTILES[i] == 1 ? "slowest" : percent + " took at most");
    }
    int panel = top;
    for (String f : quantileKinds()) {
      Predicate<Call> ofKind = call -> call.isOk() && call.f().equals(f);
      LogScale scale = latencies(ofKind, panel + 22, panel + PANEL - BOTTOM);
      ground(to, scale.top, scale.bottom);
      scale.draw(to);
      to.text(Palette.TEXT, Anchor.START, true, LEFT, panel + 14, f);
      List<List<Long>> buckets = new ArrayList<>();
      for (int i = 0; i < buckets(); i++) {
        buckets.add(new ArrayList<>());
      }
      for (Call call : calls) {
        if (ofKind.test(call)) {
          buckets.get(bucket(call.completedAt())).add(call.completedAt() - call.invokedAt());
        }
      }
      buckets.forEach(bucket -> bucket.sort(null));
      double[] below = new double[buckets.size()];
      Arrays.fill(below, Double.NaN);
      for (int i = 0; i < QUANTILES.length; i++) {
        double[] ys = new double[buckets.size()];
        for (int bucket = 0; bucket < ys.length; bucket++) {
          List<Long> sorted = buckets.get(bucket);
          int rank = (int) Math.ceil(QUANTILES[i] * sorted.size()) - 1;
          ys[bucket] = sorted.isEmpty() ? Double.NaN : scale.y(sorted.get(Math.max(0, rank)));
        }
        double[] xs = middles();
        double[] seen = apart(ys, below);
        to.line(Palette.of(i), 1.8, xs, seen);
        to.dots(Palette.of(i), 4, lonely(xs, seen, xs), lonely(xs, seen, ys));
        below = ys;
      }
      panel += PANEL;
    }
  }

  /**
   * A line only where it leaves another, with the points where it does so: drawn once elsewhere.
   */
  private static double[] apart(double[] ys, double[] other) {
    double[] seen = new double[ys.length];
    for (int i = 0; i < ys.length; i++) {
      boolean isApart = false;
      for (int near = Math.max(0, i - 1); near <= Math.min(ys.length - 1, i + 1); near++) {
        boolean isOwn = near == i || !Double.isNaN(ys[i]);
        isApart |= isOwn && !Double.isNaN(ys[near]) && !(Math.abs(ys[near] - other[near]) < 0.5);
      }
      seen[i] = isApart ? ys[i] : Double.NaN;
    }
    return seen;
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
    for (Call call : calls) {
      int outcome = call.isOk() ? 0 : call.isFailed() ? 1 : 2;
      long at = call.completion() == null ? call.invokedAt() : call.completedAt();
      counts[outcome][bucket(at)] += 1e9 / bucketNanos;
    }
    double highest = Arrays.stream(counts).flatMapToDouble(Arrays::stream).max().orElse(0);
    LinearScale scale = new LinearScale(highest, top, height(Plot.RATE) - BOTTOM);
    ground(to, scale.top, scale.bottom);
    scale.draw(to);
    Legend legend = new Legend(to);
    String[] names = {"succeeded", "failed", "unknown outcome"};
    Palette[] colors = {Palette.BLUE, Palette.ORANGE, Palette.RED};
    for (int outcome = 0; outcome < counts.length; outcome++) {
      double[] ys = Arrays.stream(counts[outcome]).map(scale::y).toArray();
      if (Arrays.stream(counts[outcome]).sum() > 0) {
        to.line(colors[outcome], 1.8, middles(), ys);
      }
      legend.add(colors[outcome], names[outcome]);
    }
  }

  // --- Resources

  private void resources(Drawing to) {
    Map<String, Palette> colors = new LinkedHashMap<>();
    resources.values().stream()
        .flatMap(byClient -> byClient.keySet().stream())
        .distinct()
        .sorted(Comparator.comparing(RunAnalysis::padded))
        .forEach(client -> colors.put(client, Palette.of(colors.size())));
    Legend legend = new Legend(to);
    colors.forEach(
        (client, color) -> {
          if (color != Palette.MUTED) {
            legend.add(color, client);
          }
        });
    if (colors.containsValue(Palette.MUTED)) {
      legend.add(Palette.MUTED, "others");
    }
    int panel = top;
    for (Map.Entry<String, Map<String, List<Sample>>> each : resources.entrySet()) {
      long highest =
          each.getValue().values().stream()
              .flatMap(List::stream)
              .mapToLong(Sample::value)
              .max()
              .orElse(0);
      LinearScale scale = new LinearScale(highest, panel + 22, panel + PANEL - BOTTOM);
      ground(to, scale.top, scale.bottom);
      scale.draw(to);
      to.text(Palette.TEXT, Anchor.START, true, LEFT, panel + 14, each.getKey());
      each.getValue()
          .forEach(
              (client, samples) -> {
                double[] xs = samples.stream().mapToDouble(s -> x(s.at)).toArray();
                double[] ys =
                    samples.stream().mapToDouble(s -> scale.y((double) s.value)).toArray();
                Palette color = colors.getOrDefault(client, Palette.MUTED);
                to.line(color, 1.8, xs, ys);
                if (xs.length == 1) {
                  to.dots(color, 4, xs, ys);
                }
              });
      panel += PANEL;
    }
  }

  // --- Axes

  private int buckets() {
    return bucket(analysis.startNanos() + analysis.lengthNanos()) + 1;
  }

  private int bucket(long nanos) {
    return (int) Math.max(0, (nanos - analysis.startNanos()) / bucketNanos);
  }

  private double[] middles() {
    double[] xs = new double[buckets()];
    for (int i = 0; i < xs.length; i++) {
      long middle = analysis.startNanos() + i * bucketNanos + bucketNanos / 2;
      xs[i] = x(Math.min(middle, analysis.startNanos() + analysis.lengthNanos()));
    }
    return xs;
  }

  private double x(long nanos) {
    double part = (double) (nanos - analysis.startNanos()) / analysis.lengthNanos();
    return LEFT + part * (width - LEFT - RIGHT);
  }

  /** Shades the faults and draws the axis of time. */
  private void ground(Drawing to, int top, int bottom) {
    double shaded = 0;
    for (FaultInterval fault : analysis.faults()) {
      double from = x(fault.fromNanos());
      double wide = Math.max(1.5, x(fault.toNanos()) - from);
      if (from + wide > shaded + 1) { // else hidden by the ones before
        String target = fault.target().isEmpty() ? "" : " of " + fault.target();
        String words = fault.name() + target + " from " + Formats.seconds(fault.fromNanos());
        words += " to " + Formats.seconds(fault.toNanos());
        to.rect(Palette.SHADE, from, top, wide, bottom - top, words);
        shaded = Math.max(shaded, from + wide);
      }
    }
    long step = Ticks.step((double) analysis.lengthNanos() * PER_TICK / (width - LEFT - RIGHT));
    long end = analysis.startNanos() + analysis.lengthNanos();
    for (long at = -Math.floorDiv(-analysis.startNanos(), step) * step; at <= end; at += step) {
      double x = x(at);
      to.line(Palette.GRID, 1, new double[] {x, x}, new double[] {top, bottom});
      Anchor anchor = x > width - 40 ? Anchor.END : Anchor.MIDDLE;
      to.text(Palette.MUTED, anchor, false, x, bottom + 18, Ticks.seconds(at));
    }
    to.line(Palette.MUTED, 1, new double[] {LEFT, width - RIGHT}, new double[] {bottom, bottom});
  }

  private void tick(Drawing to, double y, String label) {
    to.line(Palette.GRID, 1, new double[] {LEFT, width - RIGHT}, new double[] {y, y});
    to.text(Palette.MUTED, Anchor.END, false, LEFT - 8, y + 4, label);
  }

  private LogScale latencies(Predicate<Call> which, int top, int bottom) {
    long low = Long.MAX_VALUE;
    long high = 1;
    for (Call call : calls) {
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

  /** From 0, at the bottom, to the highest of some values, at the top. */
  private final class LinearScale {
    private final double high;
    private final int top;
    private final int bottom;

    LinearScale(double highest, int top, int bottom) {
      this.high = Math.max(1e-9, highest);
      this.top = top;
      this.bottom = bottom;
    }

    double y(double value) {
      return bottom - value / high * (bottom - top);
    }

    void draw(Drawing to) {
      double step = high < 4 ? high / 4 : Ticks.step(high / 4);
      for (int i = 0; i * step <= high * 1.0001; i++) {
        String label =
            high < 4
                ? String.format(Locale.ROOT, "%.2f", i * step)
                : Formats.number(Math.round(i * step));
        tick(to, y(i * step), label);
      }
    }
  }

  /** From a power of ten nanoseconds, at the bottom, to another, at the top. */
  private final class LogScale {
    private final int low;
    private final int high;
    private final int top;
    private final int bottom;

    LogScale(int low, int high, int top, int bottom) {
      this.low = low;
      this.high = high;
      this.top = top;
      this.bottom = bottom;
    }

    double y(long nanos) {
      double part = (powerOfTen(nanos) - low) / (high - low);
      return bottom - Math.max(0, Math.min(1, part)) * (bottom - top);
    }

    void draw(Drawing to) {
      String[] units = {" ns", " µs", " ms", " s"};
      for (int power = low; power <= high; power++) {
        int unit = Math.min(units.length - 1, power / 3);
        String label = Formats.number(Math.round(Math.pow(10, power - 3 * unit))) + units[unit];
        tick(to, y(Math.round(Math.pow(10, power))), label);
      }
    }
  }

  /** Names of colours, side by side below the title. */
  private final class Legend {
    private final Drawing to;
    private double x = width == WIDE ? LEFT : 4;
    private int y = 28;

    Legend(Drawing to) {
      this.to = to;
    }

    void add(Palette color, String name) {
      if (x > LEFT && x + 15 + name.length() * LETTER > width) {
        x = 4;
        y += LEGEND_LINE;
      }
      to.rect(color, x, y, 10, 10, "");
      to.text(Palette.MUTED, Anchor.START, false, x + 15, y + 9, name);
      x += 42 + name.length() * 6.5;
    }
  }
}
