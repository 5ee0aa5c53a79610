/** Holdfast as a lock registry of Spring Integration. */
@NullMarked
package dev.holdfast.spring.integration;

import org.jspecify.annotations.NullMarked;
