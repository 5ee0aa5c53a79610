/**
 * Histories of what the users of a distributed lock asked for and what they were told, in the
 * format of <a href="https://github.com/jepsen-io/history">Jepsen</a>: written by many processes,
 * crash-safe, merged by time.
 *
 * <p>A worker {@linkplain dev.holdfast.history.HistoryWriter.Recorder#invoke invokes} an operation
 * and later records one completion of it: {@code :ok} (it happened), {@code :fail} (it certainly
 * did not happen) or {@code :info} (nobody knows, now or ever). From the operations, {@link
 * dev.holdfast.history.History} pairs the calls, {@link dev.holdfast.history.Tenure} works out who
 * held which lock when, and {@link dev.holdfast.history.FaultInterval} what was broken meanwhile.
 * {@link dev.holdfast.history.Vocabulary} lists the names that carry meaning.
 *
 * <p>Nothing here knows any lock implementation, so a saved history can be checked by anyone,
 * anywhere.
 */
@NullMarked
package dev.holdfast.history;

import org.jspecify.annotations.NullMarked;
