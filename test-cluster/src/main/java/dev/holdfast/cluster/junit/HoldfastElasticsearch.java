package dev.holdfast.cluster.junit;

import dev.holdfast.cluster.ElasticsearchVersion;
import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Inherited;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * Gives a test class an Elasticsearch node of its own, which its tests and nested classes share. It
 * is started before the first of them and closed after the last. Constructors and methods of the
 * class have it as a parameter: as a {@link dev.holdfast.cluster.Node}, or as the {@link
 * java.net.URI} where it answers.
 *
 * <pre>{@code
 * @HoldfastElasticsearch
 * class ReindexTest {
 *   @Test
 *   void runsOnce(URI elasticsearch) { ... }
 * }
 * }</pre>
 *
 * <p>Where the machine does not allow it (no Docker, no JDK that is new enough), the class is
 * skipped, and the reason says what was looked for. A node that could run and does not start is a
 * failure.
 */
@Documented
@Inherited
@Target(ElementType.TYPE)
@Retention(RetentionPolicy.RUNTIME)
@ExtendWith(NodeExtension.class)
public @interface HoldfastElasticsearch {

  /**
   * The system property that decides where {@link #in} does not: {@code process} or {@code docker}.
   */
  String CLUSTER_PROPERTY = "holdfast.test.cluster";

  /** Returns which version runs. */
  ElasticsearchVersion version() default ElasticsearchVersion.V8;

  /** Returns where it runs. */
  Where in() default Where.CONFIGURED;

  /** Where a node runs. */
  enum Where {
    /** Where the system property {@value #CLUSTER_PROPERTY} says; in a process if it is not set. */
    CONFIGURED,
    /** In a process of this machine, from an unpacked distribution. */
    PROCESS,
    /** In a container; needs Docker and Testcontainers. */
    CONTAINER
  }
}
