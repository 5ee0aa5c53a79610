package dev.holdfast.cluster;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Objects;
import java.util.Properties;

/**
 * The supported major versions of Elasticsearch.
 *
 * <p>Which release of each is used is up to the build, which unpacks it; {@link #number()} tells.
 */
public enum ElasticsearchVersion {
  /** Elasticsearch 8, which runs on Java 17 or later. */
  V8(8, 17),
  /** Elasticsearch 9, which runs on Java 21 or later. */
  V9(9, 21);

  private final int major;
  private final int minimumJava;

  ElasticsearchVersion(int major, int minimumJava) {
    this.major = major;
    this.minimumJava = minimumJava;
  }

  /** Returns the major version, for example 9. */
  public int major() {
    return major;
  }

  /** Returns the lowest feature version of Java that this version runs on, for example 21. */
  public int minimumJava() {
    return minimumJava;
  }

  /**
   * Returns the full version of the unpacked distribution, for example {@code 9.5.3}.
   *
   * @throws IllegalStateException if the distribution is not found; the message says what to run
   */
  public String number() {
    return Distributions.versionOf(distribution());
  }

  /** Returns the full version that the build uses, unpacked or not, for example {@code 9.5.3}. */
  String release() {
    Properties releases = new Properties();
    try (InputStream in = ElasticsearchVersion.class.getResourceAsStream("releases.properties")) {
      releases.load(Objects.requireNonNull(in));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return Objects.requireNonNull(releases.getProperty(Integer.toString(major)));
  }

  /** Returns the folder of the unpacked distribution, or throws what {@link #number()} throws. */
  public Path distribution() {
    return Distributions.locate().find(this);
  }
}
