package dev.holdfast.cluster;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;

/**
 * Free ports on 127.0.0.1, for servers that must have the same ones again after a restart. They are
 * below those that systems give to outgoing connections, so that nobody takes them meanwhile by
 * chance.
 */
final class Ports {

  private static final int FIRST = 20_000;
  private static final int COUNT = 10_000;

  private Ports() {}

  static List<Integer> free(int count) {
    Random random = new Random();
    Set<Integer> tried = new HashSet<>();
    List<Integer> free = new ArrayList<>();
    while (free.size() < count) {
      if (tried.size() == COUNT) {
        throw new IllegalStateException("no " + count + " free ports on 127.0.0.1");
      }
      int port = FIRST + random.nextInt(COUNT);
      if (tried.add(port) && isFree(port)) {
        free.add(port);
      }
    }
    return free;
  }

  private static boolean isFree(int port) {
    try (ServerSocket socket = new ServerSocket()) {
      socket.setReuseAddress(true);
      socket.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
      return true;
    } catch (IOException e) {
      return false;
    }
  }
}
