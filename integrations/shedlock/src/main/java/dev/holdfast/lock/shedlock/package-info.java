/**
 * Holdfast as a lock provider of <a href="https://github.com/lukas-krecan/ShedLock">ShedLock</a>.
 */
@NullMarked
package dev.holdfast.lock.shedlock;

import org.jspecify.annotations.NullMarked;
