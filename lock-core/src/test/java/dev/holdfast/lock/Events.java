package dev.holdfast.lock;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;

/** Keeps what a listener was told, as texts such as {@code acquired a}. Thread-safe. */
final class Events implements LockListener {
  private final List<String> told = Collections.synchronizedList(new ArrayList<>());

  /** All of them. */
  List<String> all() {
    return List.copyOf(told);
  }

  /** How often exactly this was told. */
  long count(String event) {
    return all().stream().filter(event::equals).count();
  }

  void clear() {
    told.clear();
  }

  @Override
  public void acquired(String lockId, FencingToken fencingToken, Duration waited) {
    told.add("acquired " + lockId);
  }

  @Override
  public void takenOver(String lockId, LockInfo previous) {
    told.add("takenOver " + lockId + " from " + previous.owner());
  }

  @Override
  public void contended(String lockId, Optional<LockInfo> holder, Duration waited) {
    told.add("contended " + lockId);
  }

  @Override
  public void unavailable(String lockId, Throwable cause, Duration waited) {
    told.add("unavailable " + lockId);
  }

  @Override
  public void waiting(String lockId, Optional<LockInfo> holder) {
    told.add("waiting " + lockId);
  }

  @Override
  public void renewed(String lockId, Duration took) {
    told.add("renewed " + lockId);
  }

  @Override
  public void renewalFailed(String lockId, Throwable cause, Duration took, Duration remaining) {
    told.add("renewalFailed " + lockId);
  }

  @Override
  public void lost(String lockId, LeaseLostException loss, Duration held) {
    told.add("lost " + lockId);
  }

  @Override
  public void released(String lockId, ReleaseResult result, Duration held) {
    told.add("released " + lockId + " " + result);
  }
}
