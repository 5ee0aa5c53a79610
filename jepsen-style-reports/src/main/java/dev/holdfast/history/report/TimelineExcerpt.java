package dev.holdfast.history.report;

import static dev.holdfast.history.report.Html.escape;

import dev.holdfast.history.Call;
import dev.holdfast.history.FaultInterval;
import dev.holdfast.history.Formats;
import dev.holdfast.history.Operation;
import dev.holdfast.history.Tenure;
import dev.holdfast.history.Vocabulary;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * A still drawing of a short piece of a history: a lane for each client (and lock, where there are
 * several), bars for its leases in the colours of the timeline, the operations that matter named
 * below them, faults shaded behind.
 */
final class TimelineExcerpt {

  private static final int MAX_LANES = 24;
  private static final int MAX_FAULT_ROWS = 6;

  /** On a desktop. */
  static final int WIDE = 1000;

  /** On a phone, where the names of lanes stand beside it. */
  static final int NARROW = 250;

  /* The layout, in pixels. */
  private static final int WIDTH_PER_TICK = 90;
  private static final int TOP = 22;
  private static final int LABEL = 15;
  private static final int LABEL_ROWS = 2;
  private static final int LANE = 34 + LABEL_ROWS * LABEL;
  private static final int BAR = 18;
  private static final int FAULT_ROW = 22;
  private static final int AXIS = 30;
  private static final int RIGHT = 12;
  private static final double LETTER = 7;

  /** The number of colours in {@code page.css}, and how often they are reused with stripes. */
  private static final int COLOURS = 5;

  private static final int STRIPES = 3;

  /** A text below a lane, at a point of time. */
  private record Label(double x, String text, boolean matters) {}

  /**
   * Where a client's calls are drawn.
   *
   * @param process of a client that overlaps with itself, that of the grant; empty for any other
   */
  private record Lane(String client, String process, String lock) {}

  private final RunAnalysis analysis;
  private final long fromNanos;
  private final long toNanos;
  private final List<FaultInterval> faults;
  private final Map<Lane, Integer> lanes = new LinkedHashMap<>();

  /** By the index of each call's invocation. */
  private final Map<Long, Lane> laneOf = new HashMap<>();

  private final Map<Lane, List<Label>> labels = new HashMap<>();
  private final Map<String, Integer> ranks;
  private final Set<Long> named;
  private final Map<Long, Integer> places;
  private final int width;
  private final List<String> faultRows;
  private final int height;
  private final StringBuilder out = new StringBuilder();

  /**
   * A drawing.
   *
   * @param whole the run, of which the colours and the faults are
   * @param analysis the piece to draw
   * @param matter the invocations of the calls that are named first
   * @param ordered by invocations, the places of calls in the order that a model allows, from 1 on
   */
  TimelineExcerpt(
      RunAnalysis whole,
      RunAnalysis analysis,
      Set<Long> matter,
      Map<Long, Integer> ordered,
      Tenure.Span window,
      int width) {
    this.analysis = analysis;
    this.width = width;
    this.fromNanos = window.fromNanos();
    this.toNanos = Math.max(fromNanos + 1, window.toNanos());
    this.ranks = whole.clientRanks();
    this.named = matter;
    this.places = ordered;
    this.faults =
        whole.faults().stream()
            .filter(fault -> fault.fromNanos() <= toNanos && fault.toNanos() >= fromNanos)
            .toList();
    this.faultRows =
        faults.stream().map(FaultInterval::name).distinct().limit(MAX_FAULT_ROWS).toList();
    assignLanes();
    this.height = laneTop(lanes.size()) + AXIS;
  }

  private void assignLanes() {
    Set<String> ambiguous =
        analysis.overlaps().stream()
            .filter(overlap -> overlap.first().client().equals(overlap.second().client()))
            .map(overlap -> overlap.first().client())
            .collect(Collectors.toSet());
    for (Call call : analysis.history().calls()) {
      assign(call, call, ambiguous);
    }
    for (Tenure tenure : analysis.tenures()) { // its calls may have been made by other processes
      tenure.confirmations().forEach(renewal -> assign(renewal, tenure.acquire(), ambiguous));
      if (tenure.release() != null) {
        assign(tenure.release(), tenure.acquire(), ambiguous);
      }
    }
    laneOf.values().stream()
        .distinct()
        .sorted(
            Comparator.comparing((Lane lane) -> RunAnalysis.padded(lane.client))
                .thenComparing(lane -> RunAnalysis.padded(lane.process))
                .thenComparing(Lane::lock))
        .limit(MAX_LANES)
        .forEach(lane -> lanes.put(lane, lanes.size()));
  }

  private void assign(Call call, Call of, Set<String> ambiguous) {
    String process = ambiguous.contains(of.client()) ? "process " + of.invocation().process() : "";
    laneOf.put(call.invocation().index(), new Lane(of.client(), process, of.lock()));
  }

  private @Nullable Lane lane(Call call) {
    return laneOf.get(call.invocation().index());
  }

  String html() {
    drawGround();
    faults.forEach(this::drawFault);
    analysis.history().calls().stream()
        .filter(call -> lanes.containsKey(lane(call)))
        .filter(call -> call.invokedAt() <= toNanos && call.completedAt() >= fromNanos)
        .forEach(this::drawWait);
    analysis.overlaps().forEach(overlap -> drawOverlap(overlap, "clash-ground"));
    analysis.tenures().stream()
        .filter(tenure -> lanes.containsKey(lane(tenure.acquire())))
        .forEach(this::drawTenure);
    analysis.overlaps().forEach(overlap -> drawOverlap(overlap, "clash"));
    analysis.history().calls().forEach(this::label);
    lanes.keySet().forEach(this::drawLabels);
    return Html.fill(
        "small-timeline.html",
        Map.of(
            "labels", labels(),
            "width", Integer.toString(width),
            "height", Integer.toString(height),
            "description", escape(description()),
            "drawing", out.toString()));
  }

  private String labels() {
    StringBuilder labels = new StringBuilder("<div style=\"height:" + TOP + "px\"></div>");
    String row =
        "<div class=\"lane %s\" style=\"height:%dpx\"><span>%s</span><small>%s</small></div>";
    faultRows.forEach(
        name -> labels.append(String.format(row, "fault", FAULT_ROW, escape(name), "")));
    for (Lane lane : lanes.keySet()) {
      String lock =
          lanes.keySet().stream().map(Lane::lock).distinct().count() == 1 ? "" : lane.lock;
      String below = (lane.process + " " + lock).strip();
      labels.append(String.format(row, "client", LANE, escape(lane.client), escape(below)));
    }
    return labels.toString();
  }

  private void drawGround() {
    for (int row = 0; row < lanes.size(); row += 2) {
      rect("stripe", 0, laneTop(row), width, LANE);
    }
    int bottom = height - AXIS;
    long step = Ticks.step((double) (toNanos - fromNanos) * WIDTH_PER_TICK / width);
    for (long at = -Math.floorDiv(-fromNanos, step) * step; at <= toNanos; at += step) {
      String anchor = x(at) < 20 ? "start" : x(at) > width - 40 ? "end" : "middle";
      line("grid", x(at), laneTop(0), x(at), bottom + 5);
      draw(
          "<text class=\"tick\" text-anchor=\"%s\" x=\"%.1f\" y=\"%d\">%s</text>",
          anchor, x(at), bottom + 20, Ticks.seconds(at));
    }
  }

  private void drawFault(FaultInterval fault) {
    int row = faultRows.indexOf(fault.name());
    double from = x(fault.fromNanos());
    double wide = x(fault.toNanos()) - from;
    String end = fault.healed() ? Formats.seconds(fault.toNanos()) : "the end";
    String target = fault.target().isEmpty() ? "" : " of " + fault.target();
    open(
        "fault-of",
        fault.name() + target + " from " + Formats.seconds(fault.fromNanos()) + " to " + end);
    rect("shade", from, laneTop(0), Math.max(2, wide), height - AXIS - laneTop(0));
    if (row >= 0) {
      int top = TOP + row * FAULT_ROW;
      rect("fault", from, top + 3, Math.max(5, wide), FAULT_ROW - 6);
      text("on-fault", from + 5, top + 15, wide - 8, fault.target());
    }
    draw("</g>");
  }

  private void drawWait(Call call) {
    double y = barTop(call) + BAR / 2.0;
    double to = x(call.completedAt());
    open("wait", call.describe());
    line("waiting", x(call.invokedAt()), y, to, y);
    if (!call.isOk() && call.completion() != null) {
      line("refused", to, y - 4, to, y + 4);
    }
    draw("</g>");
  }

  private void drawTenure(Tenure tenure) {
    int top = barTop(tenure.acquire());
    double middle = top + BAR / 2.0;
    double start = x(tenure.grantedAt());
    int rank = ranks.getOrDefault(tenure.client(), 0);
    open("tenure lock-" + rank % COLOURS, describe(tenure));
    long clear = tenure.grantedAt(); // until where nothing is in the way of the fence
    for (Tenure.Span span : tenure.held()) {
      if (span.toNanos() < fromNanos || span.fromNanos() > toNanos) {
        continue;
      }
      clear = span.equals(tenure.held().get(0)) ? span.toNanos() : clear;
      rect(
          "bar",
          x(span.fromNanos()),
          top,
          Math.max(1.5, x(span.toNanos()) - x(span.fromNanos())),
          BAR);
      for (int stripe = 0; stripe < rank / COLOURS % STRIPES; stripe++) {
        double y = stripe == 0 ? top + 1.5 : top + BAR - 1.5;
        line("renewed", x(span.fromNanos()), y, x(span.toNanos()), y);
      }
    }
    for (Call renewal : tenure.confirmations()) {
      if (renewal.isOk() && isSeen(renewal.completedAt())) {
        clear = Math.min(clear, renewal.completedAt());
        line("renewed", x(renewal.completedAt()), top + 1, x(renewal.completedAt()), top + BAR - 1);
      }
    }
    if (isSeen(tenure.grantedAt())) {
      draw("<circle class=\"acquired\" cx=\"%.1f\" cy=\"%.1f\" r=\"4\"/>", start, middle);
    }
    String fence =
        tenure.acquire().fence().isPresent()
            ? "#" + Html.shortFence(tenure.acquire().fence().getAsLong())
            : "";
    String since =
        isSeen(tenure.grantedAt()) ? "" : "◂ since " + Formats.seconds(tenure.grantedAt());
    text("on-bar", start + 7, top + 13, x(clear) - start - 10, (since + " " + fence).strip());
    Operation loss = tenure.loss();
    if (loss != null && isSeen(loss.time())) {
      draw("<path class=\"lost\" d=\"M%.1f %.1fl8 8m0-8l-8 8\"/>", x(loss.time()) - 4, middle - 4);
    } else if (tenure.release() != null && isSeen(tenure.release().invokedAt())) {
      double at = x(tenure.release().invokedAt());
      line("released", at, top - 4, at, top + BAR + 4);
    }
    draw("</g>");
  }

  /** Its ground, below the bars so that their colours are seen; or its edge and its length. */
  private void drawOverlap(Tenure.Overlap overlap, String style) {
    Integer one = lanes.get(lane(overlap.first().acquire()));
    Integer other = lanes.get(lane(overlap.second().acquire()));
    if (one != null && other != null) {
      int top = laneTop(Math.min(one, other)) + 3;
      int bottom = laneTop(Math.max(one, other)) + BAR + 13;
      double from = x(overlap.fromNanos());
      double wide = Math.max(3, x(overlap.toNanos()) - from);
      if (!style.equals("clash")) {
        rect(style, from, top, wide, bottom - top);
        return;
      }
      double middle = (from + x(overlap.toNanos())) / 2;
      String words = "both for " + Formats.seconds(overlap.toNanos() - overlap.fromNanos());
      double room = words.length() * LETTER / 2;
      draw(
          "<text class=\"both\" text-anchor=\"middle\" x=\"%.1f\" y=\"%d\">%s</text>",
          Math.max(room, Math.min(width - room, middle)), TOP - 8, words);
      open("overlap", "Overlap: " + overlap.describe());
      rect(style, from, top, wide, bottom - top);
      draw("</g>");
    }
  }

  /** Names the call, and how its lease ended, if that is in view. */
  private void label(Call call) {
    Operation completion = call.completion();
    long asked = call.invocation().index();
    boolean matters = named.contains(asked) || places.containsKey(asked);
    boolean isEnd = call.f().equals(Vocabulary.RELEASE);
    Operation shown = completion == null || isEnd ? call.invocation() : completion;
    if (matters || isEnd || call.f().equals(Vocabulary.ACQUIRE)) {
      String how = completion == null ? " (open)" : call.isFailed() ? " (failed)" : "";
      Integer place = places.get(asked);
      add(
          call,
          shown.time(),
          Html.shownIndex(call),
          (place == null ? "" : place + ". ") + call.f() + how,
          matters);
    }
    for (Tenure tenure : analysis.tenures()) {
      Operation loss = tenure.loss();
      if (tenure.acquire().invocation().index() == asked && loss != null) {
        add(call, loss.time(), loss.index(), "notified of loss", named.contains(asked));
      }
    }
  }

  private void add(Call call, long nanos, long index, String text, boolean matters) {
    if (isSeen(nanos)) {
      String number = (width == WIDE ? ", operation " : ", op ") + index;
      labels
          .computeIfAbsent(Objects.requireNonNull(lane(call)), k -> new ArrayList<>())
          .add(new Label(x(nanos), text + number, matters));
    }
  }

  /** Puts each label where no other is; one that does not matter is left out for want of room. */
  private void drawLabels(Lane lane) {
    List<Label> all = new ArrayList<>(labels.getOrDefault(lane, List.of()));
    all.sort(Comparator.comparing((Label label) -> !label.matters).thenComparing(Label::x));
    List<List<double[]>> taken = new ArrayList<>();
    for (int row = 0; row < LABEL_ROWS; row++) {
      taken.add(new ArrayList<>());
    }
    int bar = laneTop(lanes.getOrDefault(lane, 0)) + BAR + 8;
    for (Label label : all) {
      double wide = label.text.length() * LETTER * (label.matters ? 1 : 0.9);
      double from = Math.max(0, Math.min(label.x - 4, width - wide));
      int row = 0;
      while (row < LABEL_ROWS && isTaken(taken.get(row), from, from + wide)) {
        row++;
      }
      if (row < LABEL_ROWS) {
        taken.get(row).add(new double[] {from, from + wide});
        int y = bar + 15 + row * LABEL;
        line("leader", label.x, bar, label.x, y - 9);
        draw(
            "<text class=\"%s\" x=\"%.1f\" y=\"%d\">%s</text>",
            label.matters ? "named" : "label", from, y, escape(label.text));
      }
    }
  }

  private static boolean isTaken(List<double[]> taken, double from, double to) {
    return taken.stream().anyMatch(each -> from < each[1] + 6 && to > each[0] - 6);
  }

  private int barTop(Call call) {
    return laneTop(row(call)) + 8;
  }

  private String description() {
    return Formats.count(analysis.tenures().size(), "lease")
        + " of "
        + Formats.count(lanes.size(), "client")
        + ", "
        + Formats.count(analysis.overlaps().size(), "overlap")
        + ".";
  }

  private static String describe(Tenure tenure) {
    StringBuilder words = new StringBuilder(tenure.acquire().describe());
    for (Tenure.Span span : tenure.held()) {
      words.append(", held from ").append(Formats.seconds(span.fromNanos()));
      words.append(" to ").append(Formats.seconds(span.toNanos()));
    }
    Operation loss = tenure.loss();
    if (loss != null) {
      words.append(", lost at ").append(Formats.seconds(loss.time()));
    }
    if (tenure.release() != null) {
      words.append(", released at ").append(Formats.seconds(tenure.release().invokedAt()));
    }
    return words.toString();
  }

  private boolean isSeen(long nanos) {
    return fromNanos <= nanos && nanos <= toNanos;
  }

  private int row(Call call) {
    return lanes.getOrDefault(lane(call), 0);
  }

  private int laneTop(int row) {
    return TOP + faultRows.size() * FAULT_ROW + row * LANE;
  }

  private double x(long nanos) {
    long inside = Math.max(fromNanos, Math.min(nanos, toNanos));
    return (double) (inside - fromNanos) / (toNanos - fromNanos) * (width - RIGHT);
  }

  /** Begins a group that says what it is when pointed at. */
  private void open(String style, String title) {
    draw("<g class=\"%s\"><title>%s</title>", style, escape(title));
  }

  private void rect(String style, double x, double y, double wide, double high) {
    draw(
        "<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"/>",
        style, x, y, wide, high);
  }

  private void line(String style, double x1, double y1, double x2, double y2) {
    draw(
        "<line class=\"%s\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>",
        style, x1, y1, x2, y2);
  }

  /** Writes a text if it fits. */
  private void text(String style, double x, double y, double room, String text) {
    if (!text.isEmpty() && text.length() * LETTER <= room) {
      draw("<text class=\"%s\" x=\"%.1f\" y=\"%.1f\">%s</text>", style, x, y, escape(text));
    }
  }

  private void draw(String format, Object... values) {
    out.append(String.format(Locale.ROOT, format, values)).append('\n');
  }
}
