package dev.holdfast.history.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.history.History;
import dev.holdfast.history.HistoryScript;
import dev.holdfast.history.check.Checker;
import dev.holdfast.history.check.Checkers;
import dev.holdfast.history.check.MutualExclusionChecker;
import dev.holdfast.history.check.Result;
import dev.holdfast.history.check.Verdict;
import dev.holdfast.history.report.Run;
import dev.holdfast.history.report.RunStore;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.PipedReader;
import java.io.PipedWriter;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PageCommandsTest {

  @TempDir private Path folder;

  private Path finished(String test) throws IOException {
    Run run = new RunStore(folder).start(test);
    var history =
        new HistoryScript().acquired(0, 10, "c1", 1, 1000).released(20, 30, "c1", 1).build();
    assertThat(run.finish(history, new MutualExclusionChecker(), "mvn -Dseed=7").verdict().text())
        .isEqualTo("valid");
    return run.directory();
  }

  @Test
  void report_aStore_writesThePagesAgainAsTheyWere() throws IOException {
    Path one = finished("partition");
    Path other = finished("crash");
    String page = Files.readString(one.resolve("index.html"));
    for (Path each : new Path[] {one, other}) {
      for (String file :
          new String[] {"index.html", "timeline.html", "latency.svg", "summary.md"}) {
        Files.delete(each.resolve(file));
      }
    }
    Files.delete(folder.resolve("index.html"));

    CommandOutput answer = CommandOutput.to("report", folder);

    assertThat(answer.status()).isZero();
    assertThat(answer.out())
        .isEqualTo(
            other.resolve("index.html") + "\tvalid\n" + one.resolve("index.html") + "\tvalid\n");
    assertThat(answer.err()).contains("1 of 2", "2 of 2");
    assertThat(one.resolve("index.html")).hasContent(page);
    assertThat(page).contains("mvn -Dseed=7");
    assertThat(folder.resolve("index.html")).content().contains(">partition</a>", ">crash</a>");
    assertThat(other.resolve("timeline.html")).isNotEmptyFile();
  }

  @Test
  void report_aRunThatWasNeverChecked_saysUnknownAndShowsItAllTheSame() throws IOException {
    Path run = Files.createDirectory(folder.resolve("somebody-elses"));
    Files.writeString(
        run.resolve("history.edn"),
        """
        {:type :invoke, :process 0, :f :acquire, :value {:lock "a"}}
        {:type :ok, :process 0, :f :acquire, :value {:lock "a"}}
        """);

    CommandOutput answer = CommandOutput.to("report", run);

    assertThat(answer.out()).isEqualTo(run.resolve("index.html") + "\tunknown\n");
    assertThat(run.resolve("index.html"))
        .content()
        .contains(
            "<h1>somebody-elses</h1>",
            "Not checked",
            "java -jar holdfast-history.jar report --model lease --checkers all " + run,
            "The command that repeats this run is not known.");
  }

  @Test
  void report_withAModel_checksTheRunAndSavesWhatWasFound() throws IOException {
    Path run = finished("partition");
    Path history = run.resolve("history.edn");
    Files.writeString(
        history,
        """
        {:type :invoke, :process 0, :f :acquire, :value {:door "a"}}
        {:type :ok, :process 0, :f :acquire, :value {:door "a"}}
        {:type :invoke, :process 1, :f :acquire, :value {:door "a"}}
        {:type :ok, :process 1, :f :acquire, :value {:door "a"}}
        """);

    CommandOutput answer = CommandOutput.to("report", "--model", "mutex", "--key", "door", folder);

    assertThat(answer.out()).isEqualTo(run.resolve("index.html") + "\tinvalid\n");
    assertThat(answer.status()).isEqualTo(1);
    assertThat(run.resolve("index.html"))
        .content()
        .contains("<strong>Invalid</strong>", "mvn -Dseed=7");
    assertThat(folder.resolve("index.html")).content().contains("<strong>Failed</strong>");
    assertThat(CommandOutput.to("report", folder).out()).as("saved").contains("\tinvalid\n");
    assertThat(CommandOutput.to("report", folder).status()).as("nothing is checked").isZero();
    assertThat(CommandOutput.to("report", "--model", "x", folder).status()).isEqualTo(3);
  }

  /** Its tests have checkers that this command has not; what they found is not lost. */
  @Test
  void report_withAModel_leavesTheResultsOfARunsOwnCheckers() throws IOException {
    Run run = new RunStore(folder).start("index-deleted");
    var history = new HistoryScript().acquired(0, 10, "c1", 1, 1000).build();
    Checker own =
        new Checker() {
          @Override
          public String name() {
            return "outlived-deletion";
          }

          @Override
          public Result check(History all) {
            return new Result(name(), Verdict.VALID, "So it is.", List.of());
          }
        };
    Result unused =
        run.finish(history, Checkers.compose(own, new MutualExclusionChecker()), "mvn -Dseed=7");
    String results = Files.readString(run.directory().resolve("results.json"));

    CommandOutput answer = CommandOutput.to("report", "--checkers", "all", folder);

    assertThat(answer.status()).isEqualTo(3);
    assertThat(answer.err())
        .contains("left as it is", "(outlived-deletion)", "no life of a deleted index")
        .contains("check --checkers all --report DIR " + run.directory().resolve("history.edn"));
    assertThat(run.directory().resolve("results.json")).hasContent(results);
    assertThat(CommandOutput.to("report", folder).status()).isZero();
  }

  @Test
  void report_aSkippedRun_isLeftAsItIs() throws IOException {
    new RunStore(folder).skip("nodes-partitioned", "", "only root can");
    assertThat(CommandOutput.to("report", folder).status()).isZero();
    assertThat(CommandOutput.to("report", "--model", "lease", folder).status()).isZero();
    assertThat(folder.resolve("index.html")).content().contains("only root can");
  }

  @Test
  void report_aRunThatWasBrokenOff_isMadeOfItsRecordings() throws IOException {
    Path run = finished("partition");
    Files.createDirectory(run.resolve("recordings"));
    Files.move(run.resolve("history.edn"), run.resolve("recordings/client.edn"));

    assertThat(CommandOutput.to("report", run).status()).isZero();
    assertThat(Files.readAllLines(run.resolve("history.edn"))).hasSize(4);
  }

  @Test
  void report_aHistoryThatCannotBeUnderstood_saysWhereAndGoesOnWithTheOthers() throws IOException {
    Path bad = finished("bad");
    Path good = finished("good");
    Files.writeString(bad.resolve("history.edn"), "{:type :sideways}\n{}\n");

    CommandOutput answer = CommandOutput.to("report", folder);

    assertThat(answer.status()).isEqualTo(3);
    assertThat(answer.err()).contains("history.edn, line 1", "sideways");
    assertThat(answer.out()).isEqualTo(good.resolve("index.html") + "\tvalid\n");
  }

  @Test
  void commands_wrongFoldersAndOptions_sayWhatIsWrong() {
    Path missing = folder.resolve("missing");
    for (String command : new String[] {"report", "serve"}) {
      assertThat(CommandOutput.to(command, missing).status()).isEqualTo(3);
      assertThat(CommandOutput.to(command, missing).err())
          .contains("missing: there is no such folder");
      assertThat(CommandOutput.to(command).err()).contains("DIR");
      assertThat(CommandOutput.to(command, "--help").out()).contains("DIR");
    }
    assertThat(CommandOutput.to("report", folder).err())
        .contains("no folder in it has a history.edn");
    assertThat(CommandOutput.to("serve", "--port", "70000", folder).err()).contains("0 to 65535");
    assertThat(CommandOutput.to("--help").out()).contains("check", "report", "serve");
  }

  @Test
  void serve_aPortThatIsTaken_saysSo() throws IOException {
    try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      CommandOutput answer = CommandOutput.to("serve", "--port", taken.getLocalPort(), folder);
      assertThat(answer.status()).isEqualTo(3);
      assertThat(answer.err()).contains("is taken", "--port");
    }
  }

  @Test
  void serve_aStore_saysWhereAndServesUntilInterrupted() throws Exception {
    Path unused = finished("partition");
    PipedWriter pipe = new PipedWriter();
    BufferedReader said = new BufferedReader(new PipedReader(pipe));
    Thread server =
        new Thread(
            () ->
                Main.commandLine()
                    .setOut(new PrintWriter(pipe))
                    .setErr(new PrintWriter(new StringWriter()))
                    .execute("serve", "--port", "0", folder.toString()));
    server.start();
    URI uri = URI.create(said.readLine());
    assertThat(uri.getHost()).isEqualTo("localhost");
    assertThat(
            HttpClient.newHttpClient()
                .send(HttpRequest.newBuilder(uri).build(), BodyHandlers.ofString())
                .body())
        .contains(">partition</a>");
    server.interrupt();
    server.join();
  }
}
