package dev.holdfast.history.report;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.holdfast.history.Call;
import dev.holdfast.history.FaultInterval;
import dev.holdfast.history.Operation;
import dev.holdfast.history.Tenure;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Base64;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.LongUnaryOperator;
import java.util.zip.GZIPOutputStream;
import org.jspecify.annotations.Nullable;

/**
 * A run as the script in the pages reads it: names and faults as JSON, calls and leases as columns
 * of numbers. Each number is the difference to the expected value, in as many bytes as it needs
 * (LEB128, signed ones as zigzag), so that 200,000 operations take a few megabytes. The reader,
 * {@code timeline.js}, takes the columns in the order in which they are put here.
 */
final class TimelineData {

  /** Shorter histories are told in nanoseconds, which are then the numbers of their lines. */
  private static final long SHORT_NANOS = 10_000_000;

  private static final int HAS_FENCE = 4;

  private final RunAnalysis analysis;
  private final Set<Tenure.Overlap> allowed;
  private final long unit;
  private final Map<String, Integer> clients = new LinkedHashMap<>();
  private final Map<String, Integer> locks = new LinkedHashMap<>();
  private final Map<String, Integer> kinds = new LinkedHashMap<>();
  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream(1 << 16);
  private final String columns;

  /**
   * The data of a timeline.
   *
   * @param allowed overlaps that are no violations
   */
  TimelineData(RunAnalysis analysis, Set<Tenure.Overlap> allowed) {
    this.analysis = analysis;
    this.allowed = allowed;
    this.unit = analysis.lengthNanos() < SHORT_NANOS ? 1 : 1000;
    IdentityHashMap<Call, Integer> places = new IdentityHashMap<>();
    List<Call> calls = analysis.history().calls();
    calls.forEach(call -> places.put(call, places.size()));
    putCalls(calls);
    putTenures(places);
    this.columns = Base64.getEncoder().encodeToString(compressed(bytes));
  }

  private static byte[] compressed(ByteArrayOutputStream plain) {
    ByteArrayOutputStream out = new ByteArrayOutputStream(plain.size() / 2);
    try (GZIPOutputStream gzip = new GZIPOutputStream(out)) {
      plain.writeTo(gzip);
    } catch (IOException e) {
      throw new UncheckedIOException(e); // there is no file behind it
    }
    return out.toByteArray();
  }

  /** The columns, compressed by gzip, as text that is safe anywhere in HTML. */
  String columns() {
    return columns;
  }

  /** The rest, as JSON that is safe within a script element. */
  String json() {
    ObjectNode root = JsonNodeFactory.instance.objectNode();
    root.put("unit", unit);
    root.put("start", at(analysis.startNanos()));
    root.put("end", at(analysis.startNanos() + analysis.lengthNanos()));
    root.put("calls", analysis.history().calls().size());
    root.put("tenures", analysis.tenures().size());
    names(root.putArray("clients"), clients);
    names(root.putArray("locks"), locks);
    names(root.putArray("kinds"), kinds);
    ranks(root.putArray("clientRanks"), clients, analysis.clientRanks());
    ranks(root.putArray("lockRanks"), locks, analysis.lockRanks());
    ArrayNode faults = root.putArray("faults");
    for (FaultInterval fault : analysis.faults()) {
      faults
          .addObject()
          .put("name", Html.visible(fault.name()))
          .put("target", Html.visible(fault.target()))
          .put("from", at(fault.fromNanos()))
          .put("to", at(fault.toNanos()))
          .put("healed", fault.healed());
    }
    IdentityHashMap<Tenure, Integer> places = new IdentityHashMap<>();
    analysis.tenures().forEach(tenure -> places.put(tenure, places.size()));
    ArrayNode overlaps = root.putArray("overlaps");
    for (Tenure.Overlap overlap : analysis.overlaps()) {
      overlaps
          .addObject()
          .put("a", places.getOrDefault(overlap.first(), 0))
          .put("b", places.getOrDefault(overlap.second(), 0))
          .put("allowed", allowed.contains(overlap))
          .put("first", Html.visible(overlap.firstHolder()))
          .put("second", Html.visible(overlap.secondHolder()))
          .put("from", at(overlap.fromNanos()))
          .put("to", at(Math.min(overlap.toNanos(), analysis.history().endNanos())));
    }
    return Html.scriptJson(root);
  }

  private static void ranks(
      ArrayNode array, Map<String, Integer> names, Map<String, Integer> ranks) {
    names.keySet().forEach(name -> array.add(ranks.getOrDefault(name, 0)));
  }

  private static void names(ArrayNode array, Map<String, Integer> names) {
    names.keySet().forEach(name -> array.add(Html.visible(name)));
  }

  private void putCalls(List<Call> calls) {
    long last = at(analysis.startNanos());
    for (Call call : calls) {
      put(at(call.invokedAt()) - last);
      last = at(call.invokedAt());
    }
    for (Call call : calls) {
      put(call.completion() == null ? 0 : at(call.completedAt()) - at(call.invokedAt()) + 1);
    }
    calls.forEach(call -> put(number(clients, call.client())));
    calls.forEach(call -> put(number(locks, call.lock())));
    calls.forEach(call -> put(number(kinds, call.f())));
    for (Call call : calls) {
      int type = call.completion() == null ? 0 : call.isOk() ? 1 : call.isFailed() ? 2 : 3;
      put(type + (call.fence().isPresent() ? HAS_FENCE : 0));
    }
    putFences(calls, fence -> fence >>> Integer.SIZE);
    putFences(calls, fence -> fence & 0xFFFF_FFFFL);
    long index = 0;
    for (Call call : calls) {
      putSigned(call.invocation().index() - index);
      index = call.invocation().index();
    }
    for (Call call : calls) {
      Operation completion = call.completion();
      put(completion == null ? 0 : Math.max(0, completion.index() - call.invocation().index()));
    }
  }

  /** One half of each fence, as its difference from the one before it on the same lock. */
  private void putFences(List<Call> calls, LongUnaryOperator half) {
    Map<String, Long> before = new HashMap<>();
    for (Call call : calls) {
      if (call.fence().isPresent()) {
        long fence = half.applyAsLong(call.fence().getAsLong());
        Long last = before.put(call.lock(), fence);
        putSigned(fence - (last == null ? 0 : last));
      }
    }
  }

  private void putTenures(IdentityHashMap<Call, Integer> places) {
    Set<Tenure> takeovers = analysis.takeovers();
    int last = 0;
    for (Tenure tenure : analysis.tenures()) {
      int place = places.getOrDefault(tenure.acquire(), 0);
      putSigned(place - last);
      last = place;
    }
    analysis.tenures().forEach(tenure -> put(tenure.held().size()));
    for (Tenure tenure : analysis.tenures()) {
      long from = at(tenure.grantedAt());
      for (Tenure.Span span : tenure.held()) {
        put(at(span.fromNanos()) - from);
        put(at(end(span)) - at(span.fromNanos()));
        from = at(end(span));
      }
    }
    for (Tenure tenure : analysis.tenures()) {
      long until = Math.min(tenure.validUntil(), analysis.history().endNanos());
      putSigned(at(until) - at(tenure.grantedAt()));
    }
    for (Tenure tenure : analysis.tenures()) {
      Call release = tenure.release();
      putLater(tenure, release == null ? null : release.invocation());
    }
    for (Tenure tenure : analysis.tenures()) {
      putLater(tenure, tenure.loss());
    }
    analysis.tenures().forEach(tenure -> put(takeovers.contains(tenure) ? 1 : 0));
    for (Tenure tenure : analysis.tenures()) {
      put(tenure.renewals().stream().filter(Call::isOk).count());
    }
    for (Tenure tenure : analysis.tenures()) {
      int before = places.getOrDefault(tenure.acquire(), 0);
      for (Call renewal : tenure.renewals()) {
        if (renewal.isOk()) {
          int place = places.getOrDefault(renewal, 0);
          putSigned(place - before);
          before = place;
        }
      }
    }
  }

  /** Puts 0 for what never was. */
  private void putLater(Tenure tenure, @Nullable Operation what) {
    put(what == null ? 0 : 1 + zigzag(at(what.time()) - at(tenure.grantedAt())));
  }

  private long end(Tenure.Span span) {
    return Math.max(span.fromNanos(), Math.min(span.toNanos(), analysis.history().endNanos()));
  }

  private long at(long nanos) {
    return Math.floorDiv(nanos, unit);
  }

  private static int number(Map<String, Integer> names, String name) {
    Integer number = names.putIfAbsent(name, names.size());
    return number == null ? names.size() - 1 : number;
  }

  private void putSigned(long number) {
    put(zigzag(number));
  }

  private static long zigzag(long number) {
    return (number << 1) ^ (number >> 63);
  }

  private void put(long number) {
    long rest = number;
    while ((rest & ~0x7FL) != 0) {
      bytes.write((int) (rest & 0x7F) | 0x80);
      rest >>>= 7;
    }
    bytes.write((int) rest);
  }
}
