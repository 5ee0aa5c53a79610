package dev.holdfast.chaos.toxiproxy;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.group.ChannelGroup;
import io.netty.channel.group.DefaultChannelGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.handler.codec.http.HttpObjectAggregator;
import io.netty.handler.codec.http.HttpServerCodec;
import io.netty.handler.codec.http.HttpServerKeepAliveHandler;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.netty.util.concurrent.Future;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * A Toxiproxy server in this JVM, with the HTTP API and the toxics of Shopify's Toxiproxy 2.12.0,
 * so that nothing has to be installed.
 *
 * <p>What differs, and is meant to: the details of error messages about malformed JSON; attributes
 * of a refused update are not applied in part; attributes that crash or hang the real server (a
 * negative rate, slices of 0 bytes) do not harm this one; removing a {@code reset_peer} that
 * already waits for its timeout answers at once; and there are no metrics. Names of upstream hosts
 * are looked up by the one I/O thread, so they should be addresses or quick to resolve.
 *
 * <p>Safe for use by several threads. It has two daemon threads, both ended by {@link #close()}.
 */
public final class ToxiproxyServer implements AutoCloseable {

  /** Any number would do; this is the port of Toxiproxy's API. */
  private static final long DEFAULT_SEED = 8474;

  private static final int MAX_REQUEST_BYTES = 1 << 22;
  private static final long CLOSE_SECONDS = 10;

  private final RandomGenerator random;
  private @Nullable Running running;

  /** The threads, the channel on which the API listens, and all channels of the API. */
  private record Running(
      EventLoopGroup api, EventLoopGroup io, Api handler, Channel channel, ChannelGroup channels) {}

  /** A server, not yet started, whose dice start from a fixed seed. */
  public ToxiproxyServer() {
    this(new SplittableRandom(DEFAULT_SEED));
  }

  /**
   * A server, not yet started.
   *
   * @param random decides on toxicity, jitter and the size of slices; used by one thread, which is
   *     the server's own
   */
  public ToxiproxyServer(RandomGenerator random) {
    this.random = random;
  }

  /**
   * Starts to serve the API; when this returns, it is reachable.
   *
   * @param host the name or address to listen at
   * @param port the port to listen at; 0 for any free one
   * @return the port
   * @throws IllegalStateException if it was started already
   * @throws UncheckedIOException if it cannot listen there
   */
  public synchronized int start(String host, int port) {
    if (running != null) {
      throw new IllegalStateException("already started");
    }
    EventLoopGroup api = group("toxiproxy-api");
    EventLoopGroup io = group("toxiproxy-io");
    Api handler = new Api(() -> new Traffic(io.next(), random));
    ChannelGroup channels = new DefaultChannelGroup(api.next(), true);
    var bound =
        new ServerBootstrap()
            .group(api)
            .channel(NioServerSocketChannel.class)
            .childHandler(
                new ChannelInitializer<>() {
                  @Override
                  protected void initChannel(Channel channel) {
                    channels.add(channel);
                    channel
                        .pipeline()
                        .addLast(new HttpServerCodec())
                        .addLast(new HttpServerKeepAliveHandler())
                        .addLast(new HttpObjectAggregator(MAX_REQUEST_BYTES))
                        .addLast(handler);
                  }
                })
            .bind(new InetSocketAddress(host, port))
            .awaitUninterruptibly();
    Throwable failure = bound.cause();
    channels.add(bound.channel());
    running = new Running(api, io, handler, bound.channel(), channels);
    if (failure != null) {
      close();
      throw new UncheckedIOException(
          new IOException("cannot listen at " + host + ":" + port, failure));
    }
    return port();
  }

  private static EventLoopGroup group(String name) {
    return new MultiThreadIoEventLoopGroup(
        1, new DefaultThreadFactory(name, true), NioIoHandler.newFactory());
  }

  /**
   * The port of the API.
   *
   * @throws IllegalStateException if the server is not running
   */
  public synchronized int port() {
    if (running == null) {
      throw new IllegalStateException("not running");
    }
    return ((InetSocketAddress) running.channel().localAddress()).getPort();
  }

  /**
   * Ends the server with all its proxies and connections, and waits until its threads have nothing
   * more to do. Does nothing if it is not running; it may be started again.
   *
   * @throws IllegalStateException if a thread does not end within ten seconds
   */
  @Override
  public synchronized void close() {
    if (running == null) {
      return;
    }
    Running old = running;
    running = null;
    // An event loop that is told to end without a quiet period may end without closing its channels
    // (when the word comes between its look at its state and its last tasks), so they are closed
    // first, the API's first of all: no proxy is made after the last was ended.
    old.channels().close().awaitUninterruptibly();
    Future<?> proxiesEnded = old.api().submit(old.handler()::close).awaitUninterruptibly();
    try {
      end(old.api()); // First, so that no request is cut off from the I/O thread.
    } finally {
      end(old.io());
    }
    proxiesEnded.syncUninterruptibly();
  }

  private static void end(EventLoopGroup group) {
    boolean ended =
        group
            .shutdownGracefully(0, CLOSE_SECONDS, TimeUnit.SECONDS)
            .awaitUninterruptibly(CLOSE_SECONDS, TimeUnit.SECONDS);
    if (!ended) {
      throw new IllegalStateException("a thread of the built-in toxiproxy does not end");
    }
  }
}
