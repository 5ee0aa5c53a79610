package dev.holdfast.chaos.sim;

import dev.holdfast.lock.store.Incarnation;
import dev.holdfast.lock.store.LockRecord;
import dev.holdfast.lock.store.ReadResult;
import dev.holdfast.lock.store.Version;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeSet;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * An Elasticsearch cluster, reduced to one index of one shard: a primary that checks conditions and
 * gives out sequence numbers, replicas that must have a write before it is acknowledged, an in-sync
 * set, primary terms, coordinators that send again what was not answered, and a master, which is
 * wherever a majority is. What is dangerous about it is there: a primary that does not know that it
 * is one no more answers reads with what was never committed; any copy may be behind; what was not
 * acknowledged may stand or vanish with the next primary.
 *
 * <p>After the data replication model of Elasticsearch ("Reading and writing documents" in its
 * reference; PacificA, Lin et al., Microsoft Research 2008).
 */
final class SimCluster {
  private static final long DETECTION = Simulation.SECOND;
  private static final long RETRY = 200 * Simulation.MILLI;
  private static final long RECOVERY = 300 * Simulation.MILLI;

  /** The most retries of one operation by a coordinator. */
  private static final int MAX_RETRIES = 60;

  private final Simulation simulation;
  private final Network network;
  private final SplittableRandom random;
  private final List<SimNode> nodes = new ArrayList<>();
  private final ExecutionObserver onExecuted;

  /** The state that the master has published. */
  private State decided = new State(0, 0, -1, Set.of(), null, Set.of());

  private final Planted planted;
  private int incarnations;
  private int restored;
  private int era;

  /**
   * A view of the cluster, as one node has it.
   *
   * @param version rises with each decision of the master
   * @param primary the number of the node that has it, or -1
   * @param incarnation that to which the alias leads; null if there is no index
   * @param kept indices to which the alias led before, and which are still there. They share the
   *     primary and its copies with the one of now
   */
  record State(
      long version,
      long term,
      int primary,
      Set<Integer> inSync,
      @Nullable Incarnation incarnation,
      Set<Incarnation> kept) {

    /** Returns whether there is just that index. */
    boolean has(Incarnation index) {
      return index.equals(incarnation) || (!kept.isEmpty() && kept.contains(index));
    }

    /** Returns the index that is reached under the alias of that one; null if there is none. */
    @Nullable Incarnation reached(Incarnation index) {
      if (index.equals(incarnation)) {
        return index;
      }
      if (incarnation != null && aliasOf(index).equals(aliasOf(incarnation))) {
        return incarnation;
      }
      return kept.contains(index) ? index : null;
    }

    /** An index that was restored carries the alias of the one that was saved. */
    private static String aliasOf(Incarnation index) {
      int end = index.id().indexOf('/');
      return end < 0 ? index.id() : index.id().substring(0, end);
    }
  }

  /**
   * The index as it was.
   *
   * @param docs by their lock ids
   */
  record Snapshot(Incarnation incarnation, Map<String, Doc> docs, long term, long lastSeqNo) {}

  /** Is notified of writes. */
  interface ExecutionObserver {
    /**
     * Called for each write that a primary carries out.
     *
     * @param index where, which may be one that was restored under the same alias
     * @param there what was there before
     * @param isRightful whether it is the primary, of an index that is there, as the master knows
     *     it
     */
    void executed(Write write, Incarnation index, @Nullable Doc there, boolean isRightful);
  }

  /** A copy of one index. */
  private static final class Shard {
    final Map<String, Doc> docs;
    long lastSeqNo;

    Shard(Map<String, Doc> docs, long lastSeqNo) {
      this.docs = new HashMap<>(docs);
      this.lastSeqNo = lastSeqNo;
    }
  }

  /**
   * A document as a copy has it.
   *
   * @param record null if it was deleted
   */
  record Doc(@Nullable LockRecord record, long term, long seqNo) {}

  /** The version on which a write is conditional. */
  record Expected(long term, long seqNo) {}

  /**
   * A conditional write.
   *
   * @param record what is to stand there, or null to delete
   * @param expected null if nothing may be there
   * @param by the token on whose behalf
   */
  record Write(
      Incarnation incarnation,
      String lockId,
      @Nullable LockRecord record,
      @Nullable Expected expected,
      String by) {}

  /** Outcomes of a write, as the coordinator answers. */
  enum WriteAnswer {
    APPLIED,
    CONFLICT,
    INDEX_GONE,
    UNAVAILABLE
  }

  /** An answer with the version that was written. */
  record Written(WriteAnswer answer, long term, long seqNo) {
    static Written of(WriteAnswer answer) {
      return new Written(answer, 0, 0);
    }
  }

  /**
   * A cluster whose nodes are the network's first endpoints.
   *
   * @param onExecuted is told each write that a primary carries out
   */
  SimCluster(
      Simulation simulation,
      Network network,
      int size,
      Planted planted,
      ExecutionObserver onExecuted) {
    this.simulation = simulation;
    this.planted = planted;
    this.network = network;
    this.random = simulation.fork();
    this.onExecuted = onExecuted;
    for (int i = 0; i < size; i++) {
      nodes.add(new SimNode(i));
    }
  }

  int size() {
    return nodes.size();
  }

  /** From now on the index is made with the next era. */
  void raiseEra() {
    era++;
  }

  int era() {
    return era;
  }

  // --- Nodes

  private final class SimNode {
    final int number;
    private final List<Runnable> deferred = new ArrayList<>();
    private final List<Coordination> coordinations = new ArrayList<>();
    private State state = decided;
    private final Map<Incarnation, Shard> shards = new HashMap<>();
    private Set<Replication> replicating = new LinkedHashSet<>();
    private boolean up = true;
    private boolean paused;

    SimNode(int number) {
      this.number = number;
    }

    /** Runs a message's effect: now, when the node goes on, or never. */
    void receive(Runnable message) {
      if (!up) {
        return;
      }
      if (paused) {
        deferred.add(message);
      } else {
        message.run();
      }
    }

    Shard shard(Incarnation index) {
      return shards.computeIfAbsent(index, none -> new Shard(Map.of(), -1));
    }

    void copyFrom(SimNode other) {
      if (other != this) {
        shards.clear();
        other.shards.forEach(
            (index, shard) -> shards.put(index, new Shard(shard.docs, shard.lastSeqNo)));
      }
    }

    boolean isPrimary() {
      return state.primary == number;
    }

    void learn(State newer) {
      boolean moved = newer.term != state.term || newer.primary != state.primary;
      if (newer.version <= state.version) {
        return;
      }
      if (newer.incarnation == null
          || state.incarnation == null
          || !newer.incarnation.equals(state.incarnation)) {
        shards.keySet().removeIf(index -> !newer.has(index));
        moved = true;
      }
      state = newer;
      // What a primary was replicating: to those who are in sync no more it need not go.
      for (Replication replication : List.copyOf(replicating)) {
        replication.stateChanged();
      }
      if (moved) {
        List.copyOf(coordinations).forEach(Coordination::send);
      }
    }
  }

  // --- Writes

  /** A client's write arrives at a node, which sees to it; the answer goes back the same way. */
  void write(int at, Write write, Consumer<Written> answer) {
    SimNode node = nodes.get(at);
    node.receive(() -> new Coordination(node, write, answer).send());
  }

  /** Returns whether a connection to that node is refused at once. */
  boolean refusesConnections(int at) {
    return !nodes.get(at).up;
  }

  /** A coordinating node's care for one write. */
  private final class Coordination {
    private final SimNode node;
    private final Write write;
    private final Consumer<Written> answer;
    private int attempts;
    private boolean over;

    Coordination(SimNode node, Write write, Consumer<Written> answer) {
      this.node = node;
      this.write = write;
      this.answer = answer;
      node.coordinations.add(this);
    }

    void send() {
      if (over) {
        return;
      }
      State state = node.state;
      if (state.reached(write.incarnation) == null) {
        end(Written.of(WriteAnswer.INDEX_GONE));
      } else if (++attempts > MAX_RETRIES) {
        end(Written.of(WriteAnswer.UNAVAILABLE));
      } else if (state.primary < 0 || !nodes.get(state.primary).up) {
        later();
      } else {
        SimNode primary = nodes.get(state.primary);
        network.send(node.number, primary.number, () -> primary.receive(() -> execute(primary)));
      }
    }

    private void later() {
      simulation.after(RETRY, () -> node.receive(this::send));
    }

    private void execute(SimNode primary) {
      Incarnation index = primary.isPrimary() ? primary.state.reached(write.incarnation) : null;
      if (index == null) {
        network.send(primary.number, node.number, () -> node.receive(this::later));
        return;
      }
      Shard shard = primary.shard(index);
      Doc there = shard.docs.get(write.lockId);
      LockRecord old = there == null ? null : there.record;
      Expected expected = write.expected;
      boolean met =
          expected == null
              ? old == null
              : there != null
                  && old != null
                  && (there.term == expected.term || planted.ignoresTerms())
                  && there.seqNo == expected.seqNo;
      if (!met) {
        back(primary, Written.of(WriteAnswer.CONFLICT));
        return;
      }
      Doc doc = new Doc(write.record, primary.state.term, ++shard.lastSeqNo);
      boolean isRightful =
          primary.number == decided.primary
              && primary.state.term == decided.term
              && decided.has(index);
      onExecuted.executed(write, index, there, isRightful);
      shard.docs.put(write.lockId, doc);
      simulation.log(
          () -> "n" + primary.number + " executes " + describe(write) + " as " + version(doc),
          primary.number,
          doc.term,
          doc.seqNo);
      new Replication(
              primary,
              index,
              write.lockId,
              doc,
              acknowledged ->
                  back(
                      primary,
                      acknowledged
                          ? new Written(WriteAnswer.APPLIED, doc.term, doc.seqNo)
                          : Written.of(WriteAnswer.UNAVAILABLE)))
          .start();
    }

    private void back(SimNode primary, Written written) {
      network.send(
          primary.number,
          node.number,
          () ->
              node.receive(
                  () -> {
                    if (written.answer == WriteAnswer.UNAVAILABLE) {
                      later(); // The primary was demoted: the next one is asked.
                    } else {
                      end(written);
                    }
                  }));
    }

    private void end(Written written) {
      if (!over) {
        over = true;
        node.coordinations.remove(this);
        answer.accept(written);
      }
    }
  }

  /** A primary's care for one operation until all copies that count have it. */
  private final class Replication {
    private final SimNode primary;
    private final String lockId;
    private final Doc doc;
    private final Consumer<Boolean> done;
    private final Set<Integer> missing = new HashSet<>();
    private final long term;
    private final Incarnation index;

    Replication(
        SimNode primary, Incarnation index, String lockId, Doc doc, Consumer<Boolean> done) {
      this.primary = primary;
      this.index = index;
      this.lockId = lockId;
      this.doc = doc;
      this.done = done;
      this.term = primary.state.term;
    }

    void start() {
      primary.replicating.add(this);
      for (SimNode replica : nodes) {
        if (replica != primary && primary.state.inSync.contains(replica.number)) {
          missing.add(replica.number);
          network.send(
              primary.number, replica.number, () -> replica.receive(() -> arrive(replica)));
        }
      }
      endIfComplete();
    }

    private void arrive(SimNode replica) {
      if (replica.state.term > term || !replica.state.has(index)) {
        network.send(replica.number, primary.number, () -> primary.receive(() -> end(false)));
        return;
      }
      Shard shard = replica.shard(index);
      Doc there = shard.docs.get(lockId);
      if (there == null || there.seqNo < doc.seqNo) {
        shard.docs.put(lockId, doc);
      }
      shard.lastSeqNo = Math.max(shard.lastSeqNo, doc.seqNo);
      network.send(
          replica.number,
          primary.number,
          () ->
              primary.receive(
                  () -> {
                    missing.remove(replica.number);
                    endIfComplete();
                  }));
    }

    void stateChanged() {
      if (!primary.isPrimary() || primary.state.term != term || !primary.state.has(index)) {
        end(false);
      } else {
        missing.retainAll(primary.state.inSync);
        endIfComplete();
      }
    }

    private void endIfComplete() {
      if (missing.isEmpty() || planted.acknowledgesEarly()) {
        end(true);
      }
    }

    private void end(boolean acknowledged) {
      if (primary.replicating.remove(this)) {
        done.accept(acknowledged);
      }
    }
  }

  // --- Reads

  /**
   * A client's read arrives at a node, which asks any copy.
   *
   * @param known of which index the client knows the alias, if any; another is looked up if it is
   *     gone
   * @param answer is given the incarnation, or null if there is none; and the document, if any. The
   *     client's own if its alias leads to an index, for it cannot see to which
   */
  void read(
      int at,
      @Nullable Incarnation known,
      String lockId,
      BiConsumer<@Nullable Incarnation, @Nullable Doc> answer) {
    SimNode node = nodes.get(at);
    node.receive(
        () -> {
          Incarnation reached = known == null ? null : node.state.reached(known);
          Incarnation index = reached == null ? node.state.incarnation : reached;
          Incarnation shown = reached == null ? index : known;
          List<SimNode> copies = new ArrayList<>(nodes.size());
          for (SimNode copy : nodes) {
            if (copy.up && node.state.inSync.contains(copy.number)) {
              copies.add(copy);
            }
          }
          if (index == null) {
            answer.accept(null, null);
          } else if (!copies.isEmpty()) {
            SimNode asked = copies.get(random.nextInt(copies.size()));
            network.send(
                at,
                asked.number,
                () ->
                    asked.receive(
                        () -> {
                          Doc doc = asked.shard(index).docs.get(lockId);
                          network.send(
                              asked.number,
                              at,
                              () -> node.receive(() -> answer.accept(shown, doc)));
                        }));
          }
        });
  }

  /** Answers a client that asks a node for the index. */
  void find(int at, Consumer<@Nullable Incarnation> answer) {
    SimNode node = nodes.get(at);
    node.receive(() -> answer.accept(node.state.incarnation));
  }

  // --- The master

  /** A client asks a node to make the index; that it exists already is success. */
  void createIndex(int at, Consumer<Boolean> answer) {
    SimNode node = nodes.get(at);
    node.receive(
        () -> {
          Set<Integer> majority = majority();
          if (!majority.contains(at)) {
            answer.accept(false);
            return;
          }
          if (decided.incarnation == null) {
            Incarnation made = new Incarnation("inc-" + incarnations++, era);
            int primary = pick(majority);
            simulation.log(() -> "index made, " + made.id() + ", primary n" + primary, primary);
            decide(1, primary, majority, made);
            majority.forEach(number -> nodes.get(number).learn(decided));
          }
          answer.accept(true);
        });
  }

  /** The index that there is, if there is one. */
  @Nullable Incarnation incarnation() {
    return decided.incarnation;
  }

  /** An operator deletes the index, and those that were kept. */
  void deleteIndex() {
    if (decided.incarnation != null) {
      simulation.log(() -> "index deleted", incarnations);
      decided = new State(decided.version + 1, 0, -1, Set.of(), null, Set.of());
      publish();
    }
  }

  /**
   * An operator makes the next index and moves the alias to it, in one request. It has the primary
   * of the old one, and a term that does not begin again: its sequence numbers do.
   *
   * @param keepsOld whether the old one stays, and takes what is written to it
   * @return the index that the alias led to; null if nothing could be done
   */
  @Nullable Incarnation swapIndex(boolean keepsOld) {
    Incarnation old = decided.incarnation;
    Set<Integer> majority = majority();
    if (old == null || !majority.contains(decided.primary)) {
      return null;
    }
    Incarnation made = new Incarnation("inc-" + incarnations++, era);
    simulation.log(
        () -> "alias moved to " + made.id() + ", the old index is " + (keepsOld ? "kept" : "gone"),
        incarnations);
    Set<Incarnation> kept = new HashSet<>(decided.kept);
    if (keepsOld) {
      kept.add(old);
    }
    Set<Integer> inSync = new TreeSet<>(decided.inSync);
    inSync.retainAll(majority);
    decided =
        new State(
            decided.version + 1,
            decided.term,
            decided.primary,
            Set.copyOf(inSync),
            made,
            Set.copyOf(kept));
    inSync.forEach(number -> nodes.get(number).learn(decided));
    publish();
    return old;
  }

  /** The index as its primary has it; null if there is none. */
  @Nullable Snapshot snapshot() {
    Incarnation incarnation = decided.incarnation;
    if (incarnation == null || decided.primary < 0) {
      return null;
    }
    Shard shard = nodes.get(decided.primary).shard(incarnation);
    return new Snapshot(incarnation, new HashMap<>(shard.docs), decided.term, shard.lastSeqNo);
  }

  /**
   * An operator replaces the index by what it was: records, terms and sequence numbers go back. It
   * is another index, but has the alias of the one that was saved.
   *
   * @return the index that it is now; null if nothing could be done
   */
  @Nullable Incarnation restore(Snapshot snapshot) {
    Set<Integer> majority = majority();
    if (majority.isEmpty() || !snapshot.incarnation.equals(decided.incarnation)) {
      return null;
    }
    Incarnation old = snapshot.incarnation;
    Incarnation made = new Incarnation(State.aliasOf(old) + "/" + ++restored, old.era());
    simulation.log(() -> "index restored as " + made.id(), restored, snapshot.lastSeqNo);
    decided =
        new State(
            decided.version + 1,
            snapshot.term,
            pick(majority),
            Set.copyOf(majority),
            made,
            decided.kept);
    for (int number : majority) {
      SimNode node = nodes.get(number);
      node.learn(decided);
      node.shards.put(made, new Shard(snapshot.docs, snapshot.lastSeqNo));
    }
    return made;
  }

  /** Returns whether the index is one that was restored from that snapshot. */
  boolean isRestoredFrom(Snapshot snapshot) {
    Incarnation incarnation = decided.incarnation;
    return incarnation != null
        && !incarnation.equals(snapshot.incarnation)
        && State.aliasOf(incarnation).equals(State.aliasOf(snapshot.incarnation));
  }

  private int pick(Set<Integer> numbers) {
    List<Integer> sorted = numbers.stream().sorted().toList();
    return sorted.get(random.nextInt(sorted.size()));
  }

  private boolean isWell(int number) {
    SimNode node = nodes.get(number);
    return node.up && !node.paused;
  }

  /** The largest set of nodes that all reach each other, if it is a majority; else none. */
  private Set<Integer> majority() {
    Set<Integer> best = Set.of();
    for (int centre = 0; centre < nodes.size(); centre++) {
      if (isWell(centre)) {
        Set<Integer> group = new TreeSet<>();
        group.add(centre);
        for (int other = 0; other < nodes.size(); other++) {
          int candidate = other;
          if (isWell(other)
              && group.stream().allMatch(member -> network.areConnected(member, candidate))) {
            group.add(other);
          }
        }
        if (group.size() > best.size()) {
          best = group;
        }
      }
    }
    return best.size() * 2 > nodes.size() ? best : Set.of();
  }

  /** The master will notice what has changed, after a while. */
  void somethingChanged() {
    simulation.after(DETECTION + random.nextLong(DETECTION), this::lookAround);
  }

  private void decide(
      long term, int primary, Set<Integer> inSync, @Nullable Incarnation incarnation) {
    decided =
        new State(
            decided.version + 1, term, primary, Set.copyOf(inSync), incarnation, decided.kept);
  }

  private void lookAround() {
    Set<Integer> majority = majority();
    if (majority.isEmpty() || decided.incarnation == null) {
      if (!majority.isEmpty()) {
        publish();
      }
      return;
    }
    Set<Integer> inSync = new TreeSet<>(decided.inSync);
    inSync.retainAll(majority);
    if (majority.contains(decided.primary)) {
      decide(decided.term, decided.primary, inSync, decided.incarnation);
      publish();
    } else if (!inSync.isEmpty()) {
      promote(pick(inSync), inSync);
    }
    recover();
  }

  /** At once for those that matter: the new primary and its copies refuse the old term together. */
  private void promote(int number, Set<Integer> inSync) {
    decide(decided.term + 1, number, inSync, decided.incarnation);
    simulation.log(
        () -> "n" + number + " is primary, term " + decided.term + ", in sync " + inSync,
        number,
        decided.term);
    inSync.forEach(member -> nodes.get(member).learn(decided));
    inSync.forEach(member -> nodes.get(member).copyFrom(nodes.get(number)));
    publish();
  }

  private void publish() {
    State published = decided;
    for (int number : majority()) {
      SimNode node = nodes.get(number);
      simulation.after(
          random.nextLong(20 * Simulation.MILLI),
          () -> {
            if (published.version == decided.version) {
              node.receive(() -> node.learn(published));
            }
          });
    }
  }

  /** Copies that fell behind catch up, and count again. */
  private void recover() {
    simulation.after(
        RECOVERY,
        () -> {
          Set<Integer> majority = majority();
          if (decided.incarnation == null || !majority.contains(decided.primary)) {
            return;
          }
          SimNode primary = nodes.get(decided.primary);
          Set<Integer> inSync = new TreeSet<>(decided.inSync);
          Set<Integer> behind = new TreeSet<>();
          for (int number : majority) {
            if (!inSync.contains(number) && primary.state.term == decided.term) {
              behind.add(number);
              inSync.add(number);
            }
          }
          if (!inSync.equals(decided.inSync)) {
            decide(decided.term, decided.primary, inSync, decided.incarnation);
            // At once: from now on the primary must wait for them.
            inSync.forEach(number -> nodes.get(number).learn(decided));
            behind.forEach(number -> nodes.get(number).copyFrom(primary));
            publish();
          }
        });
  }

  // --- What can happen to a node

  void crash(int number) {
    SimNode node = nodes.get(number);
    node.up = false;
    node.paused = false;
    node.deferred.clear();
    node.coordinations.clear();
    node.replicating = new LinkedHashSet<>();
    somethingChanged();
  }

  /** The node comes back with what was on its disk, and has to be told what it is. */
  void restart(int number) {
    SimNode node = nodes.get(number);
    node.up = true;
    node.state =
        new State(-1, node.state.term, -1, Set.of(), node.state.incarnation, node.state.kept);
    somethingChanged();
  }

  void pause(int number) {
    nodes.get(number).paused = true;
    somethingChanged();
  }

  void resume(int number) {
    SimNode node = nodes.get(number);
    node.paused = false;
    List<Runnable> messages = List.copyOf(node.deferred);
    node.deferred.clear();
    messages.forEach(node::receive);
    somethingChanged();
  }

  boolean isUp(int number) {
    return nodes.get(number).up;
  }

  boolean isPaused(int number) {
    return nodes.get(number).paused;
  }

  /** Returns what the rightful primary has, as a search finds it. */
  List<ReadResult.Found> all() {
    List<ReadResult.Found> found = new ArrayList<>();
    Incarnation incarnation = decided.incarnation;
    if (decided.primary >= 0 && incarnation != null) {
      for (Doc doc : nodes.get(decided.primary).shard(incarnation).docs.values()) {
        if (doc.record != null) {
          found.add(
              new ReadResult.Found(doc.record, new Version(incarnation, doc.term, doc.seqNo)));
        }
      }
    }
    return found;
  }

  private static String describe(Write write) {
    LockRecord record = write.record;
    return (record == null ? "delete " : write.expected == null ? "create " : "replace ")
        + write.lockId
        + " by "
        + write.by;
  }

  private static String version(Doc doc) {
    return doc.term + "." + doc.seqNo;
  }
}
