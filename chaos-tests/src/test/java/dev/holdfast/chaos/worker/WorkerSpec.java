package dev.holdfast.chaos.worker;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.net.URI;
import java.util.List;

/**
 * The configuration of a worker, passed to it as JSON.
 *
 * @param client its name
 * @param lockUrls where it reaches the lock store
 * @param resourceUrls where it writes what the locks protect
 * @param names the indices
 * @param wallOffsetMillis by how much its wall clock is wrong
 * @param number its number among the writers of the history, from 0
 * @param writers how many there are
 * @param history the file that it makes
 * @param seed where its choices come from
 * @param workload what it does
 */
public record WorkerSpec(
    String client,
    List<URI> lockUrls,
    List<URI> resourceUrls,
    Names names,
    long wallOffsetMillis,
    int number,
    int writers,
    String history,
    long seed,
    Workload workload) {

  /**
   * The indices of a run.
   *
   * @param lockIndex where the locks are
   * @param lockAlias by which it is found
   * @param resourceIndex what they protect, one document a lock, written with fencing
   * @param counterIndex a counter a lock, written without
   */
  public record Names(
      String lockIndex, String lockAlias, String resourceIndex, String counterIndex) {

    /** Names for a run of this name, lower-case. */
    public static Names of(String run) {
      return new Names("locks-" + run + "-1", "locks-" + run, "resource-" + run, "counter-" + run);
    }

    /** Returns where others write as much as they can, in an overload. */
    public String floodIndex() {
      return resourceIndex + "-flood";
    }
  }

  /** Copies the lists. */
  public WorkerSpec {
    lockUrls = List.copyOf(lockUrls);
    resourceUrls = List.copyOf(resourceUrls);
  }

  String toJson() {
    try {
      return new ObjectMapper().writeValueAsString(this);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("a record of plain values is always serialisable", e);
    }
  }

  static WorkerSpec parse(String json) throws JsonProcessingException {
    return new ObjectMapper().readValue(json, WorkerSpec.class);
  }
}
