package dev.holdfast.lock.elasticsearch;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * Passes bytes on to a server, and forgets connections as load balancers and firewalls do, while
 * new ones pass. Thread-safe.
 */
public final class Relay implements AutoCloseable {
  private final ServerSocket listening;
  private final URI server;
  private final Set<Connection> connections = ConcurrentHashMap.newKeySet();
  private final AtomicLong usesOfTheDead = new AtomicLong();

  /** What becomes of the connections that there are. */
  public enum Death {
    /** Whatever is sent vanishes; nobody is told. */
    SILENT,
    /** The next byte that is sent is answered by a reset. */
    RESET_AT_USE,
    /** The next byte that is sent is answered by a close. */
    CLOSED_AT_USE,
    /** Both ends are told at once. */
    CLOSED
  }

  /** Makes one to a server. */
  public Relay(URI server) {
    this.server = server;
    try {
      listening = new ServerSocket(0, 100, InetAddress.getLoopbackAddress());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    start(this::accept);
  }

  /** Returns where it listens. */
  public String url() {
    return "http://127.0.0.1:" + listening.getLocalPort();
  }

  /** How many there are that pass bytes. */
  long alive() {
    return connections.stream().filter(connection -> connection.death == null).count();
  }

  void forgetAll(Death death) {
    connections.forEach(connection -> connection.die(death));
  }

  /** Forgets the connections over which nothing has passed for that long. */
  public void forgetIdle(Death death, Duration idle) {
    long now = System.nanoTime();
    for (Connection connection : connections) {
      if (connection.death == null && now - connection.lastUseNanos > idle.toNanos()) {
        connection.die(death);
      }
    }
  }

  /** Returns how many connections were forgotten, and then used by a client. */
  public long usesOfTheDead() {
    return usesOfTheDead.get();
  }

  private static void start(Runnable task) {
    Thread thread = new Thread(task, "relay");
    thread.setDaemon(true);
    thread.start();
  }

  private void accept() {
    while (!listening.isClosed()) {
      try {
        Socket client = listening.accept();
        Connection connection =
            new Connection(client, new Socket(server.getHost(), server.getPort()));
        connections.add(connection);
        start(() -> connection.pump(connection.client, connection.upstream));
        start(() -> connection.pump(connection.upstream, connection.client));
      } catch (IOException e) {
        // This relay is closed, or a peer has gone already.
      }
    }
  }

  @Override
  public void close() {
    closeQuietly(listening);
    connections.forEach(Connection::close);
  }

  private static void closeQuietly(AutoCloseable closeable) {
    try {
      closeable.close();
    } catch (Exception e) {
      // Whatever it was, it is no longer needed.
    }
  }

  private final class Connection {
    final Socket client;
    final Socket upstream;
    volatile @Nullable Death death;
    volatile long lastUseNanos = System.nanoTime();
    final AtomicBoolean usedDead = new AtomicBoolean();

    Connection(Socket client, Socket upstream) {
      this.client = client;
      this.upstream = upstream;
    }

    void die(Death how) {
      death = how;
      if (how == Death.CLOSED) {
        close();
      }
    }

    void pump(Socket from, Socket to) {
      byte[] buffer = new byte[64 * 1024];
      try {
        from.setTcpNoDelay(true);
        InputStream in = from.getInputStream();
        OutputStream out = to.getOutputStream();
        for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
          Death how = death;
          lastUseNanos = System.nanoTime();
          if (how != null && from == client && usedDead.compareAndSet(false, true)) {
            usesOfTheDead.incrementAndGet();
          }
          if (how == null) {
            out.write(buffer, 0, n);
          } else if (how == Death.RESET_AT_USE) {
            client.setSoLinger(true, 0);
            close();
          } else if (how == Death.CLOSED_AT_USE) {
            client.shutdownOutput();
          }
        }
      } catch (IOException e) {
        // One of both has gone.
      } finally {
        if (death != Death.SILENT) {
          close();
        }
      }
    }

    void close() {
      closeQuietly(client);
      closeQuietly(upstream);
      connections.remove(this);
    }
  }
}
