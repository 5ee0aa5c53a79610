@NullMarked
package dev.holdfast.lock.shedlock;

import org.jspecify.annotations.NullMarked;
