package dev.holdfast.chaos.toxiproxy;

/** A request that is answered with an error. */
final class ApiException extends RuntimeException {

  private static final long serialVersionUID = 1L;

  private final int status;

  ApiException(int status, String message) {
    super(message);
    this.status = status;
  }

  static ApiException badBody(String detail) {
    return new ApiException(400, "bad request body: " + detail);
  }

  /** Returns what the real server answers to any error that has no status of its own. */
  static ApiException internal(String message) {
    return new ApiException(500, message);
  }

  int status() {
    return status;
  }

  String text() {
    return String.valueOf(getMessage());
  }
}
