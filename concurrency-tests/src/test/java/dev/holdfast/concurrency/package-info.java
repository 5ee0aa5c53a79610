/**
 * The library's code between threads: races of two threads, which Lincheck's model checker and
 * jcstress run in many orders, on the library as it is and with faults planted in it.
 */
@NullMarked
package dev.holdfast.concurrency;

import org.jspecify.annotations.NullMarked;
