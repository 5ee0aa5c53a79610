package dev.holdfast.chaos.toxiproxy;

import eu.rekawek.toxiproxy.model.ToxicDirection;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** Both ends of a connection through a proxy, in the hands of one thread; reads wait up to 30 s. */
record Wire(Socket client, Socket server) implements AutoCloseable {

  static final int LIVENESS_MILLIS = 30_000;

  /** The end of a stream, and the text before it. */
  record Ending(String text, boolean reset) {}

  /** A server socket on a free loopback port, to be an upstream server. */
  static ServerSocket listen() throws IOException {
    ServerSocket socket = new ServerSocket(0, 500, InetAddress.getLoopbackAddress());
    socket.setSoTimeout(LIVENESS_MILLIS);
    return socket;
  }

  static String address(ServerSocket socket) {
    return "127.0.0.1:" + socket.getLocalPort();
  }

  /** The loopback address of what listens at {@code host:port}. */
  static InetSocketAddress loopback(String listen) {
    int port = Integer.parseInt(listen.substring(listen.lastIndexOf(':') + 1));
    return new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
  }

  static Socket connect(String listen) throws IOException {
    Socket socket = new Socket();
    socket.connect(loopback(listen), LIVENESS_MILLIS);
    socket.setSoTimeout(LIVENESS_MILLIS);
    socket.setTcpNoDelay(true);
    return socket;
  }

  /** Connects through the proxy that listens there to the server it has as its upstream. */
  static Wire open(String listen, ServerSocket upstream) throws IOException {
    Socket client = connect(listen);
    Socket server = upstream.accept();
    server.setSoTimeout(LIVENESS_MILLIS);
    server.setTcpNoDelay(true);
    return new Wire(client, server);
  }

  Socket sender(ToxicDirection direction) {
    return direction == ToxicDirection.UPSTREAM ? client : server;
  }

  Socket receiver(ToxicDirection direction) {
    return direction == ToxicDirection.UPSTREAM ? server : client;
  }

  /** Sends a message and waits for it, both ways: from then on the proxy's links stand. */
  Wire roundTrip() throws IOException {
    send(client, "to");
    receive(server, "to");
    send(server, "fro");
    receive(client, "fro");
    return this;
  }

  static void send(Socket socket, String text) throws IOException {
    socket.getOutputStream().write(text.getBytes(StandardCharsets.ISO_8859_1));
  }

  /** Waits for exactly this text. */
  static void receive(Socket socket, String text) throws IOException {
    byte[] read = socket.getInputStream().readNBytes(text.length());
    String received = new String(read, StandardCharsets.ISO_8859_1);
    if (!received.equals(text)) {
      throw new AssertionError("received '" + received + "', not '" + text + "'");
    }
  }

  /** Reads until the stream ends or is reset. */
  static Ending drain(Socket socket) throws IOException {
    StringBuilder text = new StringBuilder();
    byte[] buffer = new byte[8192];
    while (true) {
      try {
        int read = socket.getInputStream().read(buffer);
        if (read < 0) {
          return new Ending(text.toString(), false);
        }
        text.append(new String(Arrays.copyOf(buffer, read), StandardCharsets.ISO_8859_1));
      } catch (SocketTimeoutException e) {
        throw new AssertionError("neither data nor an end after '" + text + "'", e);
      } catch (SocketException e) {
        return new Ending(text.toString(), true);
      }
    }
  }

  /** Returns whether nothing, not even an end, comes within that time. */
  static boolean silent(Socket socket, int millis) throws IOException {
    socket.setSoTimeout(millis);
    try {
      int unexpected = socket.getInputStream().read();
      return unexpected == Integer.MIN_VALUE;
    } catch (SocketTimeoutException e) {
      return true;
    } finally {
      socket.setSoTimeout(LIVENESS_MILLIS);
    }
  }

  @Override
  public void close() throws IOException {
    client.close();
    server.close();
  }
}
