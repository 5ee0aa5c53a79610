package dev.holdfast.lock.store;

import java.io.Serializable;
import java.util.Objects;

/**
 * What a store assigns to each write of a record: within one incarnation, the pair of primary term
 * and sequence number of successive acknowledged writes to one record rises strictly, in
 * lexicographic order, also through failover. The sequence number alone does not.
 *
 * @param incarnation the life of the index in which the write was made
 * @param primaryTerm the term of the primary that made the write, 0 or more
 * @param seqNo the sequence number of the write, 0 or more
 */
public record Version(Incarnation incarnation, long primaryTerm, long seqNo)
    implements Serializable {
  /** Checks the parts. */
  public Version {
    Objects.requireNonNull(incarnation, "incarnation");
    if (primaryTerm < 0 || seqNo < 0) {
      throw new IllegalArgumentException(
          "primary term and sequence number must be 0 or more, but are "
              + primaryTerm
              + " and "
              + seqNo);
    }
  }

  /** Whether both were assigned in the same life of the index, so that they can be compared. */
  public boolean isComparableTo(Version other) {
    return incarnation.equals(other.incarnation);
  }

  /**
   * Whether this version was assigned before the other one. False for versions of different
   * incarnations, which have no order.
   */
  public boolean isOlderThan(Version other) {
    return isComparableTo(other)
        && (primaryTerm != other.primaryTerm
            ? primaryTerm < other.primaryTerm
            : seqNo < other.seqNo);
  }

  @Override
  public String toString() {
    return incarnation.id() + "/" + primaryTerm + "." + seqNo;
  }
}
