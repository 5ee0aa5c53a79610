package dev.holdfast.badexamples.micrometer;

import dev.holdfast.badexamples.store.SpiThatNeedsAStore;

/** A listener listens; it has no way to the store. */
public interface BindingThatWrites {
  SpiThatNeedsAStore store();
}
