package dev.holdfast.badexamples.store;

import dev.holdfast.badexamples.elasticsearch.StoreThatCallsTheEngine;

/** An interface does not know who implements it. */
public interface SpiThatNeedsAStore {
  StoreThatCallsTheEngine store();
}
