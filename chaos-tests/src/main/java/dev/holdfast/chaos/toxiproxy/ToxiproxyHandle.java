package dev.holdfast.chaos.toxiproxy;

/** A Toxiproxy server that can be used, from {@link ToxiproxyServers}. Safe for several threads. */
public final class ToxiproxyHandle implements AutoCloseable {

  private final String host;
  private final int port;
  private final String description;
  private final Runnable onClose;

  ToxiproxyHandle(String host, int port, String description, Runnable onClose) {
    this.host = host;
    this.port = port;
    this.description = description;
    this.onClose = onClose;
  }

  /** The host of its HTTP API. */
  public String host() {
    return host;
  }

  /** The port of its HTTP API. */
  public int port() {
    return port;
  }

  /** What it is and where it came from, for reports. */
  public String description() {
    return description;
  }

  /**
   * Ends the server if it was started for this handle; one that was running before is left as it
   * is, with the proxies that were made in it. May be called again.
   */
  @Override
  public void close() {
    onClose.run();
  }

  @Override
  public String toString() {
    return description;
  }
}
