package dev.holdfast.chaos.toxiproxy;

import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.FixedRecvByteBufAllocator;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.util.concurrent.Future;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The live connections of one proxy, which belong to the I/O thread. The methods are for the API
 * thread; each returns when the I/O thread has done its part.
 */
@SuppressWarnings("FutureReturnValueIgnored") // Failures come to the pipeline.
final class Traffic {

  private static final Logger LOG = LoggerFactory.getLogger(Traffic.class);
  private static final int CHUNK_BYTES = 32 * 1024;

  private final EventLoop loop;
  private final RandomGenerator random;

  // Of the I/O thread:
  private final Set<Connection> connections = new LinkedHashSet<>();
  private List<Toxic> toxics = List.of();

  Traffic(EventLoop loop, RandomGenerator random) {
    this.loop = loop;
    this.random = random;
  }

  /**
   * Listens, and connects each client to the upstream server.
   *
   * @return the listening channel, or the failed attempt to make one
   */
  ChannelFuture listen(InetSocketAddress address, String upstream) {
    return new ServerBootstrap()
        .group(loop)
        .channel(NioServerSocketChannel.class)
        .childOption(ChannelOption.AUTO_READ, false)
        .childOption(ChannelOption.ALLOW_HALF_CLOSURE, true)
        .childOption(ChannelOption.TCP_NODELAY, true)
        .childOption(ChannelOption.RECVBUF_ALLOCATOR, new FixedRecvByteBufAllocator(CHUNK_BYTES))
        .childHandler(
            new ChannelInitializer<>() {
              @Override
              protected void initChannel(Channel client) {
                accept(client, upstream);
              }
            })
        .bind(address)
        .awaitUninterruptibly();
  }

  private void accept(Channel client, String upstream) {
    InetSocketAddress address;
    try {
      Address parsed = Address.parse(upstream);
      address =
          parsed.host().isEmpty()
              ? new InetSocketAddress(InetAddress.getLoopbackAddress(), parsed.port())
              : InetSocketAddress.createUnresolved(parsed.host(), parsed.port());
    } catch (IllegalArgumentException e) {
      LOG.warn("Unable to open connection to upstream: {}", e.getMessage());
      client.close();
      return;
    }
    ChannelFuture dialled =
        new Bootstrap()
            .group(loop)
            .channel(NioSocketChannel.class)
            .option(ChannelOption.AUTO_READ, false)
            .option(ChannelOption.ALLOW_HALF_CLOSURE, true)
            .option(ChannelOption.TCP_NODELAY, true)
            .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, 0) // As the operating system decides.
            .option(ChannelOption.RECVBUF_ALLOCATOR, new FixedRecvByteBufAllocator(CHUNK_BYTES))
            .handler(new ChannelInboundHandlerAdapter())
            .connect(address);
    Connection connection = new Connection(client, dialled, connections::remove);
    connections.add(connection);
    dialled.addListener(
        done -> {
          if (done.isSuccess() && client.isActive()) {
            connection.start(toxics, random);
          } else {
            LOG.debug("Unable to open connection to upstream {}", upstream, done.cause());
            connection.close();
          }
        });
  }

  /**
   * Stops listening and closes all connections. After it a client is refused, and the address may
   * be bound again.
   */
  void stop(Channel listener) {
    // The selector lets go of a closed socket with its next selection, and the event loop makes one
    // before it looks at tasks scheduled now.
    Future<Future<?>> closed =
        loop.submit(
            () -> {
              listener.close();
              forEachConnection(Connection::close);
              return loop.schedule(() -> {}, 1, TimeUnit.NANOSECONDS);
            });
    closed.syncUninterruptibly().getNow().syncUninterruptibly();
  }

  /**
   * Changes the toxics of connections to come and of the live ones.
   *
   * @param newToxics all toxics in order
   * @param direction the direction in which they change
   * @param change what to do to each live connection's link
   */
  void change(List<Toxic> newToxics, Direction direction, Consumer<Link> change) {
    Runnable task =
        () -> {
          toxics = newToxics;
          forEachConnection(connection -> connection.change(direction, change));
        };
    loop.submit(task).syncUninterruptibly();
  }

  private void forEachConnection(Consumer<Connection> action) {
    List.copyOf(connections).forEach(action); // A copy, as it may close one.
  }
}
