package dev.holdfast.lock.elasticsearch;

import java.util.ArrayList;
import java.util.List;
import org.apache.hc.core5.concurrent.Cancellable;
import org.apache.hc.core5.concurrent.CancellableDependency;

/**
 * All that a request depends on, and that ends with it when it is cancelled. The client's own
 * (httpclient5 5.6.3) keeps the last only; for a request on a connection that was there already,
 * that is the connection's lease, which has been granted: a cancel then does nothing, and a server
 * that sends a byte now and then keeps the connection for ever. Thread-safe.
 */
final class Cancellation implements CancellableDependency {
  // Guarded by this.
  private final List<Cancellable> dependencies = new ArrayList<>();
  private boolean cancelled;

  @Override
  public void setDependency(Cancellable dependency) {
    synchronized (this) {
      if (!cancelled) {
        dependencies.add(dependency);
        return;
      }
    }
    dependency.cancel();
  }

  @Override
  public synchronized boolean isCancelled() {
    return cancelled;
  }

  @Override
  public boolean cancel() {
    List<Cancellable> all;
    synchronized (this) {
      if (cancelled) {
        return false;
      }
      cancelled = true;
      all = List.copyOf(dependencies);
    }
    all.forEach(Cancellable::cancel);
    return true;
  }
}
