package dev.holdfast.chaos.toxiproxy;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;

/**
 * One direction of a connection: from the source channel through the stages of all toxics to the
 * destination channel. The end of the stream closes the destination, and that for both directions,
 * as the real server does.
 */
@SuppressWarnings("FutureReturnValueIgnored") // Failures come to the pipeline.
final class Link {

  private final Channel source;
  private final Channel destination;
  private final RandomGenerator random;
  private final Outlet exit = new Exit();
  private final List<ToxicStage> stages = new ArrayList<>();
  private boolean sourceEnded;
  private boolean exitEnded;

  Link(Channel source, Channel destination, RandomGenerator random) {
    this.source = source;
    this.destination = destination;
    this.random = random;
  }

  // ---- the source

  private Outlet entry() {
    return stages.isEmpty() ? exit : stages.get(0);
  }

  /** Reads from the source once if there is room. */
  void demand() {
    if (!sourceEnded && entry().ready()) {
      source.read();
    }
  }

  /** Takes what was read; copies it, so that a few bytes do not hold on to a large buffer. */
  void received(ByteBuf bytes) {
    ByteBuffer copy = ByteBuffer.allocate(bytes.readableBytes());
    bytes.readBytes(copy);
    entry().accept(new Chunk(copy.flip(), System.nanoTime()));
    demand();
  }

  /** There is nothing more to read: the source's peer has finished, or the source is closed. */
  void sourceEnded() {
    if (!sourceEnded) {
      sourceEnded = true;
      entry().end();
    }
  }

  // ---- the destination

  private final class Exit implements Outlet {

    @Override
    public boolean ready() {
      return !exitEnded && destination.isWritable();
    }

    @Override
    public void accept(Chunk chunk) {
      if (!exitEnded) {
        destination.writeAndFlush(Unpooled.wrappedBuffer(chunk.data()), destination.voidPromise());
      }
    }

    @Override
    public void end() {
      if (!exitEnded) {
        exitEnded = true;
        destination.writeAndFlush(Unpooled.EMPTY_BUFFER).addListener(ChannelFutureListener.CLOSE);
      }
    }
  }

  /** There may be room in the destination. */
  void destinationWritable() {
    if (stages.isEmpty()) {
      demand();
    } else {
      last().work();
    }
  }

  /** Drops the data in flight, which cannot arrive any more. */
  void destinationClosed() {
    exitEnded = true;
    stages.forEach(ToxicStage::discard);
  }

  // ---- the toxics

  private ToxicStage last() {
    return stages.get(stages.size() - 1);
  }

  /** Puts the toxics of a new connection in place, and starts. */
  void start(List<Toxic> toxics) {
    toxics.forEach(toxic -> stages.add(new ToxicStage(source.eventLoop(), random, toxic, exit)));
    connect();
    stages.forEach(ToxicStage::start);
    demand();
  }

  private void connect() {
    Runnable demand = this::demand;
    for (int i = 0; i < stages.size(); i++) {
      ToxicStage stage = stages.get(i);
      stage.connect(demand, i + 1 < stages.size() ? stages.get(i + 1) : exit);
      demand = stage::work;
    }
  }

  /** Adds the toxic at the end of the chain, if the end of the stream has not yet passed there. */
  void add(Toxic toxic) {
    List<ToxicStage> neighbour = stages.isEmpty() ? List.of() : List.of(last());
    if (exitEnded || neighbour.stream().anyMatch(ToxicStage::finished)) {
      return;
    }
    neighbour.forEach(ToxicStage::interrupt);
    stages.add(new ToxicStage(source.eventLoop(), random, toxic, exit));
    connect();
    last().start();
    neighbour.forEach(ToxicStage::start);
  }

  /** Lets the toxic of that name take its new settings. */
  void update(Toxic toxic) {
    stages.stream().filter(stage -> stage.isOf(toxic)).forEach(stage -> stage.update(toxic));
  }

  /** Takes the toxic of that name out; what it holds flows on. */
  void remove(Toxic toxic) {
    for (int i = 0; i < stages.size(); i++) {
      if (stages.get(i).isOf(toxic)) {
        remove(i);
        return;
      }
    }
  }

  private void remove(int index) {
    if (!stages.get(index).empty()) {
      return;
    }
    stages.remove(index);
    connect();
    if (index == 0) {
      demand();
    } else {
      ToxicStage neighbour = stages.get(index - 1);
      neighbour.interrupt();
      neighbour.start();
    }
  }
}
