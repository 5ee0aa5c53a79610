package dev.holdfast.lock.spring.boot;

import dev.holdfast.lock.LockOptions;
import dev.holdfast.lock.OnLeaseLost;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.util.unit.DataSize;

/**
 * The properties. A name that is none of them is an error, so that a misspelt one is noticed.
 *
 * @param uris URLs of Elasticsearch nodes, for connections of Holdfast's own. If it is not set, the
 *     application's Elasticsearch client is used.
 * @param username Name of the user, for holdfast.uris.
 * @param password Password of the user, for holdfast.uris.
 * @param apiKey API key in its encoded form, for holdfast.uris.
 * @param ssl Certificates, for holdfast.uris.
 * @param connectTimeout How long one of Holdfast's own connections may take to open; 2s if it is
 *     not set.
 * @param responseTimeout How long an answer on one of Holdfast's own connections may take before
 *     the next node is asked; 4s if it is not set.
 * @param ownConnections Whether Holdfast opens connections of its own to the nodes of
 *     spring.elasticsearch, or of a service connection, instead of using the application's client.
 *     It needs no holdfast.uris.
 * @param index Name by which the lock index is found, an alias. The index that it leads to has the
 *     same name with -1 appended. All processes that share locks must use the same.
 * @param fencingEra First part of fencing tokens, for an index that this application creates. To be
 *     raised after the index was deleted or restored.
 * @param owner What others see as the holder of a lock; host, process id and a number if it is not
 *     set.
 * @param maxClockSkew How far apart the wall clocks of two processes may be.
 * @param maxClockDrift How much slower one machine's monotonic clock may be than another's, as a
 *     fraction of the TTL.
 * @param calendarTakeover Whether an expired lock may be taken over by the wall clock. To be
 *     switched off in all processes where clocks are not synchronised.
 * @param requestTimeout How long one request may take; a third of the TTL, and at most 10s, if it
 *     is not set.
 * @param releaseTimeout How long a release waits for its confirmation.
 * @param maxPollInterval Longest pause between two attempts of a call that waits for a lock.
 * @param maxMetadataSize How large the metadata of a lock may be as JSON.
 * @param failFast Whether the application fails to start if a lock cannot be acquired and released
 *     at start-up.
 * @param defaults Options of locks that give none of their own.
 * @param locked Settings of methods that are annotated with @Locked.
 */
@ConfigurationProperties(prefix = "holdfast", ignoreUnknownFields = false)
record HoldfastProperties(
    @DefaultValue List<String> uris,
    @Nullable String username,
    @Nullable String password,
    @Nullable String apiKey,
    @DefaultValue Ssl ssl,
    @Nullable Duration connectTimeout,
    @Nullable Duration responseTimeout,
    @DefaultValue("false") boolean ownConnections,
    @DefaultValue("holdfast-locks") String index,
    @DefaultValue("0") int fencingEra,
    @Nullable String owner,
    @DefaultValue("2s") Duration maxClockSkew,
    @DefaultValue("0.1") double maxClockDrift,
    @DefaultValue("true") boolean calendarTakeover,
    @Nullable Duration requestTimeout,
    @DefaultValue("5s") Duration releaseTimeout,
    @DefaultValue("104ms") Duration maxPollInterval,
    @DefaultValue("64KB") DataSize maxMetadataSize,
    @DefaultValue("false") boolean failFast,
    @DefaultValue Defaults defaults,
    @DefaultValue LockedMethods locked) {

  /**
   * Certificates.
   *
   * @param bundle Name of the SSL bundle with the trusted certificates, and the key if the cluster
   *     asks for one; the JVM's trust store if it is not set.
   */
  record Ssl(@Nullable String bundle) {}

  /**
   * Options of locks.
   *
   * @param ttl How long a crashed holder blocks others.
   * @param waitTimeout How long to wait for a lock that another holds; 0 for one attempt.
   * @param autoRenew Whether leases are renewed in the background.
   * @param onLeaseLost Whether a running body is interrupted when its lease is lost, or only
   *     notified.
   * @param linger How long a lock that was released is kept for the next call of this process.
   * @param holdAtLeast How long a lock stays unavailable after its grant, even if it is released
   *     before.
   * @param maxHold How long a lock may be held at most; any time if it is not set.
   */
  record Defaults(
      @DefaultValue("30s") Duration ttl,
      @DefaultValue("0s") Duration waitTimeout,
      @DefaultValue("true") boolean autoRenew,
      @DefaultValue("interrupt") OnLeaseLost onLeaseLost,
      @DefaultValue("0s") Duration linger,
      @DefaultValue("0s") Duration holdAtLeast,
      @Nullable Duration maxHold) {

    LockOptions options() {
      LockOptions options = LockOptions.defaults();
      options = Settings.apply("holdfast.defaults.ttl", ttl, options::withTtl);
      options =
          Settings.apply("holdfast.defaults.wait-timeout", waitTimeout, options::withWaitTimeout);
      options = options.withAutoRenew(autoRenew).withOnLeaseLost(onLeaseLost);
      options = Settings.apply("holdfast.defaults.linger", linger, options::withLinger);
      options =
          Settings.apply("holdfast.defaults.hold-at-least", holdAtLeast, options::withHoldAtLeast);
      return maxHold == null
          ? options
          : Settings.apply("holdfast.defaults.max-hold", maxHold, options::withMaxHold);
    }
  }

  /**
   * Settings of annotated methods.
   *
   * @param order Order of the advisor that locks methods. By default it is outside of transactions
   *     and caches, whose advisors have the lowest precedence.
   */
  record LockedMethods(@DefaultValue("" + DEFAULT_ORDER) int order) {
    static final int DEFAULT_ORDER = Integer.MAX_VALUE - 1000;
  }

  /** Without secrets. */
  @Override
  public String toString() {
    return "HoldfastProperties";
  }
}
