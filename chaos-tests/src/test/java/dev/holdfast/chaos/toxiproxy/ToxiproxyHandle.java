package dev.holdfast.chaos.toxiproxy;

import org.jspecify.annotations.Nullable;

/** A Toxiproxy server that can be used, from {@link ToxiproxyServers}. Safe for several threads. */
public final class ToxiproxyHandle implements AutoCloseable {

  private final String host;
  private final int port;
  private final String description;
  private final Runnable onClose;
  private final @Nullable Runnable onRestart;

  ToxiproxyHandle(String host, int port, String description, Runnable onClose) {
    this(host, port, description, onClose, null);
  }

  /** One that can be restarted. */
  ToxiproxyHandle(
      String host, int port, String description, Runnable onClose, @Nullable Runnable onRestart) {
    this.host = host;
    this.port = port;
    this.description = description;
    this.onClose = onClose;
    this.onRestart = onRestart;
  }

  /** The host of its HTTP API. */
  public String host() {
    return host;
  }

  /** The port of its HTTP API. */
  public int port() {
    return port;
  }

  /** Returns what it is and where it came from, for reports. */
  public String description() {
    return description;
  }

  /** Returns whether it tells its proxies, in a time in which even a busy one does. */
  public boolean answers() {
    return ToxiproxyServers.tellsProxies(host, port);
  }

  /**
   * Kills the server and starts it again on the same port, without any proxies; its API answers
   * when this returns.
   *
   * @return false if it was not started for this handle as a process: then nothing was done
   */
  public boolean restart() {
    if (onRestart == null) {
      return false;
    }
    onRestart.run();
    return true;
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
