package dev.holdfast.lock;

/**
 * What a manager tracks at one moment, for gauges. Counted without stopping anything: the numbers
 * may be of slightly different moments.
 *
 * @param locks that are held or waited for here, or whose last request is still out
 * @param observed records of other holders that are remembered, to see whether they stand still
 * @param cleanUps acquisitions that have ended, and whose record might still appear
 */
public record LockManagerStats(int locks, int observed, int cleanUps) {}
