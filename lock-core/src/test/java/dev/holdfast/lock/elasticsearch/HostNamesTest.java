package dev.holdfast.lock.elasticsearch;

import static dev.holdfast.lock.elasticsearch.Answers.get;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import co.elastic.clients.elasticsearch.ElasticsearchAsyncClient;
import dev.holdfast.lock.Lease;
import dev.holdfast.lock.LockManager;
import dev.holdfast.lock.LockOptions;
import dev.holdfast.lock.elasticsearch.HttpFront.Reply;
import dev.holdfast.lock.elasticsearch.HttpFront.Request;
import dev.holdfast.lock.store.ReadResult;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.apache.hc.client5.http.DnsResolver;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A resolver that is slow, hangs or fails harms nothing that can do without it. */
@Timeout(120)
class HostNamesTest {
  private static final String HOST = "es-1.test";
  private static final String OTHER = "es-2.test";
  private static final String LOCK = "x";

  private final Resolver resolver = new Resolver();
  private final AtomicLong now = new AtomicLong();
  private final HttpFront server = HttpFront.alone(HostNamesTest::answer);

  /** Closed in the reverse order. */
  private final List<AutoCloseable> opened = new ArrayList<>();

  @AfterEach
  void close() throws Exception {
    resolver.answers(HOST, loopback(1));
    resolver.answers(OTHER, loopback(1));
    for (int i = opened.size() - 1; i >= 0; i--) {
      opened.get(i).close();
    }
    server.close();
  }

  /** Answers what it is told to, or blocks until it is told something. */
  private static final class Resolver implements DnsResolver {
    private interface Answer {
      InetAddress[] get() throws UnknownHostException;
    }

    private final Map<String, Answer> answers = new ConcurrentHashMap<>();
    private final Map<String, CountDownLatch> hanging = new ConcurrentHashMap<>();
    private final Map<String, AtomicInteger> asked = new ConcurrentHashMap<>();
    private final Map<String, AtomicInteger> waiting = new ConcurrentHashMap<>();

    void answers(String host, InetAddress... addresses) {
      does(host, () -> addresses);
    }

    void does(String host, Answer answer) {
      answers.put(host, answer);
      CountDownLatch before = hanging.remove(host);
      if (before != null) {
        before.countDown();
      }
    }

    void hangs(String host) {
      CountDownLatch latch = new CountDownLatch(1);
      hanging.put(host, latch);
    }

    int asked(String host) {
      return count(asked, host).get();
    }

    boolean isHanging(String host) {
      return count(waiting, host).get() > 0;
    }

    private static AtomicInteger count(Map<String, AtomicInteger> counts, String host) {
      return counts.computeIfAbsent(host, name -> new AtomicInteger());
    }

    @Override
    public InetAddress[] resolve(String host) throws UnknownHostException {
      count(asked, host).incrementAndGet();
      CountDownLatch latch = hanging.get(host);
      if (latch != null) {
        count(waiting, host).incrementAndGet();
        try {
          // Bounded, so that a thread that must not get here fails a test and does not stop it.
          boolean unused = latch.await(60, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
          Thread.currentThread().interrupt();
          throw new IllegalStateException(e);
        } finally {
          count(waiting, host).decrementAndGet();
        }
      }
      Answer answer = answers.get(host);
      if (answer == null) {
        throw new UnknownHostException(host);
      }
      return answer.get();
    }

    @Override
    public String resolveCanonicalHostname(String host) {
      throw new AssertionError("nobody needs it, and it would block");
    }
  }

  private static InetAddress loopback(int last) {
    try {
      return InetAddress.getByAddress(new byte[] {127, 0, 0, (byte) last});
    } catch (UnknownHostException e) {
      throw new AssertionError(e);
    }
  }

  private static final AtomicInteger SEQ_NO = new AtomicInteger(10);

  /** A healthy node whose versions rise, over a connection that is closed after each answer. */
  private static Reply.Answer answer(Request request) {
    Reply.Answer answer =
        request.method().equals("HEAD") ? HttpFront.json(200, "") : Answers.to(request);
    return new Reply.Answer(
            answer.status(),
            answer.headers(),
            answer.body().replace("\"_seq_no\":7", "\"_seq_no\":" + SEQ_NO.incrementAndGet()))
        .with("Connection", "close");
  }

  private String url(String host) {
    return server.url().replace("127.0.0.1", host);
  }

  private ManagedTransport transport(String... hosts) {
    return ManagedTransport.open(
        new ManagedTransport.Settings(Address.parse(Stream.of(hosts).map(this::url).toList())),
        resolver,
        now::get);
  }

  private ElasticsearchLockStore store(String... hosts) {
    ElasticsearchLockStore store =
        ElasticsearchLockStore.builder(Stream.of(hosts).map(this::url).toArray(String[]::new))
            .on(transport(hosts));
    opened.add(store);
    return store;
  }

  private void passes(Duration time) {
    now.addAndGet(time.toNanos());
  }

  // --- Requests

  @Test
  void request_whileItsHostIsLookedUpFirst_waits_withoutItsThread() throws Exception {
    ElasticsearchLockStore store = store(HOST);
    resolver.hangs(HOST);

    CompletableFuture<ReadResult> read = store.read(LOCK);

    Poll.until("the lookup is under way", () -> resolver.isHanging(HOST));
    assertThat(read).isNotDone();
    assertThat(server.requests()).isEmpty();
    resolver.answers(HOST, loopback(1));
    assertThat(get(read)).isInstanceOf(ReadResult.Found.class);
    assertThat(resolver.asked(HOST)).isEqualTo(1);
  }

  @Test
  void request_thatIsGivenUpWhileItWaits_isNeverSent() throws Exception {
    ManagedTransport transport = transport(HOST);
    opened.add(transport::close);
    ElasticsearchAsyncClient client = new ElasticsearchAsyncClient(transport.transport());
    resolver.hangs(HOST);
    CompletableFuture<?> givenUp = client.exists(exists -> exists.index("given-up").id("1"));
    CompletableFuture<?> kept = client.exists(exists -> exists.index("kept").id("1"));

    givenUp.cancel(false);
    resolver.answers(HOST, loopback(1));

    assertThat(get(kept)).isNotNull();
    assertThat(get(client.exists(exists -> exists.index("next").id("1")))).isNotNull();
    assertThat(server.requests()).extracting(Request::path).noneMatch(p -> p.contains("given-up"));
    assertThatThrownBy(() -> get(givenUp)).isInstanceOf(CancellationException.class);
  }

  @Test
  void store_thatIsClosed_givesUpWhatWaitsForALookup() {
    ElasticsearchLockStore store = store(HOST);
    resolver.hangs(HOST);
    CompletableFuture<ReadResult> read = store.read(LOCK);

    store.close();

    assertThat(read).isDone();
    assertThatThrownBy(() -> get(read)).isInstanceOf(CancellationException.class);
  }

  @Test
  void lease_isRenewed_whileALookupHangs() throws Exception {
    ElasticsearchLockStore store = store(HOST);
    LockManager locks = LockManager.create(store);
    opened.add(locks);
    resolver.answers(HOST, loopback(1));
    Duration ttl = Duration.ofSeconds(5);
    Lease lease = locks.tryAcquire(LOCK, LockOptions.defaults().withTtl(ttl)).orElseThrow();
    resolver.hangs(HOST);
    passes(HostNames.FRESH);
    server.forgetRequests();

    // More than the TTL's worth, each over a new connection.
    Poll.until("renewals go on", () -> server.requests(Request::isBulk).size() >= 5);

    assertThat(resolver.asked(HOST)).isEqualTo(2);
    assertThat(resolver.isHanging(HOST)).isTrue();
    assertThat(lease.isHeld()).isTrue();
  }

  @Test
  void outage_ofTheResolver_harmsNothing_onceThereWasAnAnswer() throws Exception {
    ElasticsearchLockStore store = store(HOST);
    resolver.answers(HOST, loopback(1));
    assertThat(get(store.read(LOCK))).isInstanceOf(ReadResult.Found.class);
    resolver.does(
        HOST,
        () -> {
          throw new UnknownHostException(HOST + ": Temporary failure in name resolution");
        });

    for (int i = 0; i < 5; i++) {
      int before = resolver.asked(HOST);
      passes(HostNames.IDLE);
      assertThat(get(store.read(LOCK))).isInstanceOf(ReadResult.Found.class);
      assertThat(resolver.asked(HOST)).isGreaterThan(before);
    }
  }

  @Test
  void addresses_thatChanged_areUsedFromThenOn() throws Exception {
    ElasticsearchLockStore store = store(HOST);
    // Nobody listens there.
    resolver.answers(HOST, loopback(2));
    assertThat(get(store.read(LOCK))).isInstanceOf(ReadResult.Unavailable.class);

    resolver.answers(HOST, loopback(1));
    passes(HostNames.FRESH);

    Poll.until(
        "the new address is used", () -> store.read(LOCK).join() instanceof ReadResult.Found);
  }

  @Test
  void host_thatHasNotBeenLookedUpForLong_isLookedUp_beforeARequest() throws Exception {
    ElasticsearchLockStore store = store(HOST);
    resolver.answers(HOST, loopback(2));
    assertThat(get(store.read(LOCK))).isInstanceOf(ReadResult.Unavailable.class);

    resolver.answers(HOST, loopback(1));
    passes(HostNames.IDLE);

    assertThat(get(store.read(LOCK))).isInstanceOf(ReadResult.Found.class);
  }

  @Test
  void host_thatIsNeverResolved_doesNotHoldUpAnother() throws Exception {
    ElasticsearchLockStore store = store(HOST, OTHER);
    resolver.hangs(HOST);
    resolver.answers(OTHER, loopback(1));

    for (int i = 0; i < 10; i++) {
      assertThat(get(store.read(LOCK))).isInstanceOf(ReadResult.Found.class);
    }
    assertThat(resolver.asked(HOST)).isEqualTo(1);
    assertThat(resolver.isHanging(HOST)).isTrue();
  }

  @Test
  void host_thatIsUnknown_isNamed_andFoundOnceItIsKnown() throws Exception {
    ElasticsearchLockStore store = store(HOST);

    ReadResult read = get(store.read(LOCK));

    assertThat(read)
        .isInstanceOfSatisfying(
            ReadResult.Unavailable.class,
            r -> assertThat(r.cause()).hasStackTraceContaining(HOST + " could not be resolved"));
    resolver.answers(HOST, loopback(1));
    passes(HostNames.RETRY_PAUSE);
    assertThat(get(store.read(LOCK))).isInstanceOf(ReadResult.Found.class);
  }

  /** An error is about this process, and no outage. */
  @Test
  void resolver_thatThrowsAnError_failsWhatWaits_andIsAskedAgain() throws Exception {
    ElasticsearchLockStore store = store(HOST);
    for (Throwable thrown :
        List.of(new OutOfMemoryError("as if"), new NoClassDefFoundError("as if"))) {
      resolver.does(HOST, () -> sneaky(thrown));
      assertThat(get(store.read(LOCK))).isEqualTo(new ReadResult.Unavailable(thrown));
      passes(HostNames.RETRY_PAUSE);
    }

    resolver.answers(HOST, loopback(1));
    assertThat(get(store.read(LOCK))).isInstanceOf(ReadResult.Found.class);
  }

  @SuppressWarnings("unchecked")
  private static <X extends Throwable> InetAddress[] sneaky(Throwable thrown) throws X {
    throw (X) thrown;
  }

  // --- Lookups

  /** Tasks that run when a test says so. */
  private static final class Tasks implements Executor {
    private final List<Runnable> tasks = new ArrayList<>();

    @Override
    public void execute(Runnable task) {
      tasks.add(task);
    }

    /** Runs the lookups, which are the odd ones: before each is the one that watches it. */
    Runnable watch(int lookup) {
      return tasks.get(2 * lookup);
    }

    Runnable lookup(int lookup) {
      return tasks.get(2 * lookup + 1);
    }
  }

  private HostNames names(Executor threads, String... hosts) {
    return new HostNames(List.of(hosts), resolver, threads, now::get);
  }

  /** Runs it as if all the time that it waits for had passed. */
  private static Thread withoutPatience(Runnable watch) {
    Thread thread = new Thread(watch, "watch");
    thread.setDaemon(true);
    thread.start();
    return thread;
  }

  @Test
  void hosts_areLookedUpAtOnce_eachByOneLookup_whichAllWaitFor() throws Exception {
    Tasks tasks = new Tasks();
    HostNames names = names(tasks, HOST, OTHER);
    resolver.answers(HOST, loopback(1));
    resolver.answers(OTHER, loopback(2), loopback(3));
    CompletableFuture<Void> one = names.ready(HOST);
    CompletableFuture<Void> same = names.ready(HOST);
    CompletableFuture<Void> other = names.ready(OTHER);
    assertThat(tasks.tasks).hasSize(4);

    tasks.lookup(0).run();

    assertThat(one).isCompleted();
    assertThat(same).isCompleted();
    assertThat(names.resolve(HOST)).containsExactly(loopback(1));
    // Though another host is known: one that is healthy is not to be taken for dead at the start.
    assertThat(other).isNotDone();
    assertThatThrownBy(() -> names.resolve(OTHER))
        .isInstanceOf(UnknownHostException.class)
        .hasMessageContaining("still being resolved");
    tasks.lookup(1).run();
    assertThat(other).isCompleted();
    assertThat(names.resolve(OTHER)).containsExactly(loopback(2), loopback(3));
    assertThat(tasks.tasks).hasSize(4);
  }

  @Test
  void lookup_thatHangs_isWaitedForLonger_untilAnotherHostIsKnown() {
    Tasks tasks = new Tasks();
    HostNames names = names(tasks, HOST, OTHER);
    resolver.answers(OTHER, loopback(1));
    CompletableFuture<Void> hanging = names.ready(HOST);
    Thread watch = withoutPatience(tasks.watch(0));
    Poll.until("the watch is at work", () -> watch.getState() == Thread.State.TIMED_WAITING);
    assertThat(hanging).isNotDone();

    tasks.lookup(1).run();

    Poll.until("the request goes on", hanging::isDone);
    assertThat(names.ready(HOST)).isCompleted();
    assertThatThrownBy(() -> names.resolve(HOST)).isInstanceOf(UnknownHostException.class);
  }

  @Test
  void lookup_thatHangs_withNoOtherHost_isNotWaitedForWithoutEnd() {
    Tasks tasks = new Tasks();
    HostNames names = names(tasks, HOST);
    CompletableFuture<Void> hanging = names.ready(HOST);
    Thread watch = withoutPatience(tasks.watch(0));

    Poll.until(
        "the request goes on",
        () -> {
          watch.interrupt();
          return hanging.isDone();
        });

    // No further lookup is begun, which would hang as well.
    assertThat(names.ready(HOST)).isCompleted();
    assertThat(tasks.tasks).hasSize(2);
  }

  @Test
  void answer_isRefreshedInTheBackground_whenItIsOld_andNotBefore() throws Exception {
    Tasks tasks = new Tasks();
    HostNames names = names(tasks, HOST);
    resolver.answers(HOST, loopback(1));
    var unused = names.ready(HOST);
    tasks.lookup(0).run();
    passes(HostNames.FRESH.minusNanos(1));
    assertThat(names.ready(HOST)).isCompleted();
    assertThat(tasks.tasks).hasSize(2);
    passes(Duration.ofNanos(1));

    assertThat(names.ready(HOST)).isCompleted();

    // Nobody waits for it, so nobody watches it.
    assertThat(tasks.tasks).hasSize(3);
    assertThat(names.resolve(HOST)).containsExactly(loopback(1));
    resolver.answers(HOST, loopback(2));
    tasks.tasks.get(2).run();
    assertThat(names.resolve(HOST)).containsExactly(loopback(2));
  }

  @Test
  void failure_isRemembered_andThenLookedUpAgain() {
    Tasks tasks = new Tasks();
    HostNames names = names(tasks, HOST);
    CompletableFuture<Void> waiting = names.ready(HOST);
    tasks.lookup(0).run();
    assertThat(waiting).isCompleted();
    passes(HostNames.RETRY_PAUSE.minusNanos(1));
    assertThat(names.ready(HOST)).isCompleted();
    assertThat(tasks.tasks).hasSize(2);
    passes(Duration.ofNanos(1));

    assertThat(names.ready(HOST)).isNotDone();

    assertThat(tasks.tasks).hasSize(4);
  }

  @Test
  void hostThatFailed_besideOneThatIsKnown_isLookedUpAgainInTheBackground() {
    Tasks tasks = new Tasks();
    HostNames names = names(tasks, HOST, OTHER);
    resolver.answers(OTHER, loopback(1));
    var unused = names.ready(HOST);
    tasks.lookup(0).run();
    tasks.lookup(1).run();
    passes(HostNames.RETRY_PAUSE);

    assertThat(names.ready(HOST)).isCompleted();

    assertThat(tasks.tasks).hasSize(5);
  }

  @Test
  void answer_thatIsEmptyOrNone_isAFailure() {
    Tasks tasks = new Tasks();
    HostNames names = names(tasks, HOST);
    for (InetAddress[] none : new InetAddress[][] {new InetAddress[0], null}) {
      tasks.tasks.clear();
      resolver.does(HOST, () -> none);
      CompletableFuture<Void> waiting = names.ready(HOST);
      tasks.lookup(0).run();
      assertThat(waiting).isCompleted();
      assertThatThrownBy(() -> names.resolve(HOST)).isInstanceOf(UnknownHostException.class);
      passes(HostNames.RETRY_PAUSE);
    }
  }

  @Test
  void thread_thatCannotBeStarted_leavesNobodyWaiting_andStartsTheNextTime() throws Exception {
    resolver.answers(HOST, loopback(1));
    for (int refused = 0; refused < 2; refused++) {
      AtomicReference<Error> error =
          new AtomicReference<>(new OutOfMemoryError("unable to create native thread"));
      AtomicInteger started = new AtomicInteger(-refused);
      HostNames names =
          names(
              task -> {
                Error once = started.getAndIncrement() == 0 ? error.getAndSet(null) : null;
                if (once != null) {
                  throw once;
                }
                withoutPatience(task);
              },
              HOST);

      assertThat(names.ready(HOST)).isCompleted();
      assertThatThrownBy(() -> names.resolve(HOST)).hasCauseInstanceOf(OutOfMemoryError.class);

      passes(HostNames.RETRY_PAUSE);
      get(names.ready(HOST));
      assertThat(names.resolve(HOST)).containsExactly(loopback(1));
    }
  }

  @Test
  void address_isNotLookedUp_whatLooksLikeOneIs() throws Exception {
    Tasks tasks = new Tasks();
    for (String address : List.of("127.0.0.1", "255.255.255.255", "[::1]", "[fe80::1%eth0]")) {
      HostNames names = names(tasks, address);
      resolver.answers(address, loopback(7));
      assertThat(names.ready(address)).isCompleted();
      assertThat(names.resolve(address)).containsExactly(loopback(7));
    }
    assertThat(tasks.tasks).isEmpty();
    for (String name : List.of("localhost", "127.1", "999.1.1.1", "1.2.3.4.5", "es_node", "cafe")) {
      assertThat(names(tasks, name).ready(name)).isNotDone();
    }
  }
}
