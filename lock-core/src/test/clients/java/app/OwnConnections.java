package app;

import dev.holdfast.lock.elasticsearch.ElasticsearchLockStore;
import java.util.Arrays;

/** An application without a client of its own; its arguments are the index and the URLs. */
public final class OwnConnections {
  private OwnConnections() {}

  public static void main(String[] args) {
    String[] urls = Arrays.copyOfRange(args, 1, args.length);
    Locks.use("own connections", args[0], () -> ElasticsearchLockStore.builder(urls));
  }
}
