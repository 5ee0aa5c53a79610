package dev.holdfast.chaos.worker;

/**
 * The workload of each worker. Immutable.
 *
 * @param rules how locks are acquired and kept
 * @param cyclers who take a lock, use it for a moment, and release it
 * @param holders who hold a lock for long, beyond its TTL
 * @param leases how many more locks are held, all the time, without a thread for each
 * @param managers how many lock managers share the threads, each a client of its own
 * @param defect what is wrong with the clients
 * @param election whether each worker is a candidate of one leader election, unless it is broken
 */
public record Workload(
    Rules rules,
    Cyclers cyclers,
    Holders holders,
    int leases,
    int managers,
    Defect defect,
    boolean election) {

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
        1,
        Defect.NONE,
        true);
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
    return new Workload(others, cyclers, holders, leases, managers, defect, election);
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
    return new Workload(rules, cyclers, holders, leases, managers, defect, false);
  }

  /** Returns this with other cyclers. */
  public Workload with(Cyclers others) {
    return new Workload(rules, others, holders, leases, managers, defect, election);
  }

  /** Returns this with other holders. */
  public Workload with(Holders others) {
    return new Workload(rules, cyclers, others, leases, managers, defect, election);
  }

  /** Returns this with so many more locks held all the time. */
  public Workload withLeases(int held) {
    return new Workload(rules, cyclers, holders, held, managers, defect, election);
  }

  /** Returns this with so many clients a worker. */
  public Workload withManagers(int clients) {
    return new Workload(rules, cyclers, holders, leases, clients, defect, election);
  }

  /** Returns this with broken clients. */
  public Workload with(Defect wrong) {
    return new Workload(rules, cyclers, holders, leases, managers, wrong, election);
  }
}
