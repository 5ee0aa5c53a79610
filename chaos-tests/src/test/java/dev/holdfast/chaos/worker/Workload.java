package dev.holdfast.chaos.worker;

/**
 * The workload of each worker. Immutable.
 *
 * @param rules how locks are acquired and kept
 * @param cyclers who take a lock, use it for a moment, and release it
 * @param holders who hold a lock for long, beyond its TTL
 * @param lingerers how many threads take a lock of their own again and again, which stays with the
 *     client in between; clients look at those of others
 * @param leases how many more locks are held, all the time, without a thread for each
 * @param managers how many lock managers share the threads, each a client of its own
 * @param defect what is wrong with the clients
 * @param election whether each worker is a candidate of one leader election
 * @param environment what the clients run in
 */
public record Workload(
    Rules rules,
    Cyclers cyclers,
    Holders holders,
    int lingerers,
    int leases,
    int managers,
    Defect defect,
    Election election,
    Environment environment) {

  /** The number of workers at a time, {@code c1} to {@code c3} where none was replaced. */
  public static final int CLIENTS = 3;

  /** Whether each worker is a candidate of one leader election among all of them. */
  public enum Election {
    /** It is not. */
    NONE,
    /** It is, and a leader steps down after a while; but not if the worker is broken. */
    TERMS,
    /** It is, and a leader leads until it loses the lock. */
    UNTIL_LOST
  }

  /**
   * What the clients run in.
   *
   * @param springBoot whether each worker is an application of Spring Boot, whose lock manager is
   *     the one that it was configured with
   * @param callbackThreads how many threads and places in its queue the executor for callbacks has;
   *     0 for the lock manager's own threads
   * @param clocks whether the worker has clocks of its own, which can be slewed
   */
  public record Environment(boolean springBoot, int callbackThreads, boolean clocks) {
    static final Environment PLAIN = new Environment(false, 0, false);
  }

  /**
   * Settings for acquiring and keeping locks.
   *
   * @param ttlMillis the leases' TTL
   * @param skewMillis by how much wall clocks may differ
   * @param calendar whether the calendar rule is on
   * @param waitMillis how long an acquisition waits at most
   * @param lingering whether some of the locks stay with their client after a release
   */
  public record Rules(
      long ttlMillis, long skewMillis, boolean calendar, long waitMillis, boolean lingering) {}

  /**
   * Threads that take a lock, use it for a moment, and release it.
   *
   * @param threads how many
   * @param locks how many locks they choose from
   * @param thinkMillis the mean pause after it
   */
  public record Cyclers(int threads, int locks, long thinkMillis) {}

  /**
   * Threads that hold a lock for long.
   *
   * @param threads how many
   * @param locks how many locks they choose from
   * @param holdMillis for how long at most, but for one that is kept
   * @param firstIsKept whether the first of the locks is renewed and held until it is lost
   */
  public record Holders(int threads, int locks, long holdMillis, boolean firstIsKept) {}

  /** Some threads and locks; TTLs of 3 s, and some locks held for up to two of them. */
  public static Workload standard() {
    return new Workload(
        new Rules(3_000, 2_000, true, 2_000, true),
        new Cyclers(8, 12, 20),
        new Holders(2, 2, 6_000, false),
        0,
        0,
        1,
        Defect.NONE,
        Election.TERMS,
        Environment.PLAIN);
  }

  /** Returns this with another TTL, locks being held for up to twice as long. */
  public Workload withTtlMillis(long ttlMillis) {
    return with(new Rules(
            ttlMillis, rules.skewMillis(), rules.calendar(), rules.waitMillis(), rules.lingering()))
        .with(
            new Holders(holders.threads(), holders.locks(), 2 * ttlMillis, holders.firstIsKept()));
  }

  /** Returns this with other rules. */
  public Workload with(Rules others) {
    return new Workload(
        others, cyclers, holders, lingerers, leases, managers, defect, election, environment);
  }

  /** Returns this without the calendar rule. */
  public Workload withoutCalendar() {
    return with(
        new Rules(
            rules.ttlMillis(), rules.skewMillis(), false, rules.waitMillis(), rules.lingering()));
  }

  /** Returns this without locks that linger. */
  public Workload withoutLingering() {
    return with(
        new Rules(
            rules.ttlMillis(), rules.skewMillis(), rules.calendar(), rules.waitMillis(), false));
  }

  /** Returns this without a leader election. */
  public Workload withoutElection() {
    return with(Election.NONE);
  }

  /** Returns this with other cyclers. */
  public Workload with(Cyclers others) {
    return new Workload(
        rules, others, holders, lingerers, leases, managers, defect, election, environment);
  }

  /** Returns this with other holders. */
  public Workload with(Holders others) {
    return new Workload(
        rules, cyclers, others, lingerers, leases, managers, defect, election, environment);
  }

  /** Returns this with so many more locks held all the time. */
  public Workload withLeases(int held) {
    return new Workload(
        rules, cyclers, holders, lingerers, held, managers, defect, election, environment);
  }

  /** Returns this with so many clients a worker. */
  public Workload withManagers(int clients) {
    return new Workload(
        rules, cyclers, holders, lingerers, leases, clients, defect, election, environment);
  }

  /** Returns this with broken clients. */
  public Workload with(Defect wrong) {
    return new Workload(
        rules, cyclers, holders, lingerers, leases, managers, wrong, election, environment);
  }

  /** Returns this with another leader election. */
  public Workload with(Election other) {
    return new Workload(
        rules, cyclers, holders, lingerers, leases, managers, defect, other, environment);
  }

  /** Returns this with so many threads that take a lock again and again that lingers meanwhile. */
  public Workload withLingerers(int threads) {
    return new Workload(
        rules, cyclers, holders, threads, leases, managers, defect, election, environment);
  }

  /** Returns this in another environment. */
  public Workload in(Environment other) {
    return new Workload(
        rules, cyclers, holders, lingerers, leases, managers, defect, election, other);
  }
}
