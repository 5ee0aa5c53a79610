package dev.holdfast.chaos.fault;

import dev.holdfast.chaos.arena.Arena;
import dev.holdfast.lock.elasticsearch.HttpFront;
import dev.holdfast.lock.elasticsearch.Relay;
import eu.rekawek.toxiproxy.Proxy;
import eu.rekawek.toxiproxy.model.Toxic;
import eu.rekawek.toxiproxy.model.ToxicDirection;
import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongSupplier;

/** Faults between a client and the nodes. Stateless. */
public final class LinkFaults {

  private static final AtomicLong TOXICS = new AtomicLong(); // names must differ on one proxy

  /** In place of a slot: that of the client which holds the lock {@code h0} then. */
  public static final int HOLDER = -1;

  /** In place of a slot: that of the client which leads then. */
  public static final int LEADER = -2;

  /** In place of a slot: those of all clients. */
  public static final int ALL_CLIENTS = -3;

  private static final Map<Integer, String> LOCKS = Map.of(HOLDER, "h0", LEADER, "e0");

  /** Short beside the time for which a connection may be idle. */
  private static final long BETWEEN_LOOKS_MILLIS = 50;

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

    default OptionalLong hits() {
      return OptionalLong.empty();
    }
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

  /**
   * A proxy that forgets connections over which nothing has passed for a while, and counts those
   * that are used after that.
   */
  public static Fault dropIdle(int client, Reach reach, Relay.Death death, Duration idle) {
    return new LinkFault(
        "idle-connections-dropped-" + death.name().toLowerCase(Locale.ROOT).replace('_', '-'),
        client,
        reach,
        proxy -> {
          Relay relay = new Relay(URI.create("http://" + proxy.getUpstream()));
          AtomicBoolean over = new AtomicBoolean();
          Thread thread =
              new Thread(
                  () -> {
                    while (!over.get()) {
                      relay.forgetIdle(death, idle);
                      LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(BETWEEN_LOOKS_MILLIS));
                    }
                  },
                  "idle-connections");
          thread.setDaemon(true);
          thread.start();
          return detour(
              proxy,
              URI.create(relay.url()).getAuthority(),
              () -> {
                over.set(true);
                relay.close();
              },
              relay::usesOfTheDead);
        });
  }

  /** A proxy that answers 413 to requests with larger bodies, and counts those. */
  public static Fault limitBodies(int client, Reach reach, int bytes) {
    return new LinkFault(
        "bodies-limited",
        client,
        reach,
        proxy -> {
          HttpFront front = HttpFront.of(URI.create("http://" + proxy.getUpstream()));
          AtomicLong refused = new AtomicLong();
          front.script(
              request -> {
                front.forgetRequests(); // or it keeps all of them
                if (request.body().length() <= bytes) {
                  return new HttpFront.Reply.Forward();
                }
                refused.incrementAndGet();
                return HttpFront.html(413);
              });
          return detour(proxy, front.host(), front::close, refused::get);
        });
  }

  /** Has the proxy pass on to another one, which passes on to where it did. */
  private static Undo detour(Proxy proxy, String through, Runnable close, LongSupplier hits)
      throws IOException {
    String upstream = proxy.getUpstream();
    proxy.setUpstream(through);
    return new Undo() {
      @Override
      public void run() throws IOException {
        try {
          proxy.setUpstream(upstream);
        } finally {
          close.run();
        }
      }

      @Override
      public OptionalLong hits() {
        return OptionalLong.of(hits.getAsLong());
      }
    };
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
      if (slotOrHolder == ALL_CLIENTS) {
        List<Proxy> all = new ArrayList<>();
        for (int slot = 0; slot < Arena.CLIENTS; slot++) {
          all.addAll(context.arena().links(slot));
        }
        return Optional.of(new LinkInjection("links of all clients to all nodes", all, effect));
      }
      List<Proxy> proxies;
      String end;
      String lock = LOCKS.get(slotOrHolder);
      OptionalInt slot = lock == null ? OptionalInt.of(slotOrHolder) : context.holderOf(lock);
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

    @Override
    public OptionalLong hits() {
      List<OptionalLong> counted =
          undo.stream().map(Undo::hits).filter(OptionalLong::isPresent).toList();
      return counted.isEmpty()
          ? OptionalLong.empty()
          : OptionalLong.of(counted.stream().mapToLong(OptionalLong::getAsLong).sum());
    }
  }
}
