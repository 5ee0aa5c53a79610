package dev.holdfast.chaos.toxiproxy;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOption;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import java.io.IOException;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A client's connection and the one to the upstream server made for it, with a {@link Link} for
 * each direction once both stand. Until then nothing is read, and one is closed with the other;
 * from then on the links see to that, as a toxic may want it to take time.
 */
@SuppressWarnings("FutureReturnValueIgnored") // Failures come to the pipeline.
final class Connection {

  private static final Logger LOG = LoggerFactory.getLogger(Connection.class);

  private final Channel client;
  private final Channel upstream;
  private final Map<Direction, Link> links = new EnumMap<>(Direction.class);

  /**
   * Watches over an accepted client and a connection that is being made.
   *
   * @param onClosed is told when both are closed
   */
  Connection(Channel client, ChannelFuture dialled, Consumer<Connection> onClosed) {
    this.client = client;
    this.upstream = dialled.channel();
    client.closeFuture().addListener(closed -> oneClosed(upstream, onClosed));
    upstream.closeFuture().addListener(closed -> oneClosed(client, onClosed));
  }

  private void oneClosed(Channel other, Consumer<Connection> onClosed) {
    if (!other.isOpen()) {
      onClosed.accept(this);
    } else if (links.isEmpty()) {
      other.close();
    }
  }

  /** Closes both sides. */
  void close() {
    client.close();
    upstream.close();
  }

  /** Lets data flow, after both sides were connected. */
  void start(List<Toxic> toxics, RandomGenerator random) {
    if (toxics.stream().anyMatch(toxic -> toxic.type() == ToxicType.RESET_PEER)) {
      // From here on any close of the two is a reset, whatever the toxicity, and also after the
      // toxic
      // was removed. A reset_peer that comes later closes this connection without one. As is real.
      client.config().setOption(ChannelOption.SO_LINGER, 0);
      upstream.config().setOption(ChannelOption.SO_LINGER, 0);
    }
    Link up = new Link(client, upstream, random);
    Link down = new Link(upstream, client, random);
    links.put(Direction.UPSTREAM, up);
    links.put(Direction.DOWNSTREAM, down);
    client.pipeline().addLast(new Side(up, down));
    upstream.pipeline().addLast(new Side(down, up));
    links.forEach(
        (direction, link) ->
            link.start(toxics.stream().filter(t -> t.direction() == direction).toList()));
  }

  /** Does this to the link of that direction, if the two sides are linked yet. */
  void change(Direction direction, Consumer<Link> change) {
    Link link = links.get(direction);
    if (link != null) {
      change.accept(link);
    }
  }

  /** One of the two channels: the source of one link and the destination of the other. */
  private static final class Side extends ChannelInboundHandlerAdapter {

    private final Link inbound;
    private final Link outbound;

    Side(Link inbound, Link outbound) {
      this.inbound = inbound;
      this.outbound = outbound;
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
      ByteBuf bytes = (ByteBuf) message;
      try {
        inbound.received(bytes);
      } finally {
        bytes.release();
      }
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext context, Object event) {
      if (event instanceof ChannelInputShutdownEvent) {
        inbound.sourceEnded();
      }
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
      outbound.destinationClosed();
      inbound.sourceEnded();
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext context) {
      outbound.destinationWritable();
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
      if (cause instanceof IOException) {
        LOG.debug("{}: {}", context.channel(), cause.toString()); // Its end comes as an event.
      } else {
        LOG.error("{}: closed after an unexpected error", context.channel(), cause);
        context.close();
      }
    }
  }
}
