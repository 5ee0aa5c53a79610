package dev.holdfast.lock.store;

import java.io.Serializable;
import java.util.Objects;

/**
 * One life of the lock index, from its creation to its deletion.
 *
 * <p>Primary terms and sequence numbers start over when an index is deleted and re-created, so
 * versions are only comparable within one incarnation.
 *
 * @param id a name that no other life of this index ever had
 * @param era the part of a fencing token that an operator raises when the index is re-created, 0 or
 *     more
 */
public record Incarnation(String id, int era) implements Serializable {
  /** Checks the parts. */
  public Incarnation {
    Objects.requireNonNull(id, "id");
    if (id.isEmpty()) {
      throw new IllegalArgumentException("an incarnation's id must not be empty");
    }
    if (era < 0) {
      throw new IllegalArgumentException("an era must be 0 or more, but is " + era);
    }
  }
}
