package dev.holdfast.chaos.toxiproxy;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * The kinds of toxics, their attributes in the order in which they are shown, and their effects.
 */
@SuppressWarnings("ImmutableEnumChecker") // They are; the types just do not say so.
enum ToxicType {
  NOOP(() -> ToxicStage::pass),
  LATENCY(LatencyEffect::new, "latency", "jitter"),
  BANDWIDTH(BandwidthEffect::new, "rate"),
  SLOW_CLOSE(SlowCloseEffect::new, "delay"),
  TIMEOUT(TimeoutEffect::new, "timeout"),
  RESET_PEER(ResetPeerEffect::new, "timeout"),
  SLICER(SlicerEffect::new, "average_size", "size_variation", "delay"),
  LIMIT_DATA(LimitDataEffect::new, "bytes");

  private final Supplier<Effect> effects;
  private final List<String> attributes;

  ToxicType(Supplier<Effect> effects, String... attributes) {
    this.effects = effects;
    this.attributes = List.of(attributes);
  }

  static Optional<ToxicType> of(String text) {
    return Arrays.stream(values()).filter(type -> type.text().equals(text)).findFirst();
  }

  String text() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** The names of the attributes, all of which are integers. */
  List<String> attributes() {
    return attributes;
  }

  /** A new effect, for one direction of one connection. */
  Effect newEffect() {
    return effects.get();
  }
}
