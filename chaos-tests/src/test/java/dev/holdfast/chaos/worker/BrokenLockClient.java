package dev.holdfast.chaos.worker;

import co.elastic.clients.elasticsearch.ElasticsearchClient;
import co.elastic.clients.elasticsearch._types.ElasticsearchException;
import co.elastic.clients.elasticsearch.core.GetResponse;
import co.elastic.clients.elasticsearch.core.IndexResponse;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.holdfast.lock.FencingToken;
import dev.holdfast.lock.ReleaseResult;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/** Gets locks by lock-core, and makes one mistake with them. */
final class BrokenLockClient implements LockClient {

  private static final long FOR_EVER_NANOS = TimeUnit.HOURS.toNanos(1);
  private static final long POLL_MILLIS = 30;

  private final Defect defect;
  private final LockClient good;
  private final ElasticsearchClient client;
  private final String alias;
  private final Duration ttl;
  private final Map<String, Lingering> lingering = new ConcurrentHashMap<>();

  BrokenLockClient(
      Defect defect, LockClient good, ElasticsearchClient client, String alias, Duration ttl) {
    this.defect = defect;
    this.good = good;
    this.client = client;
    this.alias = alias;
    this.ttl = ttl;
  }

  @Override
  public Optional<HeldLock> acquire(String lock, Duration wait, boolean renewed)
      throws UnavailableException, InterruptedException {
    return switch (defect) {
      case NO_RENEWAL_CHECK -> good.acquire(lock, wait, renewed).map(Careless::new);
      case LEASE_FROM_RESPONSE -> good.acquire(lock, wait, false).map(FromResponse::new);
      case RELEASE_WITHOUT_OWNER_CHECK ->
          good.acquire(lock, wait, renewed).map(heldLock -> new Bully(heldLock, lock));
      case TRUST_IN_A_STALE_READ -> readThenWrite(lock, wait);
      case NO_RENEWAL -> good.acquire(lock, wait, false);
      case LINGER_WITHOUT_CHECK -> lingering(lock, wait, renewed);
      case NONE, UNFENCED_WRITES, NO_CLOCK_MARGIN, LEADER_IGNORES_LOSS ->
          good.acquire(lock, wait, renewed);
    };
  }

  /** Sees no reason why it should not have the lock any more. */
  static final class Careless extends HeldLock.Forwarding {
    Careless(HeldLock real) {
      super(real);
    }

    @Override
    public boolean isHeld() {
      return true;
    }

    @Override
    public long untilNanos() {
      return System.nanoTime() + FOR_EVER_NANOS;
    }

    @Override
    public void onLost(Runnable task) {
      // Does not listen.
    }
  }

  /** Believes in a whole TTL from when it heard of its grant. */
  private final class FromResponse extends HeldLock.Forwarding {
    private final AtomicLong until = new AtomicLong(System.nanoTime() + ttl.toNanos());
    private final AtomicBoolean released = new AtomicBoolean();

    FromResponse(HeldLock real) {
      super(real);
    }

    @Override
    public boolean isHeld() {
      return !released.get() && System.nanoTime() - until.get() < 0;
    }

    @Override
    public long untilNanos() {
      return until.get();
    }

    @Override
    public boolean renew() {
      boolean renewed = super.renew();
      if (renewed) {
        until.set(System.nanoTime() + ttl.toNanos());
      }
      return renewed;
    }

    @Override
    public ReleaseResult release() {
      released.set(true);
      return super.release();
    }

    @Override
    public void onLost(Runnable task) {
      // Goes by its own count.
    }
  }

  /** Deletes the record when it is done, without looking whose it is. */
  private final class Bully extends HeldLock.Forwarding {
    private final String lock;

    Bully(HeldLock real, String lock) {
      super(real);
      this.lock = lock;
    }

    @Override
    public ReleaseResult release() {
      try {
        client.delete(delete -> delete.index(alias).id(lock));
      } catch (IOException | ElasticsearchException e) {
        System.err.println("not deleted: " + e);
      }
      return super.release();
    }
  }

  /** What is there to linger stays, and is granted again as it is. */
  private Optional<HeldLock> lingering(String lock, Duration wait, boolean renewed)
      throws UnavailableException, InterruptedException {
    if (!lock.startsWith(OfManager.LINGERING)) {
      return good.acquire(lock, wait, renewed);
    }
    Lingering kept = lingering.remove(lock);
    return kept == null
        ? good.acquire(lock, wait, renewed)
            .map(heldLock -> new Lingering(lock, new Careless(heldLock), heldLock.token()))
        : Optional.of(new Lingering(lock, kept.real, next(kept.token)));
  }

  private static FencingToken next(FencingToken token) {
    return new FencingToken(token.era(), token.primaryTerm(), token.seqNo(), token.handoff() + 1);
  }

  /** One that goes to those that linger when it is released. */
  private final class Lingering extends HeldLock.Forwarding {
    private final String lock;
    private final FencingToken token;

    Lingering(String lock, HeldLock real, FencingToken token) {
      super(real);
      this.lock = lock;
      this.token = token;
    }

    @Override
    public FencingToken token() {
      return token;
    }

    @Override
    public ReleaseResult release() {
      if (token.handoff() == FencingToken.MAX_HANDOFF) {
        return super.release();
      }
      lingering.put(lock, this);
      return ReleaseResult.RELEASED;
    }
  }

  private Optional<HeldLock> readThenWrite(String lock, Duration wait)
      throws UnavailableException, InterruptedException {
    // Has the index made, in the good way.
    good.acquire("index-of-" + lock, Duration.ofSeconds(10), true).ifPresent(HeldLock::release);
    long deadline = System.nanoTime() + wait.toNanos();
    try {
      while (true) {
        GetResponse<ObjectNode> read =
            client.get(get -> get.index(alias).id(lock), ObjectNode.class);
        if (!read.found() || hasExpired(read.source())) {
          TimeUnit.MILLISECONDS.sleep(POLL_MILLIS); // any work between the look and the leap
          return Optional.of(write(lock));
        } else if (System.nanoTime() - deadline >= 0) {
          return Optional.empty();
        }
        TimeUnit.MILLISECONDS.sleep(POLL_MILLIS);
      }
    } catch (IOException | ElasticsearchException e) {
      throw new UnavailableException(e);
    }
  }

  private static boolean hasExpired(@Nullable ObjectNode record) {
    String expiresAt = record == null ? "" : record.path("expiresAt").asText();
    return !expiresAt.isEmpty() && Instant.parse(expiresAt).isBefore(Instant.now());
  }

  private HeldLock write(String lock) throws IOException {
    long start = System.nanoTime();
    Instant now = Instant.now();
    Map<String, Object> record =
        Map.of(
            "token", UUID.randomUUID().toString(),
            "owner", "a client that trusts a read",
            "createdAt", now.toString(),
            "expiresAt", now.plus(ttl).toString(),
            "ttlMillis", ttl.toMillis());
    IndexResponse answer = client.index(index -> index.index(alias).id(lock).document(record));
    return new Unconditional(lock, answer, start + ttl.toNanos());
  }

  /** Holds a lock because it has written so. */
  private final class Unconditional implements HeldLock {

    private final String lock;
    private final IndexResponse write;
    private final long until;
    private final AtomicBoolean released = new AtomicBoolean();

    Unconditional(String lock, IndexResponse write, long until) {
      this.lock = lock;
      this.write = write;
      this.until = until;
    }

    @Override
    public FencingToken token() {
      return new FencingToken(0, number(write.primaryTerm()), number(write.seqNo()), 0);
    }

    private static long number(@Nullable Long told) {
      return told == null ? 0 : told;
    }

    @Override
    public boolean isHeld() {
      return !released.get() && System.nanoTime() - until < 0;
    }

    @Override
    public long untilNanos() {
      return until;
    }

    @Override
    public boolean renew() {
      return false;
    }

    @Override
    public ReleaseResult release() {
      released.set(true);
      try {
        client.delete(
            delete ->
                delete
                    .index(alias)
                    .id(lock)
                    .ifSeqNo(write.seqNo())
                    .ifPrimaryTerm(write.primaryTerm()));
        return ReleaseResult.RELEASED;
      } catch (IOException e) {
        return ReleaseResult.UNCONFIRMED;
      } catch (ElasticsearchException e) {
        return ReleaseResult.NOT_HELD;
      }
    }

    @Override
    public void onLost(Runnable task) {
      // Never looks again.
    }
  }
}
