package dev.holdfast.bench.peers;

import java.util.Locale;

/**
 * The lock services that are compared, and what each promises: a number without that says little.
 */
public enum Peer {
  HOLDFAST(
      "Holdfast on Elasticsearch",
      "fsync before each acknowledgement; fencing token; renewed in the background"),
  CURATOR(
      "Curator InterProcessMutex on ZooKeeper",
      "fsync before each acknowledgement; no fencing token in its API; session kept by heartbeats"),
  ETCD(
      "jetcd on etcd",
      "fsync before each acknowledgement; the key's revision can fence; lease kept by heartbeats"),
  REDIS(
      "Redisson RLock on Redis",
      "no fsync: a crash of the server forgets locks; no fencing token; renewed by its watchdog"),
  SHEDLOCK(
      "ShedLock (JDBC) on PostgreSQL",
      "fsync at each commit; no fencing token; not renewed; does not wait (asked again every 1 ms)"),
  DYNAMODB(
      "DynamoDB Lock Client on DynamoDB Local",
      "what its vendor offers for tests, on SQLite: not what the service does; a version number that"
          + " does not rise; kept by heartbeats; asks again every 10 ms");

  private final String title;
  private final String promises;

  Peer(String title, String promises) {
    this.title = title;
    this.promises = promises;
  }

  public String title() {
    return title;
  }

  public String promises() {
    return promises;
  }

  /** The system property that tells a forked JVM where this one's server is. */
  public String property() {
    return this == HOLDFAST
        ? Server.URL_PROPERTY
        : "holdfast.bench." + name().toLowerCase(Locale.ROOT);
  }

  /** Connects to the server that {@link #property} names. */
  public PeerClient connect() throws Exception {
    String address = System.getProperty(property());
    if (address == null) {
      throw new IllegalStateException(
          "no server for " + title + ": it is left out, or -D" + property() + " is not set");
    }
    return switch (this) {
      case HOLDFAST -> new PeerClients.Holdfast();
      case CURATOR -> new PeerClients.Curator(address);
      case ETCD -> new PeerClients.Etcd(address);
      case REDIS -> new PeerClients.Redis(address);
      case SHEDLOCK -> new PeerClients.ShedLock(address);
      case DYNAMODB -> new PeerClients.DynamoDb(address);
    };
  }
}
