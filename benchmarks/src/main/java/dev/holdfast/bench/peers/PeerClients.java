package dev.holdfast.bench.peers;

import static java.nio.charset.StandardCharsets.UTF_8;

import co.elastic.clients.transport.ElasticsearchTransport;
import com.amazonaws.services.dynamodbv2.AcquireLockOptions;
import com.amazonaws.services.dynamodbv2.AmazonDynamoDBLockClient;
import com.amazonaws.services.dynamodbv2.AmazonDynamoDBLockClientOptions;
import com.amazonaws.services.dynamodbv2.CreateDynamoDBTableOptions;
import com.amazonaws.services.dynamodbv2.LockItem;
import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.holdfast.lock.Lease;
import dev.holdfast.lock.LockManager;
import dev.holdfast.lock.LockOptions;
import dev.holdfast.lock.ReleaseResult;
import io.etcd.jetcd.ByteSequence;
import io.etcd.jetcd.Client;
import io.etcd.jetcd.lease.LeaseKeepAliveResponse;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.net.URI;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import net.javacrumbs.shedlock.core.LockConfiguration;
import net.javacrumbs.shedlock.core.SimpleLock;
import net.javacrumbs.shedlock.provider.jdbc.JdbcLockProvider;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.framework.recipes.locks.InterProcessMutex;
import org.apache.curator.retry.RetryOneTime;
import org.redisson.Redisson;
import org.redisson.api.RLock;
import org.redisson.api.RedissonClient;
import org.redisson.config.Config;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.http.apache5.Apache5HttpClient;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.dynamodb.DynamoDbClient;
import software.amazon.awssdk.services.dynamodb.model.ProvisionedThroughput;

/** The clients, each used as its manual says, with a TTL of 30 s where there is one. */
final class PeerClients {
  private static final Duration TTL = LockOptions.defaults().ttl();

  private PeerClients() {}

  static final class Holdfast implements PeerClient {
    private static final LockOptions PATIENT =
        LockOptions.defaults().withWaitTimeout(Duration.ofMinutes(5));

    private final ElasticsearchTransport transport = Server.transport();
    private final LockManager locks = LockManager.create(Server.store(transport));

    @Override
    public PeerGrant acquire(String lockId) throws InterruptedException {
      Lease lease = locks.acquire(lockId, PATIENT);
      return () -> {
        ReleaseResult result = lease.release();
        if (result != ReleaseResult.RELEASED) {
          throw new IllegalStateException("not released: " + result);
        }
      };
    }

    @Override
    public void close() throws IOException {
      locks.close();
      transport.close();
    }
  }

  static final class Curator implements PeerClient {
    private final CuratorFramework client;

    Curator(String address) {
      client = CuratorFrameworkFactory.newClient(address, new RetryOneTime(100));
      client.start();
    }

    @Override
    public PeerGrant acquire(String lockId) throws Exception {
      InterProcessMutex mutex = new InterProcessMutex(client, "/locks/" + lockId);
      mutex.acquire();
      return mutex::release;
    }

    @Override
    public void close() {
      client.close();
    }
  }

  static final class Etcd implements PeerClient {
    private final Client client;

    /** One for each thread: locks under one lease do not exclude each other. */
    private final ConcurrentHashMap<Thread, Long> leases = new ConcurrentHashMap<>();

    Etcd(String address) {
      client = Client.builder().endpoints(address).build();
    }

    @Override
    public PeerGrant acquire(String lockId) throws InterruptedException, ExecutionException {
      Long lease = leases.get(Thread.currentThread());
      if (lease == null) {
        lease = client.getLeaseClient().grant(TTL.toSeconds()).get().getID();
        leases.put(Thread.currentThread(), lease);
        var unused = client.getLeaseClient().keepAlive(lease, new Deaf());
      }
      ByteSequence key =
          client.getLockClient().lock(ByteSequence.from(lockId, UTF_8), lease).get().getKey();
      return () -> {
        var unused = client.getLockClient().unlock(key).get();
      };
    }

    @Override
    public void close() {
      // Its leases end with their heartbeats.
      client.close();
    }

    /** A lease that is lost shows in the next operation. */
    private static final class Deaf implements StreamObserver<LeaseKeepAliveResponse> {
      @Override
      public void onNext(LeaseKeepAliveResponse response) {}

      @Override
      public void onError(Throwable failure) {}

      @Override
      public void onCompleted() {}
    }
  }

  static final class Redis implements PeerClient {
    private final RedissonClient client;

    Redis(String address) {
      Config config = new Config();
      config.useSingleServer().setAddress(address);
      client = Redisson.create(config);
    }

    @Override
    public PeerGrant acquire(String lockId) {
      RLock lock = client.getLock(lockId);
      lock.lock();
      return lock::unlock;
    }

    @Override
    public void close() {
      client.shutdown();
    }
  }

  static final class ShedLock implements PeerClient {
    private static final int CONNECTIONS = 64;

    private final HikariDataSource database;
    private final JdbcLockProvider locks;

    ShedLock(String address) throws SQLException {
      HikariConfig config = new HikariConfig();
      config.setJdbcUrl(address);
      config.setMaximumPoolSize(CONNECTIONS);
      database = new HikariDataSource(config);
      try (Connection connection = database.getConnection();
          Statement statement = connection.createStatement()) {
        // As its manual has it.
        statement.execute(
            "CREATE TABLE IF NOT EXISTS shedlock(name VARCHAR(64) NOT NULL, lock_until TIMESTAMP"
                + " NOT NULL, locked_at TIMESTAMP NOT NULL, locked_by VARCHAR(255) NOT NULL,"
                + " PRIMARY KEY (name))");
      }
      locks = new JdbcLockProvider(database);
    }

    @Override
    public PeerGrant acquire(String lockId) throws InterruptedException {
      while (true) {
        Optional<SimpleLock> lock =
            locks.lock(new LockConfiguration(Instant.now(), lockId, TTL, Duration.ZERO));
        if (lock.isPresent()) {
          return lock.get()::unlock;
        }
        Thread.sleep(1);
      }
    }

    @Override
    public void close() {
      database.close();
    }
  }

  static final class DynamoDb implements PeerClient {
    private static final int CONNECTIONS = 64;
    private static final String TABLE = "locks";

    private final DynamoDbClient database;
    private final AmazonDynamoDBLockClient locks;

    DynamoDb(String address) {
      database =
          DynamoDbClient.builder()
              .endpointOverride(URI.create(address))
              .region(Region.US_EAST_1)
              // It takes any.
              .credentialsProvider(
                  StaticCredentialsProvider.create(AwsBasicCredentials.create("any", "any")))
              .httpClientBuilder(Apache5HttpClient.builder().maxConnections(CONNECTIONS))
              .build();
      if (!database.listTables().tableNames().contains(TABLE)) {
        AmazonDynamoDBLockClient.createLockTableInDynamoDB(
            CreateDynamoDBTableOptions.builder(
                    database,
                    ProvisionedThroughput.builder()
                        .readCapacityUnits(1_000L)
                        .writeCapacityUnits(1_000L)
                        .build(),
                    TABLE)
                .build());
      }
      locks =
          new AmazonDynamoDBLockClient(
              AmazonDynamoDBLockClientOptions.builder(database, TABLE)
                  .withTimeUnit(TimeUnit.SECONDS)
                  .withLeaseDuration(TTL.toSeconds())
                  .withHeartbeatPeriod(TTL.toSeconds() / 3)
                  .withCreateHeartbeatBackgroundThread(true)
                  .build());
    }

    @Override
    public PeerGrant acquire(String lockId) throws InterruptedException {
      LockItem lock =
          locks.acquireLock(
              AcquireLockOptions.builder(lockId)
                  .withDeleteLockOnRelease(true)
                  .withTimeUnit(TimeUnit.MILLISECONDS)
                  .withRefreshPeriod(10L)
                  .withAdditionalTimeToWaitForLock(TimeUnit.MINUTES.toMillis(5))
                  .build());
      return () -> {
        if (!locks.releaseLock(lock)) {
          throw new IllegalStateException("not released: " + lock);
        }
      };
    }

    @Override
    public void close() throws IOException {
      locks.close();
      database.close();
    }
  }
}
