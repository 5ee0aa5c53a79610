package dev.holdfast.cli;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Option;

/** {@code holdfast doctor}. */
@CommandLine.Command(
    name = "doctor",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    exitCodeListHeading = ExitStatus.HEADING,
    exitCodeList = {
      "0:no problem was found; there may be warnings",
      "1:a problem was found, such as a cluster that does not answer",
      ExitStatus.USAGE_TEXT,
      "3:a failure of the tool itself"
    },
    description = {
      "Checks a cluster and the way to it: reachability, version, privileges, the index and its"
          + " settings, clocks, the latency of writes, and size limits of proxies. Says what each"
          + " finding means and what to do.",
      "It acquires and releases a lock of its own, which creates the lock index if there is none."
    })
final class DoctorCommand implements Callable<Integer> {
  @CommandLine.Mixin private final Connection connection = new Connection();
  @CommandLine.Mixin private final Output output = new Output();

  @Option(names = "--read-only", description = "Acquire no lock: create and write nothing.")
  private boolean readOnly;

  @Override
  public Integer call() throws InterruptedException {
    List<Finding> findings = new Doctor(connection, connection.environment(), readOnly).examine();
    long problems = findings.stream().filter(f -> f.status() == Finding.Status.PROBLEM).count();
    if (output.isJson()) {
      Map<String, Object> json = new LinkedHashMap<>();
      json.put("problems", problems);
      json.put("findings", findings.stream().map(DoctorCommand::json).toList());
      output.json(json);
    } else {
      print(findings, problems);
    }
    return problems == 0 ? ExitStatus.OK : ExitStatus.NEGATIVE;
  }

  private static Map<String, @Nullable Object> json(Finding finding) {
    Map<String, @Nullable Object> json = new LinkedHashMap<>();
    json.put("check", finding.check());
    json.put("status", finding.status().toString());
    json.put("summary", finding.summary());
    json.put("meaning", finding.meaning());
    json.put("remedy", finding.remedy());
    return json;
  }

  private void print(List<Finding> findings, long problems) {
    for (Finding finding : findings) {
      String indent = " ".repeat(10);
      List<String> lines = new ArrayList<>();
      lines.add(
          String.format("%-8s  %s: %s", finding.status(), finding.check(), finding.summary()));
      if (finding.meaning() != null) {
        lines.add(indent + "It means: " + finding.meaning());
      }
      if (finding.remedy() != null) {
        lines.add(indent + "What to do: " + finding.remedy());
      }
      lines.forEach(output::line);
    }
    output.line(problems == 0 ? "No problem was found." : "Problems: " + problems);
  }
}
