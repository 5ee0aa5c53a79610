package dev.holdfast.lock;

import dev.holdfast.lock.internal.Texts;
import dev.holdfast.lock.store.Version;
import java.io.Serializable;
import java.util.Comparator;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A number that rises with every grant of a lock. A resource that remembers the highest one it has
 * seen can reject a holder whose lease ended without its noticing, see Kleppmann, "How to do
 * distributed locking" (2016).
 *
 * <p>Its parts, in the order in which they count: the era (an operator raises it when the lock
 * index is re-created), the primary term and sequence number that Elasticsearch gave to the write
 * that won the lock, and the number of the handoff within the process since that write. Immutable.
 *
 * @param era 0 to 2,147,483,647
 * @param primaryTerm 0 or more
 * @param seqNo 0 or more
 * @param handoff 0 to 1023
 */
public record FencingToken(int era, long primaryTerm, long seqNo, int handoff)
    implements Comparable<FencingToken>, Serializable {
  /** The highest number of handoffs between two writes. */
  public static final int MAX_HANDOFF = 1023;

  private static final int TERM_BITS = 12;
  private static final int SEQ_NO_BITS = 37;
  private static final int HANDOFF_BITS = 10;
  private static final int ERA_BITS = 4;

  private static final Comparator<FencingToken> ORDER =
      Comparator.comparingInt(FencingToken::era)
          .thenComparingLong(FencingToken::primaryTerm)
          .thenComparingLong(FencingToken::seqNo)
          .thenComparingInt(FencingToken::handoff);

  private static final Pattern TEXT =
      Pattern.compile("([0-9a-f]{8})-([0-9a-f]{16})-([0-9a-f]{16})-([0-9a-f]{3})");

  /**
   * Checks the parts.
   *
   * @throws IllegalArgumentException if a part is out of its range
   */
  public FencingToken {
    if (era < 0 || primaryTerm < 0 || seqNo < 0) {
      throw new IllegalArgumentException(
          "era, primary term and sequence number must be 0 or more, but are "
              + era
              + ", "
              + primaryTerm
              + ", "
              + seqNo);
    }
    if (handoff < 0 || handoff > MAX_HANDOFF) {
      throw new IllegalArgumentException(
          "handoff must be from 0 to " + MAX_HANDOFF + ", but is " + handoff);
    }
  }

  static FencingToken of(Version version, int handoff) {
    return new FencingToken(
        version.incarnation().era(), version.primaryTerm(), version.seqNo(), handoff);
  }

  @Override
  public int compareTo(FencingToken other) {
    return ORDER.compare(this, other);
  }

  /**
   * The same order in one positive number, for resources that compare longs: 4 bits of era, 12 of
   * primary term, 37 of sequence number, 10 of handoff.
   *
   * @throws ArithmeticException if a part does not fit; its message says what to do
   */
  public long toLong() {
    fit("era", era, ERA_BITS, "fence by toString(), which has room for every era");
    fit(
        "primary term",
        primaryTerm,
        TERM_BITS,
        "re-create the lock index with a raised fencing era, or fence by toString()");
    fit(
        "sequence number",
        seqNo,
        SEQ_NO_BITS,
        "re-create the lock index with a raised fencing era, or fence by toString()");
    return ((((long) era << TERM_BITS | primaryTerm) << SEQ_NO_BITS) | seqNo) << HANDOFF_BITS
        | handoff;
  }

  private static void fit(String part, long value, int bits, String remedy) {
    if (value >= 1L << bits) {
      throw new ArithmeticException(
          "the fencing token's "
              + part
              + " "
              + value
              + " does not fit into "
              + bits
              + " bits: "
              + remedy);
    }
  }

  /** A text of fixed width in the same order, such as for a keyword field or a SQL column. */
  @Override
  public String toString() {
    return String.format("%08x-%016x-%016x-%03x", era, primaryTerm, seqNo, handoff);
  }

  /**
   * The token that {@link #toString} wrote.
   *
   * @throws IllegalArgumentException if the text is not of that form
   */
  public static FencingToken parse(String text) {
    Objects.requireNonNull(text, "text");
    Matcher matcher = TEXT.matcher(text);
    if (!matcher.matches()) {
      throw new IllegalArgumentException(
          "not a fencing token: \""
              + Texts.printable(text)
              + "\"; expected 8-16-16-3 lower-case hexadecimal digits");
    }
    try {
      return new FencingToken(
          Integer.parseInt(matcher.group(1), 16),
          Long.parseLong(matcher.group(2), 16),
          Long.parseLong(matcher.group(3), 16),
          Integer.parseInt(matcher.group(4), 16));
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException(
          "not a fencing token: \"" + Texts.printable(text) + "\"", e);
    }
  }
}
