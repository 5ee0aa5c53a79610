package dev.holdfast.bench.ttl;

/** Thrown when nothing can be measured; the message is for the user. */
final class MeasurementException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  MeasurementException(String message) {
    super(message);
  }

  MeasurementException(String message, Throwable cause) {
    super(message, cause);
  }
}
