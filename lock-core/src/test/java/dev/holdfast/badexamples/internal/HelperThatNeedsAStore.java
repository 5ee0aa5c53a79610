package dev.holdfast.badexamples.internal;

import dev.holdfast.badexamples.elasticsearch.StoreThatCallsTheEngine;

/** A helper is used by stores, and does not use them. */
public interface HelperThatNeedsAStore {
  StoreThatCallsTheEngine store();
}
