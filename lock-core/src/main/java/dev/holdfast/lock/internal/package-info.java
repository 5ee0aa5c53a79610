/**
 * Helpers that the packages of this library share. Not API: any of it may change or go at any time.
 */
@NullMarked
package dev.holdfast.lock.internal;

import org.jspecify.annotations.NullMarked;
