@NullMarked
package dev.holdfast.lock.spring.integration;

import org.jspecify.annotations.NullMarked;
