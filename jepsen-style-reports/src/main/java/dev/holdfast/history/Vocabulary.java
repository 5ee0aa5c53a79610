package dev.holdfast.history;

import java.util.List;
import java.util.Set;

/**
 * The names in a history that the checkers and the report understand. Other names may be recorded
 * freely.
 *
 * <table>
 * <caption>Operations of clients</caption>
 * <tr><th>f</th><th>meaning of {@code :ok}</th></tr>
 * <tr><td>acquire</td><td>the client was told that it holds the lock</td></tr>
 * <tr><td>renew</td><td>the client was told that it goes on holding it</td></tr>
 * <tr><td>belief</td><td>the client believed that it held the lock, until {@code until}; {@code :fail}: it knew that it did not. Records what came of renewals that are not in the history, such as those in the background</td></tr>
 * <tr><td>release</td><td>the lock is released; its holder stopped using it no later than at the invocation</td></tr>
 * <tr><td>write</td><td>the resource that the lock protects accepted a write with this fence; {@code :fail}: it refused</td></tr>
 * <tr><td>increment, final-count</td><td>a counter that the lock protects was raised by one, or read in the end, without fencing</td></tr>
 * <tr><td>lost, expire</td><td>the client was told that its lease ended by itself. A notice: it answers no invocation</td></tr>
 * <tr><td>resources</td><td>what a client's process uses at that time: numbers by any names. A notice; the report plots it</td></tr>
 * </table>
 *
 * <p>Operations of the nemesis: {@code start-NAME} begins the fault NAME and {@code stop-NAME} ends
 * it; plain {@code start} and {@code stop} take the name from the value's {@code fault}. Any other
 * {@code f} is a fault of a single moment.
 */
public final class Vocabulary {

  /** The operation that asks for a lock. */
  public static final String ACQUIRE = "acquire";

  /** The operation that prolongs a lease. */
  public static final String RENEW = "renew";

  /**
   * The record of what a client believes about a lock that it was granted. It asks nothing of the
   * lock service.
   */
  public static final String BELIEF = "belief";

  /** The operation that gives a lock back. */
  public static final String RELEASE = "release";

  /** The operation that writes to what the lock protects. */
  public static final String WRITE = "write";

  /** The operation that adds one to a counter that the lock protects. */
  public static final String INCREMENT = "increment";

  /** The operation by which that counter is read in the end. */
  public static final String FINAL_COUNT = "final-count";

  /** The notice that a lease ended before it was released. */
  public static final String LOST = "lost";

  /** The notice that a lease ended because its time was up. */
  public static final String EXPIRE = "expire";

  /** The notice of what a client's process uses: numbers by any names, beside the client. */
  public static final String RESOURCES = "resources";

  /** Key: the lock's name. */
  public static final String LOCK = "lock";

  /** Key: who asks. Where absent, the process is taken as the client. */
  public static final String CLIENT = "client";

  /** Key: the fencing token of the grant, a whole number. */
  public static final String FENCE = "fence";

  /** Key: the time to live of the lease, in whole milliseconds. */
  public static final String TTL = "ttl";

  /**
   * Key: until when the client believes to hold the lock, in nanoseconds on the clock of {@code
   * :time}. To err on the safe side, a recorder reads the clock <em>before</em> it asks the lease
   * how much time remains, and adds the two. A lock that hands a running lease on to the next
   * waiter needs this: the lease is then older than the call that got it.
   */
  public static final String UNTIL = "until";

  /** Key: the name of the fault that a plain {@code start} or {@code stop} of the nemesis means. */
  public static final String FAULT = "fault";

  /** Key: what a fault was done to. Faults of one name on different targets are told apart. */
  public static final String TARGET = "target";

  /** The operations of clients that are understood here; those of registers, too. */
  public static final Set<String> OPERATIONS =
      Set.of(
          ACQUIRE,
          RENEW,
          BELIEF,
          RELEASE,
          WRITE,
          INCREMENT,
          FINAL_COUNT,
          LOST,
          EXPIRE,
          RESOURCES,
          "read",
          "cas");

  /**
   * The operations that models of locks cover; whose plain value, where it is no map, is the name
   * of the lock.
   */
  public static final Set<String> LEASE_OPERATIONS =
      Set.of(ACQUIRE, RENEW, BELIEF, RELEASE, LOST, EXPIRE);

  /**
   * The order in which the keys of a value are written; other keys follow in alphabetical order.
   */
  static final List<String> KEYS = List.of(LOCK, CLIENT, FENCE, TTL, UNTIL, FAULT, TARGET);

  private Vocabulary() {}
}
