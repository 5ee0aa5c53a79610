package dev.holdfast.lock.elasticsearch;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.lock.store.ListResult;
import org.junit.jupiter.api.Test;

class OpenPointInTimeEndpointTest {
  /** {@link Answers} rejects a body there, and gives the id alone. */
  @Test
  void list_whereNoBodyIsTaken_andShardsAreNotCounted_hasAll() throws Exception {
    try (HttpFront server = HttpFront.alone(Answers::to);
        ElasticsearchLockStore store = ElasticsearchLockStore.builder(server.url()).build()) {
      assertThat(Answers.get(store.list(10))).isInstanceOf(ListResult.Listed.class);
    }
  }

  @Test
  void list_whereNoIdIsGiven_isUnavailable() throws Exception {
    try (HttpFront server =
            HttpFront.alone(
                request ->
                    request.path().endsWith("/_pit")
                        ? HttpFront.json(200, "{\"other\":[{}]}")
                        : Answers.to(request));
        ElasticsearchLockStore store = ElasticsearchLockStore.builder(server.url()).build()) {
      assertThat(Answers.get(store.list(10))).isInstanceOf(ListResult.Unavailable.class);
    }
  }
}
