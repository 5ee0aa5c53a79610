package dev.holdfast.chaos.toxiproxy;

import java.util.Locale;
import java.util.Optional;

/** The direction of a stream: what the client sends, or what it is sent. */
enum Direction {
  /** From the client to the upstream server. */
  UPSTREAM,
  /** From the upstream server to the client. */
  DOWNSTREAM;

  /** The direction of that name, in any case. */
  static Optional<Direction> of(String stream) {
    return switch (stream.toLowerCase(Locale.ROOT)) {
      case "upstream" -> Optional.of(UPSTREAM);
      case "downstream" -> Optional.of(DOWNSTREAM);
      default -> Optional.empty();
    };
  }
}
