/**
 * Holdfast in Spring Boot applications: auto-configuration of a {@link
 * dev.holdfast.lock.LockManager}, and methods that run under a lock.
 */
@NullMarked
package dev.holdfast.lock.spring.boot;

import org.jspecify.annotations.NullMarked;
