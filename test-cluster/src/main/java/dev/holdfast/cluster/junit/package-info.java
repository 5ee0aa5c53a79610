/** A node for a JUnit test, in a process or in a container. Needs JUnit Jupiter 6. */
@NullMarked
package dev.holdfast.cluster.junit;

import org.jspecify.annotations.NullMarked;
