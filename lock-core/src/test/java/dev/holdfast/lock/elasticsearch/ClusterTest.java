package dev.holdfast.lock.elasticsearch;

import dev.holdfast.cluster.ElasticsearchVersion;
import dev.holdfast.lock.LockOptions;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

/** A test on a real node of each version that is tested. */
@ParameterizedClass
@MethodSource(TestedVersions.ALL)
abstract class ClusterTest {
  /** For calls that are to succeed in the end, however slow the machine is. */
  static final LockOptions PATIENT = LockOptions.defaults().withWaitTimeout(Duration.ofSeconds(30));

  final LockCluster cluster;

  ClusterTest(ElasticsearchVersion version) {
    cluster = LockCluster.on(version);
  }

  @AfterEach
  final void closeCluster() {
    cluster.close();
  }
}
