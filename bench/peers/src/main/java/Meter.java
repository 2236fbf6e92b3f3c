// SPDX-License-Identifier: Apache-2.0
import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.Statement;
import java.util.Collection;
import java.util.Locale;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;

/** What every peer is measured with: a database, its WAL, a clock. Prints "FIGURE VALUE" lines. */
final class Meter {
  private final Connection connection;
  private long wal;
  private long began;

  Meter(String url) throws Exception {
    connection = DriverManager.getConnection(url, "pawl", "pawl");
  }

  static HikariDataSource pool(String url, int size) {
    HikariConfig config = new HikariConfig();
    config.setJdbcUrl(url);
    config.setUsername("pawl");
    config.setPassword("pawl");
    config.setMaximumPoolSize(size);
    return new HikariDataSource(config);
  }

  static void print(String figure, double value) {
    System.out.printf(Locale.ROOT, "%s %.1f%n", figure, value);
  }

  long one(String query) throws Exception {
    try (Statement statement = connection.createStatement();
        ResultSet rows = statement.executeQuery(query)) {
      rows.next();
      return rows.getLong(1);
    }
  }

  private long walNow() throws Exception {
    return one("select pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint");
  }

  void begin() throws Exception {
    wal = walNow();
    began = System.nanoTime();
  }

  /** walFigure: null, or what the WAL bytes a unit are called (full-page images included). */
  void end(String figure, long units, String walFigure) throws Exception {
    double seconds = (System.nanoTime() - began) / 1e9;
    print(figure, units / seconds);
    if (walFigure != null) {
      print(walFigure, (double) (walNow() - wal) / units);
    }
  }

  static void lateness(String figure, Collection<Long> millis) {
    long[] sorted = millis.stream().mapToLong(x -> x).sorted().toArray();
    if (sorted.length != 0) {
      print(figure + "-p50-ms", sorted[sorted.length / 2]);
      print(figure + "-p99-ms", sorted[(int) (sorted.length * 0.99)]);
    }
  }

  interface Work {
    void accept(int i) throws Exception;
  }

  /** work(0) … work(n - 1) by so many threads. */
  static void many(int threads, int n, Work work) throws Exception {
    ExecutorService pool = Executors.newFixedThreadPool(threads);
    AtomicInteger next = new AtomicInteger();
    AtomicReference<Exception> failed = new AtomicReference<>();
    for (int t = 0; t < threads; t++) {
      pool.submit(
          () -> {
            int i;
            while ((i = next.getAndIncrement()) < n && failed.get() == null) {
              try {
                work.accept(i);
              } catch (Exception e) {
                failed.set(e);
              }
            }
          });
    }
    pool.shutdown();
    pool.awaitTermination(20, TimeUnit.MINUTES);
    if (failed.get() != null) {
      throw failed.get();
    }
  }
}
