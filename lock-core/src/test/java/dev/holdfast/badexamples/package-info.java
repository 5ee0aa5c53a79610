/**
 * A project laid out as the library is, in which everything breaks a rule: each of its classes
 * shows that one rule of the architecture test can fail.
 */
package dev.holdfast.badexamples;
