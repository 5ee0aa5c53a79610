/** What the tests of integrations share: an index of their own, JVMs, and documented examples. */
@NullMarked
package dev.holdfast.testing;

import org.jspecify.annotations.NullMarked;
