package dev.holdfast.lock.kotlin

import dev.holdfast.lock.Lease
import dev.holdfast.lock.LockManager
import dev.holdfast.lock.LockOptions

// As the guide offers them for copying.

/** Runs the body while the lock is held, and returns what it returned. */
fun <T> LockManager.locked(lockId: String, body: (Lease) -> T): T =
  withLease<T, Exception>(lockId, body)

fun <T> LockManager.locked(lockId: String, options: LockOptions, body: (Lease) -> T): T =
  withLease<T, Exception>(lockId, options, body)

/** Runs the body unless another process holds the lock, and returns whether it ran. */
fun LockManager.tryLocked(lockId: String, body: () -> Unit): Boolean =
  tryWithLock<Exception>(lockId, body)

fun LockManager.tryLocked(lockId: String, options: LockOptions, body: () -> Unit): Boolean =
  tryWithLock<Exception>(lockId, options, body)
