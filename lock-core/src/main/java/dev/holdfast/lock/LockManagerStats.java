package dev.holdfast.lock;

/**
 * Counts of what a manager tracks at one moment, for gauges. Counted without stopping anything: the
 * numbers may be of slightly different moments.
 *
 * @param locks that are held or waited for here, or whose last request is still out
 * @param held locks that are held here: granted, and neither lost nor released yet
 * @param waiting calls that want a lock and have no outcome yet, their first attempt included; not
 *     those that wait for a thread of this process ({@link LockManager#asLock}) or for a permit
 * @param lingering locks that are kept here without a holder, for the next acquisition
 * @param observed records of other holders that are remembered, to see whether they change
 * @param cleanUps acquisitions that have ended, and whose record might still appear
 * @param droppedEvents events that listeners missed because they were too far behind
 */
public record LockManagerStats(
    int locks,
    int held,
    int waiting,
    int lingering,
    int observed,
    int cleanUps,
    long droppedEvents) {}
