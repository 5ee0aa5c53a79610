package dev.holdfast.lock.elasticsearch;

import dev.holdfast.lock.internal.Logs;
import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.LongSupplier;
import java.util.regex.Pattern;
import org.apache.hc.client5.http.DnsResolver;
import org.apache.hc.client5.http.async.AsyncExecCallback;
import org.apache.hc.client5.http.async.AsyncExecChain;
import org.apache.hc.client5.http.async.AsyncExecChainHandler;
import org.apache.hc.core5.concurrent.CancellableDependency;
import org.apache.hc.core5.http.HttpException;
import org.apache.hc.core5.http.HttpRequest;
import org.apache.hc.core5.http.RequestNotExecutedException;
import org.apache.hc.core5.http.nio.AsyncEntityProducer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Resolves the host names of a store on threads of their own. The HTTP client resolves a name on
 * the thread that sends, which may be the one that runs all timers of a manager, and a DNS server
 * may take many seconds to answer.
 *
 * <p>As the client's resolver, answers from memory and never waits. As the first handler of each
 * request, sees to it that there is an answer: addresses are looked up again in the background
 * while requests are sent, one lookup per host at a time, and stay in use when a lookup fails or
 * does not end. A request waits, without a thread, only if its host has not been looked up yet, or
 * not for a minute; and not for long if another host, or an earlier answer, will do. Thread-safe.
 */
final class HostNames implements DnsResolver, AsyncExecChainHandler {
  private static final Logger LOG = LoggerFactory.getLogger(HostNames.class);

  /** How long an answer is used without a new lookup. The JVM, and what is below, cache as well. */
  static final Duration FRESH = Duration.ofSeconds(5);

  /** How long a failure is answered with before the next lookup. */
  static final Duration RETRY_PAUSE = Duration.ofSeconds(1);

  /** A host that was not looked up for so long may have moved: an answer is waited for. */
  static final Duration IDLE = Duration.ofMinutes(1);

  /** How long a request waits if there is another host or an earlier answer. */
  private static final Duration PATIENCE = Duration.ofSeconds(1);

  /** How long it waits otherwise: as long as for a connection. */
  private static final Duration MAX_WAIT = Duration.ofSeconds(30);

  private static final String OCTET = "(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])";

  private static final Pattern IPV4 = Pattern.compile(OCTET + "(\\." + OCTET + "){3}");

  private static final CompletableFuture<Void> OVER = CompletableFuture.completedFuture(null);

  private final DnsResolver resolver;
  private final Executor threads;
  private final LongSupplier nanos;
  private final Map<String, Host> hosts = new LinkedHashMap<>();

  /**
   * Names for which this is asked, and no others.
   *
   * @param names names or addresses, an IPv6 address in brackets
   * @param resolver may block, and fail in any way
   * @param threads runs each task on a thread of its own; may refuse
   * @param nanos a monotonic clock
   */
  HostNames(Collection<String> names, DnsResolver resolver, Executor threads, LongSupplier nanos) {
    this.resolver = resolver;
    this.threads = threads;
    this.nanos = nanos;
    names.stream()
        .filter(name -> !isAddress(name))
        .forEach(name -> hosts.put(name, new Host(name)));
  }

  /** Whether nobody is asked about it. */
  private static boolean isAddress(String name) {
    return name.startsWith("[") || IPV4.matcher(name).matches();
  }

  // --- Before a request

  @Override
  public void execute(
      HttpRequest request,
      AsyncEntityProducer body,
      AsyncExecChain.Scope scope,
      AsyncExecChain chain,
      AsyncExecCallback callback)
      throws HttpException, IOException {
    CompletableFuture<Void> ready = ready(scope.route.getTargetHost().getHostName());
    if (ready.isDone()) {
      chain.proceed(request, body, scope, callback);
    } else {
      whenOver(
          ready,
          scope.cancellableDependency,
          () -> chain.proceed(request, body, scope, callback),
          callback);
    }
  }

  private interface Sending {
    void send() throws HttpException, IOException;
  }

  private static void whenOver(
      CompletableFuture<Void> ready,
      CancellableDependency request,
      Sending sending,
      AsyncExecCallback callback) {
    CompletableFuture<Void> turn = ready.copy();
    request.setDependency(() -> turn.cancel(false));
    var unused =
        turn.whenComplete(
            (nothing, cancelled) -> {
              if (cancelled != null) {
                callback.failed(new RequestNotExecutedException("The request was given up"));
                return;
              }
              try {
                sending.send();
              } catch (HttpException | IOException | RuntimeException e) {
                callback.failed(e);
              } catch (Error e) {
                callback.failed(new IOException(e));
              }
            });
  }

  /** Completes when there is nothing to wait for any more before a request to this host. */
  CompletableFuture<Void> ready(String name) {
    List<Lookup> due;
    Lookup awaited;
    synchronized (this) {
      due = hosts.values().stream().map(Host::due).filter(Objects::nonNull).toList();
      Host host = hosts.get(name);
      awaited = host == null ? null : host.lookup;
    }
    due.forEach(Lookup::start);
    return awaited != null && awaited.isAwaited ? awaited.over : OVER;
  }

  // --- On connecting

  @Override
  public InetAddress[] resolve(String name) throws UnknownHostException {
    Host host = hosts.get(name);
    return host == null ? resolver.resolve(name) : host.addresses();
  }

  /** Looks nothing up: wanted for Kerberos only, which is not used. */
  @Override
  public String resolveCanonicalHostname(String name) {
    return name;
  }

  // --- Lookups

  /** Guarded by this. */
  private boolean isAnyKnown() {
    return hosts.values().stream().anyMatch(host -> host.addresses != null);
  }

  /** Lets the requests go that have waited for long, and have, or now have, an alternative. */
  private void release() {
    for (Host host : hosts.values()) {
      Lookup lookup;
      synchronized (this) {
        lookup = host.lookup;
        if (lookup == null || !lookup.isLate || !isAnyKnown()) {
          continue;
        }
      }
      lookup.over.complete(null);
    }
  }

  /** A name, and what is known of it: guarded by the outer object. */
  private final class Host {
    private final String name;
    private InetAddress @Nullable [] addresses;
    private @Nullable Throwable failure;
    private @Nullable Long lookedUpAt;
    private @Nullable Lookup lookup;

    Host(String name) {
      this.name = name;
    }

    /** The next lookup, if it is time for one and none is under way. */
    @Nullable Lookup due() {
      if (lookup != null) {
        return null;
      }
      Duration age = lookedUpAt == null ? null : Duration.ofNanos(nanos.getAsLong() - lookedUpAt);
      if (age != null && age.compareTo(failure == null ? FRESH : RETRY_PAUSE) < 0) {
        return null;
      }
      lookup = new Lookup(this, age == null || age.compareTo(IDLE) >= 0 || !isAnyKnown());
      return lookup;
    }

    InetAddress[] addresses() throws UnknownHostException {
      synchronized (HostNames.this) {
        if (addresses != null) {
          return addresses.clone();
        }
        // A new one each time: requests add to it what else went wrong.
        UnknownHostException unknown =
            new UnknownHostException(
                name + (failure == null ? " is still being resolved" : " could not be resolved"));
        unknown.initCause(failure);
        throw unknown;
      }
    }
  }

  /** One question to the resolver. */
  private final class Lookup {
    private final Host host;
    private final boolean isAwaited;

    /** Completes when it has ended, or nobody is to wait for it any more. */
    private final CompletableFuture<Void> over = new CompletableFuture<>();

    // Guarded by the outer object.
    private boolean isLate;

    Lookup(Host host, boolean isAwaited) {
      this.host = host;
      this.isAwaited = isAwaited;
    }

    void start() {
      try {
        if (isAwaited) {
          threads.execute(this::watch);
        }
        threads.execute(this::run);
      } catch (RuntimeException | Error e) {
        end(null, e);
      }
    }

    private void watch() {
      if (!isOverWithin(PATIENCE)) {
        synchronized (HostNames.this) {
          isLate = true;
        }
        release();
        if (!isOverWithin(MAX_WAIT)) {
          over.complete(null);
        }
      }
    }

    private boolean isOverWithin(Duration time) {
      try {
        over.get(time.toNanos(), TimeUnit.NANOSECONDS);
        return true;
      } catch (TimeoutException | InterruptedException | ExecutionException e) {
        // Nobody interrupts this thread, and nothing fails this future.
        return false;
      }
    }

    private void run() {
      InetAddress[] found = null;
      Throwable failure = null;
      try {
        found = resolver.resolve(host.name);
      } catch (Throwable e) {
        // Whatever it is, requests wait for the end.
        failure = e;
      }
      end(found == null || found.length == 0 ? null : found, failure);
    }

    private void end(InetAddress @Nullable [] found, @Nullable Throwable failure) {
      Throwable reason = failure != null ? failure : new UnknownHostException(host.name);
      boolean isNews;
      synchronized (HostNames.this) {
        isNews = found == null && host.addresses != null && host.failure == null;
        host.lookup = null;
        host.lookedUpAt = nanos.getAsLong();
        if (found != null) {
          host.addresses = found.clone();
          host.failure = null;
        } else {
          host.failure = reason;
        }
      }
      over.complete(null);
      release();
      if (isNews) {
        Logs.quietly(
            () ->
                LOG.warn(
                    "{} could not be resolved again; its last known addresses stay in use: {}",
                    host.name,
                    Logs.shown(reason)));
      }
    }
  }
}
