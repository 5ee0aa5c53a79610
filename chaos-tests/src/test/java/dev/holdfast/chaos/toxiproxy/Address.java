package dev.holdfast.chaos.toxiproxy;

import io.netty.util.NetUtil;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;

/**
 * A {@code host:port} as the real server understands it.
 *
 * @param host a name or an address, without brackets; empty for all interfaces
 * @param port 0 for any free one
 */
record Address(String host, int port) {

  /**
   * Reads an address.
   *
   * @throws IllegalArgumentException with the real server's words, if it is none
   */
  static Address parse(String text) {
    if (text.isEmpty()) {
      return new Address("", 0);
    }
    int colon = text.lastIndexOf(':');
    if (colon < 0 || text.endsWith("]")) {
      throw new IllegalArgumentException("address " + text + ": missing port in address");
    }
    String host = text.substring(0, colon);
    if (host.startsWith("[") && host.endsWith("]")) {
      host = host.substring(1, host.length() - 1);
    } else if (host.indexOf(':') >= 0) {
      throw new IllegalArgumentException("address " + text + ": too many colons in address");
    }
    return new Address(host, parsePort(text.substring(colon + 1)));
  }

  private static int parsePort(String text) {
    if (!text.matches("\\d*")) {
      throw new IllegalArgumentException("lookup tcp/" + text + ": unknown port");
    }
    if (text.length() > 5 || Integer.parseInt("0" + text) > 0xffff) {
      throw new IllegalArgumentException("address " + text + ": invalid port");
    }
    return Integer.parseInt("0" + text);
  }

  /**
   * The address with its name looked up, which may block.
   *
   * @throws IllegalArgumentException if there is no such host
   */
  InetSocketAddress resolved() {
    try {
      return host.isEmpty()
          ? new InetSocketAddress(port)
          : new InetSocketAddress(InetAddress.getByName(host), port);
    } catch (UnknownHostException e) {
      throw new IllegalArgumentException("lookup " + host + ": no such host", e);
    }
  }

  /** The address with its name looked up, as text; all interfaces have no host. */
  String resolvedText() {
    return host.isEmpty() ? ":" + port : text(resolved());
  }

  /** An address as text. */
  static String text(InetSocketAddress address) {
    return NetUtil.toSocketAddressString(address);
  }
}
