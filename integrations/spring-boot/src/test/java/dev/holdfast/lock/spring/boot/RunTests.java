package dev.holdfast.lock.spring.boot;

import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;

import co.elastic.clients.elasticsearch.ElasticsearchClient;
import java.io.PrintWriter;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.platform.launcher.Launcher;
import org.junit.platform.launcher.LauncherDiscoveryRequest;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;
import org.junit.platform.launcher.listeners.SummaryGeneratingListener;
import org.springframework.boot.SpringBootVersion;

/** Runs test classes on the class path that it is started with. Its arguments are their names. */
final class RunTests {
  private RunTests() {}

  public static void main(String[] classes) {
    URL client = ElasticsearchClient.class.getProtectionDomain().getCodeSource().getLocation();
    SummaryGeneratingListener summary = new SummaryGeneratingListener();
    Launcher launcher = LauncherFactory.create();
    LauncherDiscoveryRequest request =
        LauncherDiscoveryRequestBuilder.request()
            .selectors(Arrays.stream(classes).map(name -> selectClass(name)).toList())
            .build();
    launcher.execute(request, summary);
    summary
        .getSummary()
        .printFailuresTo(new PrintWriter(System.out, true, StandardCharsets.UTF_8), 30);
    System.out.printf(
        "Spring Boot %s, %s: %d tests, %d failed, %d skipped%n",
        SpringBootVersion.getVersion(),
        Path.of(client.getPath()).getFileName(),
        summary.getSummary().getTestsFoundCount(),
        summary.getSummary().getTotalFailureCount(),
        summary.getSummary().getTestsSkippedCount());
    System.exit(summary.getSummary().getTotalFailureCount() == 0 ? 0 : 1);
  }
}
