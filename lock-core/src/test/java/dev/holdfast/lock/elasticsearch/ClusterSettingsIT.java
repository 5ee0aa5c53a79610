package dev.holdfast.lock.elasticsearch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.holdfast.cluster.ElasticsearchNode;
import dev.holdfast.cluster.ElasticsearchVersion;
import dev.holdfast.lock.Lease;
import dev.holdfast.lock.LockManager;
import dev.holdfast.lock.LockOptions;
import dev.holdfast.lock.LockStoreUnavailableException;
import dev.holdfast.lock.ReleaseResult;
import java.time.Duration;
import java.util.Optional;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What docs/operations.md says of a full disk, and of a setting that is not supported. */
@Timeout(300)
@Tag("slow")
class ClusterSettingsIT {

  /** The block is the one that Elasticsearch sets when a disk passes its flood-stage watermark. */
  @Test
  void locks_atFloodStage_areUnavailableAndRetryable_andAReleaseIsUnconfirmed() throws Exception {
    try (LockCluster cluster = LockCluster.on(ElasticsearchVersion.V9)) {
      LockManager locks = cluster.manager();
      // Nothing renews it while the index is blocked, however slow the machine is.
      Lease lease = locks.acquire("held", LockOptions.defaults().withTtl(Duration.ofMinutes(10)));
      block(cluster, true);

      LockStoreUnavailableException failure =
          catchThrowableOfType(LockStoreUnavailableException.class, () -> locks.acquire("x"));
      assertThat(failure.isRetryable()).isTrue();
      assertThat(failure).hasMessageContainingAll("429", cluster.index());
      assertThat(lease.renew()).isFalse();
      assertThat(lease.release()).isEqualTo(ReleaseResult.UNCONFIRMED);
      assertThat(cluster.document("held")).as("left to its TTL").isPresent();

      block(cluster, false);
      locks.acquire("x").close();
    }
  }

  private static void block(LockCluster cluster, boolean blocked) {
    cluster.ok(
        "PUT",
        "/" + cluster.index() + "/_settings",
        "{\"index.blocks.read_only_allow_delete\":" + (blocked ? "true" : "null") + "}");
  }

  @Test
  void locks_whereBulksMustNotNameTheirIndex_areRefused_andTheMessageSaysWhy() throws Exception {
    Optional<String> reason = ElasticsearchNode.unsupportedReason(ElasticsearchVersion.V9);
    assumeTrue(reason.isEmpty(), () -> reason.orElse(""));
    try (ElasticsearchNode node =
            ElasticsearchNode.builder(ElasticsearchVersion.V9)
                .setting("rest.action.multi.allow_explicit_index", "false")
                .start();
        LockCluster cluster = LockCluster.at(node.httpUri())) {
      LockManager locks = cluster.manager();

      LockStoreUnavailableException failure =
          catchThrowableOfType(LockStoreUnavailableException.class, () -> locks.acquire("x"));

      assertThat(failure.isRetryable()).isFalse();
      assertThat(failure).hasMessageContainingAll("400", "explicit index in bulk is not allowed");
    }
  }
}
