package dev.holdfast.chaos.fault;

import eu.rekawek.toxiproxy.Proxy;
import eu.rekawek.toxiproxy.model.Toxic;
import eu.rekawek.toxiproxy.model.ToxicDirection;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.atomic.AtomicLong;

/** Faults between a client and the nodes. Stateless. */
public final class LinkFaults {

  private static final AtomicLong TOXICS = new AtomicLong(); // names must differ on one proxy

  /** In place of a slot: that of the client which holds the lock {@value #LOCK} then. */
  public static final int HOLDER = -1;

  private static final String LOCK = "h0";

  private LinkFaults() {}

  /** Which of a client's links are meant. */
  public enum Reach {
    /** Those to all nodes. */
    ALL,
    /** The one to the node with the primary of the lock index. */
    PRIMARY
  }

  private interface Undo {
    void run() throws IOException;
  }

  private interface LinkChange {
    Undo apply(Proxy proxy) throws IOException;
  }

  /** Nothing gets through in either direction, and nobody is told. */
  public static Fault cut(int client, Reach reach) {
    return new LinkFault(
        "cut-off",
        client,
        reach,
        proxy ->
            both(
                proxy.toxics().timeout(name(), ToxicDirection.UPSTREAM, 0),
                proxy.toxics().timeout(name(), ToxicDirection.DOWNSTREAM, 0)));
  }

  /** No request gets through. */
  public static Fault cutRequests(int client, Reach reach) {
    return new LinkFault(
        "requests-cut",
        client,
        reach,
        proxy -> toxic(proxy.toxics().timeout(name(), ToxicDirection.UPSTREAM, 0)));
  }

  /** Requests get through, and no answer comes back. */
  public static Fault cutAnswers(int client, Reach reach) {
    return new LinkFault(
        "answers-cut",
        client,
        reach,
        proxy -> toxic(proxy.toxics().timeout(name(), ToxicDirection.DOWNSTREAM, 0)));
  }

  /** Requests get through, and the connection is reset in place of the answer. */
  public static Fault resetAnswers(int client, Reach reach) {
    return new LinkFault(
        "answers-reset",
        client,
        reach,
        proxy -> toxic(proxy.toxics().resetPeer(name(), ToxicDirection.DOWNSTREAM, 0)));
  }

  /** Connections are refused, and those that there were are closed. */
  public static Fault refuse(int client, Reach reach) {
    return new LinkFault(
        "connections-refused",
        client,
        reach,
        proxy -> {
          proxy.disable();
          return proxy::enable;
        });
  }

  /** Answers come late, by a time with jitter. */
  public static Fault delay(int client, Reach reach, long millis, long jitterMillis) {
    return new LinkFault(
        "answers-delayed",
        client,
        reach,
        proxy ->
            toxic(
                proxy
                    .toxics()
                    .latency(name(), ToxicDirection.DOWNSTREAM, millis)
                    .setJitter(jitterMillis)));
  }

  /** Bytes trickle, in both directions. */
  public static Fault throttle(int client, Reach reach, long kilobytesPerSecond) {
    return new LinkFault(
        "bandwidth",
        client,
        reach,
        proxy ->
            both(
                proxy.toxics().bandwidth(name(), ToxicDirection.UPSTREAM, kilobytesPerSecond),
                proxy.toxics().bandwidth(name(), ToxicDirection.DOWNSTREAM, kilobytesPerSecond)));
  }

  /** Packets arrive in small pieces, with pauses between them. */
  public static Fault slice(int client, Reach reach, long bytes, long pauseMicros) {
    return new LinkFault(
        "sliced",
        client,
        reach,
        proxy ->
            both(
                proxy.toxics().slicer(name(), ToxicDirection.UPSTREAM, bytes, pauseMicros),
                proxy.toxics().slicer(name(), ToxicDirection.DOWNSTREAM, bytes, pauseMicros)));
  }

  /** Each connection ends after that many bytes of requests, or of answers. */
  public static Fault limit(int client, Reach reach, boolean requests, long bytes) {
    return new LinkFault(
        requests ? "requests-broken-off" : "answers-broken-off",
        client,
        reach,
        proxy ->
            toxic(
                proxy
                    .toxics()
                    .limitData(
                        name(),
                        requests ? ToxicDirection.UPSTREAM : ToxicDirection.DOWNSTREAM,
                        bytes)));
  }

  private static String name() {
    return "toxic-" + TOXICS.incrementAndGet();
  }

  private static Undo toxic(Toxic toxic) {
    return toxic::remove;
  }

  private static Undo both(Toxic one, Toxic other) {
    return () -> {
      one.remove();
      other.remove();
    };
  }

  private record LinkFault(String name, int slotOrHolder, Reach reach, LinkChange effect)
      implements Fault {

    @Override
    public Optional<Injection> aim(FaultContext context) throws InterruptedException {
      List<Proxy> proxies;
      String end;
      OptionalInt slot =
          slotOrHolder == HOLDER ? context.holderOf(LOCK) : OptionalInt.of(slotOrHolder);
      if (slot.isEmpty()) {
        return Optional.empty();
      }
      int client = slot.getAsInt();
      if (reach == Reach.ALL) {
        proxies = context.arena().links(client);
        end = "all nodes";
      } else {
        var primary = context.arena().cluster().primaryOf(context.names().lockAlias());
        if (primary.isEmpty()) {
          return Optional.empty();
        }
        proxies = List.of(context.arena().link(client, primary.get()));
        end = "the primary, " + primary.get().name();
      }
      String target = "link of " + context.crew().worker(client).client() + " to " + end;
      return Optional.of(new LinkInjection(target, proxies, effect));
    }
  }

  private static final class LinkInjection implements Fault.Injection {
    private final String target;
    private final List<Proxy> proxies;
    private final LinkChange effect;
    private final List<Undo> undo = new ArrayList<>();

    LinkInjection(String target, List<Proxy> proxies, LinkChange effect) {
      this.target = target;
      this.proxies = proxies;
      this.effect = effect;
    }

    @Override
    public String target() {
      return target;
    }

    @Override
    public void begin() throws IOException {
      for (Proxy proxy : proxies) {
        undo.add(effect.apply(proxy));
      }
    }

    @Override
    public void end() throws IOException {
      for (Undo each : undo) {
        each.run();
      }
    }
  }
}
