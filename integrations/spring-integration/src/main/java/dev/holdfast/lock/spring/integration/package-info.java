/** Holdfast as a lock registry of Spring Integration. */
@NullMarked
package dev.holdfast.lock.spring.integration;

import org.jspecify.annotations.NullMarked;
