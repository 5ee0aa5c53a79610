package dev.holdfast.chaos.sim;

import dev.holdfast.chaos.sim.InvariantViolation.Invariant;
import dev.holdfast.lock.FencingToken;
import dev.holdfast.lock.Lease;
import dev.holdfast.lock.LeaseLostException;
import dev.holdfast.lock.LockManager;
import dev.holdfast.lock.LockOptions;
import dev.holdfast.lock.ReleaseResult;
import dev.holdfast.lock.store.LockRecord;
import dev.holdfast.lock.store.LockStore;
import dev.holdfast.lock.store.ReadResult;
import dev.holdfast.lock.store.Version;
import dev.holdfast.lock.store.WriteResult;
import java.time.Duration;
import java.time.Instant;
import java.util.EnumSet;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Protocols of other lock implementations on a document store, as published, in their most
 * favourable form: what a script decides on the server is a conditional write here, and the
 * server's clock is right. Checked by exclusion alone, on the same faults as the library.
 */
enum OtherProtocol implements Planted {
  /**
   * Kibana's lock manager: the server's clock, a token, renewal; the callback goes on when a
   * renewal has failed (elastic/kibana, x-pack/platform/packages/shared/kbn-lock-manager).
   */
  KIBANA(Clock.SERVER, Renewal.YES, Belief.UNTIL_RELEASE, ReleaseRule.OWN),

  /**
   * ShedLock's provider for Elasticsearch: the client's clock, no renewal, an unlock that does not
   * ask whose lock it is. Its job is taken to stop when its time is over by its own clock
   * (lukas-krecan/ShedLock, ElasticsearchLockProvider).
   */
  SHEDLOCK_ELASTICSEARCH(Clock.CLIENT, Renewal.NO, Belief.UNTIL_EXPIRY, ReleaseRule.ANY),

  /** A lease with renewal that counts from the moment the answer arrived. */
  LEASE_FROM_THE_ANSWER(Clock.SERVER, Renewal.YES, Belief.FROM_THE_ANSWER, ReleaseRule.OWN),

  /** Set if absent, with an expiry; delete at the end. */
  SET_IF_ABSENT_AND_DELETE(Clock.SERVER, Renewal.NO, Belief.UNTIL_RELEASE, ReleaseRule.ANY);

  private static final long POLL = 100 * Simulation.MILLI;
  private static final long REQUEST_TIMEOUT = Simulation.SECOND;
  private static final long RENEWALS_PER_TTL = 3;

  private final Clock clock;
  private final Renewal renewal;
  private final Belief belief;
  private final ReleaseRule release;

  private enum Clock {
    SERVER,
    CLIENT
  }

  private enum Renewal {
    YES,
    NO
  }

  /** For how long a client that was given the lock believes that it has it. */
  private enum Belief {
    UNTIL_RELEASE,
    UNTIL_EXPIRY,
    FROM_THE_ANSWER
  }

  private enum ReleaseRule {
    OWN,
    ANY
  }

  OtherProtocol(Clock clock, Renewal renewal, Belief belief, ReleaseRule release) {
    this.clock = clock;
    this.renewal = renewal;
    this.belief = belief;
    this.release = release;
  }

  @Override
  public boolean gathers() {
    return false;
  }

  @Override
  public boolean limitsHolds() {
    return false;
  }

  @Override
  public String text() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  @Override
  public Set<Invariant> checkedInvariants() {
    return EnumSet.of(Invariant.MUTUAL_EXCLUSION);
  }

  @Override
  public LockProtocol protocol(
      LockManager real, LockStore store, Host host, Supplier<String> tokens) {
    return (lockId, options) -> {
      AcquireCall call = new AcquireCall(store, host, lockId, options, tokens.get());
      call.attempt();
      return call.lease;
    };
  }

  /** One client's wish for a lock, and what becomes of it. */
  private final class AcquireCall {
    private final LockStore store;
    private final Host host;
    private final String lockId;
    private final LockOptions options;
    private final String token;
    private final long begun;
    final CompletableFuture<Lease> lease = new CompletableFuture<>();

    AcquireCall(LockStore store, Host host, String lockId, LockOptions options, String token) {
      this.store = store;
      this.host = host;
      this.lockId = lockId;
      this.options = options;
      this.token = token;
      this.begun = host.nanos();
    }

    private Instant now() {
      return clock == Clock.SERVER ? host.trueTime() : host.instant();
    }

    private LockRecord record() {
      Instant now = now();
      Instant end = now.plus(options.ttl());
      return new LockRecord(lockId, token, "", now, end, options.ttl().toMillis(), null, Map.of());
    }

    /** The answer or the timeout, the earlier of the two. */
    private <T> void ask(CompletableFuture<T> answer, Consumer<@Nullable T> then) {
      CompletableFuture<T> first = answer.copy();
      var timer =
          host.schedule(() -> first.completeExceptionally(new TimeoutException()), REQUEST_TIMEOUT);
      var unused =
          first.whenComplete(
              (value, failure) -> {
                timer.cancel();
                then.accept(value);
              });
    }

    void attempt() {
      ask(
          store.read(lockId),
          read -> {
            if (lease.isDone()) {
              return;
            }
            LockRecord record = record();
            if (read instanceof ReadResult.Absent) {
              ask(store.create(record), this::written);
            } else if (read instanceof ReadResult.Found found && hasExpired(found.record())) {
              ask(store.replace(record, found.version()), this::written);
            } else {
              refused();
            }
          });
    }

    private boolean hasExpired(LockRecord record) {
      Instant end = record.expiresAt();
      return end == null || !now().isBefore(end);
    }

    private void refused() {
      if (host.nanos() - begun + POLL > options.waitTimeout().toNanos()) {
        lease.completeExceptionally(new TimeoutException("not acquired"));
      } else {
        var unused = host.schedule(this::attempt, POLL);
      }
    }

    private void written(@Nullable WriteResult result) {
      if (result instanceof WriteResult.Applied applied) {
        lease.complete(new ProtocolLease(this, applied.version()));
      } else {
        refused();
      }
    }
  }

  /** A lease of such a client. */
  private final class ProtocolLease implements Lease {
    private final AcquireCall call;
    private final FencingToken fencingToken;
    private final Instant acquiredAt;
    private long answeredAt;
    private Instant expiresAt;
    private Version version;
    private boolean released;

    ProtocolLease(AcquireCall call, Version version) {
      this.call = call;
      this.version = version;
      this.fencingToken =
          new FencingToken(version.incarnation().era(), version.primaryTerm(), version.seqNo(), 0);
      this.acquiredAt = call.now();
      this.answeredAt = call.host.nanos();
      this.expiresAt = acquiredAt.plus(call.options.ttl());
      armRenewal();
    }

    private void armRenewal() {
      if (renewal == Renewal.YES) {
        var unused =
            call.host.schedule(this::sendRenewal, call.options.ttl().toNanos() / RENEWALS_PER_TTL);
      }
    }

    private void sendRenewal() {
      if (released) {
        return;
      }
      ifOurs(
          found ->
              call.ask(
                  call.store.replace(call.record(), found.version()),
                  result -> {
                    if (result instanceof WriteResult.Applied applied && !released) {
                      version = applied.version();
                      answeredAt = call.host.nanos();
                      expiresAt = call.now().plus(call.options.ttl());
                    }
                    armRenewal();
                  }),
          this::armRenewal);
    }

    /** Runs the check with which the server's script begins. */
    private void ifOurs(Consumer<ReadResult.Found> then, Runnable otherwise) {
      call.ask(
          call.store.read(call.lockId),
          read -> {
            boolean isOurs =
                read instanceof ReadResult.Found found
                    && (found.record().token().equals(call.token)
                        || (released && release == ReleaseRule.ANY));
            if (isOurs) {
              then.accept((ReadResult.Found) read);
            } else {
              otherwise.run();
            }
          });
    }

    @Override
    public boolean isHeld() {
      return !released
          && switch (belief) {
            case UNTIL_RELEASE -> true;
            case UNTIL_EXPIRY -> call.now().isBefore(expiresAt);
            case FROM_THE_ANSWER -> call.host.nanos() - answeredAt < call.options.ttl().toNanos();
          };
    }

    @Override
    public CompletableFuture<ReleaseResult> releaseAsync() {
      released = true;
      CompletableFuture<ReleaseResult> result = new CompletableFuture<>();
      ifOurs(
          found ->
              call.ask(
                  call.store.delete(call.lockId, found.version()),
                  deleted ->
                      result.complete(
                          deleted instanceof WriteResult.Applied
                              ? ReleaseResult.RELEASED
                              : ReleaseResult.UNCONFIRMED)),
          () -> result.complete(ReleaseResult.NOT_HELD));
      return result;
    }

    @Override
    public String lockId() {
      return call.lockId;
    }

    @Override
    public String token() {
      return call.token;
    }

    @Override
    public FencingToken fencingToken() {
      return fencingToken;
    }

    @Override
    public Instant acquiredAt() {
      return acquiredAt;
    }

    @Override
    public Duration ttl() {
      return call.options.ttl();
    }

    @Override
    public Duration remaining() {
      return isHeld() ? Duration.between(call.now(), expiresAt) : Duration.ZERO;
    }

    @Override
    public boolean renew() {
      throw new UnsupportedOperationException("it renews by itself, or not at all");
    }

    @Override
    public void ensureHeld(Duration atLeast) {
      throw new UnsupportedOperationException("there is no such thing");
    }

    @Override
    public boolean limitHold(Duration holdAtLeast, Duration maxHold) {
      throw new UnsupportedOperationException("there is no such thing");
    }

    /** Never calls back: such clients do not report losses. */
    @Override
    public void onLost(Consumer<LeaseLostException> callback) {}

    @Override
    public ReleaseResult release() {
      throw new UnsupportedOperationException("nothing in a simulation may block");
    }

    @Override
    public void close() {
      throw new UnsupportedOperationException("nothing in a simulation may block");
    }

    @Override
    public String toString() {
      return "Held[" + OtherProtocol.this.text() + ", " + call.token + ", " + version + "]";
    }
  }
}
