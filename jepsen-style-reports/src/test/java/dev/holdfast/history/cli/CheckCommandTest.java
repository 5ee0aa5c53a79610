package dev.holdfast.history.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CheckCommandTest {
  private static final String VALID =
      """
      {:type :invoke, :process 0, :f :acquire, :value {:lock "a", :client "x"}}
      {:type :ok, :process 0, :f :acquire, :value {:lock "a", :client "x", :fence 1}}
      {:type :invoke, :process 0, :f :release, :value {:lock "a", :client "x", :fence 1}}
      {:type :ok, :process 0, :f :release, :value {:lock "a", :client "x", :fence 1}}
      """;
  private static final String INVALID =
      """
      [{:type :invoke, :process 0, :f :acquire, :value {:fence 1}}
       {:type :ok, :process 0, :f :acquire, :value {:fence 1}}
       {:type :invoke, :process 1, :f :acquire, :value {:fence 2}}
       {:type :ok, :process 1, :f :acquire, :value {:fence 2}}]
      """;
  private static final String UNKNOWN =
      """
      {:type :invoke, :process 0, :f :acquire, :value {:lock "a"}}
      """;

  @TempDir private Path dir;

  private Path file(String name, String text) throws IOException {
    return Files.writeString(dir.resolve(name), text);
  }

  @Test
  void check_valid_saysSoAndExitsWith0() throws IOException {
    Path file = file("a.edn", VALID);
    CommandOutput answer = CommandOutput.to("check", "--model", "fenced-mutex", file);

    assertThat(answer.out()).isEqualTo(file + "\tvalid\n");
    assertThat(answer.status()).isZero();
  }

  @Test
  void check_several_saysEach_andTheWorstDecides() throws IOException {
    Path valid = file("a.edn", VALID);
    Path invalid = file("b.edn", INVALID);
    Path unknown = file("c.edn", UNKNOWN);

    CommandOutput all =
        CommandOutput.to("check", "--model", "fenced-mutex", valid, invalid, unknown);
    assertThat(all.out())
        .isEqualTo(valid + "\tvalid\n" + invalid + "\tinvalid\n" + unknown + "\tunknown\n");
    assertThat(all.status()).isEqualTo(1);
    assertThat(all.err()).contains("Nothing explains acquire of \"lock\" by process 1");

    assertThat(CommandOutput.to("check", "--model", "fenced-mutex", valid, unknown).status())
        .isEqualTo(2);
  }

  @Test
  void check_unreadable_saysWhereAndWhat_andExitsWith3() throws IOException {
    Path good = file("a.edn", VALID);
    Path bad = file("b.edn", VALID + "{:type :sideways, :process 0, :f :acquire}\n{}\n");
    Path missing = dir.resolve("c.edn");

    CommandOutput answer = CommandOutput.to("check", "--model", "mutex", good, bad, missing);

    assertThat(answer.status()).isEqualTo(3);
    assertThat(answer.out()).as("no half a verdict").isEqualTo(good + "\tvalid\n");
    assertThat(answer.err()).contains("b.edn", "5", "sideways", "there is no such file");
  }

  @Test
  void check_key_partitionsByIt() throws IOException {
    Path file =
        file(
            "a.edn",
            """
            {:type :invoke, :process 0, :f :acquire, :value {:door "left"}}
            {:type :ok, :process 0, :f :acquire, :value {:door "left"}}
            {:type :invoke, :process 1, :f :acquire, :value {:door "right"}}
            {:type :ok, :process 1, :f :acquire, :value {:door "right"}}
            """);

    assertThat(CommandOutput.to("check", "--model", "mutex", "--key", "door", file).status())
        .isZero();
    assertThat(CommandOutput.to("check", "--model", "mutex", file).status()).isEqualTo(1);
  }

  @Test
  void check_wrongOptions_saysWhatIsWrong() throws IOException {
    Path file = file("a.edn", VALID);
    assertWrong("there is no model \"x\"; there are mutex", "--model", "x", file);
    assertWrong("--time-limit must be like", "--model", "mutex", "--time-limit", "0s", file);
    assertWrong("say what to check: --model MODEL, --checkers NAME,... or both", file);
    assertWrong("there is no checker \"x\"; there are all, availability", "--checkers", "x", file);
    assertWrong("FILE", "--model", "mutex");
  }

  @Test
  void check_checkers_checkByTheRulesOfLocks() throws IOException {
    Path file = file("a.edn", VALID);
    CommandOutput some = CommandOutput.to("check", "--checkers", "fencing,mutual-exclusion", file);
    assertThat(some.out()).isEqualTo(file + "\tvalid\n");
    assertThat(some.status()).isZero();
    assertThat(some.err()).contains(file + ": fencing: valid: The fences of 1 grant rose");

    CommandOutput all = CommandOutput.to("check", "--checkers", "all", "--model", "lease", file);
    assertThat(all.out()).isEqualTo(file + "\tvalid\n");
    assertThat(all.err()).contains("renewal: not applicable: Not checked: no renewal succeeded");
    CommandOutput renewal = CommandOutput.to("check", "--checkers", "renewal,fencing", file);
    assertThat(renewal.out()).as("asked for by name").isEqualTo(file + "\tunknown\n");

    Path invalid = file("b.edn", INVALID);
    assertThat(CommandOutput.to("check", "--checkers", "mutual-exclusion", invalid).status())
        .isEqualTo(1);
  }

  @Test
  void check_whatDoesNotFit_saysTheLine() throws IOException {
    Path file = file("a.edn", VALID + VALID.lines().skip(1).findFirst().orElseThrow() + "\n");
    CommandOutput answer = CommandOutput.to("check", "--model", "mutex", file);
    assertThat(answer.status()).isEqualTo(3);
    assertThat(answer.out()).isEmpty();
    assertThat(answer.err()).contains("a.edn, line 5: ", "answers no invocation");
  }

  @Test
  void check_operationThatTheModelDoesNotHave_saysTheLine() throws IOException {
    String odd = VALID + "{:type :invoke, :process 0, :f :%s, :value %s}\n";
    assertTurnedAway("mutex", odd.formatted("renew", "nil"), "the model does not know renew");
    assertTurnedAway("lease", odd.formatted("aquire", "nil"), "the model does not know aquire");
    assertTurnedAway(
        "lease", odd.formatted("read", "nil"), "has acquire, belief, expire, lost, release");
    assertTurnedAway(
        "register", "{:type :invoke, :process 0, :f :cas, :value [1 2]}\n", "does not know cas");
    assertTurnedAway(
        "cas-register", "{:type :invoke, :process 0, :f :cas, :value 2}\n", "must be a pair");
    Path file = file("a.edn", odd.formatted("aquire", "nil"));
    CommandOutput rules = CommandOutput.to("check", "--checkers", "mutual-exclusion", file);
    assertThat(rules.status()).isEqualTo(3);
    assertThat(rules.err()).contains("a.edn, line 5: there is no operation aquire");
  }

  @Test
  void check_registerWithMoreThanItsValue_saysTheLine() throws IOException {
    assertTurnedAway(
        "register",
        """
        {:type :invoke, :process 0, :f :write, :value {:value 1, :version 2}}
        """,
        "beside the key value it has version");
    assertTurnedAway(
        "register",
        """
        {:type :invoke, :process 0, :f :read, :value nil}
        {:type :ok, :process 0, :f :read, :value {:value 1, :version 2}}
        """,
        "beside the key value it has version");
  }

  @Test
  void check_registersOfAKey_areJudgedByWhatTheyHold() throws IOException {
    String text =
        """
        {:type :invoke, :process 0, :f :write, :value {:id "x", :a 1}}
        {:type :ok, :process 0, :f :write, :value {:id "x", :a 1}}
        {:type :invoke, :process 0, :f :read, :value {:id "x"}}
        {:type :ok, :process 0, :f :read, :value {:id "x", :a %d}}
        """;
    for (int seen = 1; seen <= 2; seen++) {
      Path file = file("a.edn", text.formatted(seen));
      assertThat(CommandOutput.to("check", "--model", "register", "--key", "id", file).status())
          .isEqualTo(seen - 1);
    }
  }

  @Test
  void check_objectsThatAnotherKeyMayName_areReported() throws IOException {
    String doors =
        """
        {:type :invoke, :process 0, :f :acquire, :value {:door "a", :client "x"}}
        {:type :ok, :process 0, :f :acquire, :value {:door "a", :client "x"}}
        """;
    Path file = file("a.edn", doors);
    assertThat(CommandOutput.to("check", "--model", "mutex", file).err())
        .contains("a.edn: no value has the key lock", "the keys door, of which --key");
    assertThat(CommandOutput.to("check", "--model", "mutex", "--key", "door", file).err())
        .isEmpty();
    Path both = file("b.edn", doors + VALID.replaceAll(":process 0", ":process 1"));
    assertThat(CommandOutput.to("check", "--model", "mutex", both).err())
        .contains("b.edn: 1 call of 3 without the key lock");
    CommandOutput missing = CommandOutput.to("check", "--model", "mutex", "--key", "door", both);
    assertThat(missing.status()).isEqualTo(3);
    assertThat(missing.err())
        .contains("b.edn, line 3: the value has no key door, which is to name the object");
    assertThat(CommandOutput.to("check", "--model", "fenced-mutex", file("c.edn", VALID)).err())
        .isEmpty();
    assertThat(CommandOutput.to("check", "--model", "fenced-mutex", file("d.edn", INVALID)).err())
        .doesNotContain("--key");
  }

  /** Of a system that has neither fences, renewals nor notices, and of a run that ended early. */
  @Test
  void check_allOfAnotherSystemsHistory_isNotHeldAgainstIt() throws IOException {
    Path held =
        file(
            "a.edn",
            """
            {:type :invoke, :process 0, :f :acquire, :value nil, :time 1000}
            {:type :ok, :process 0, :f :acquire, :value nil, :time 2000}
            """);
    CommandOutput answer = CommandOutput.to("check", "--checkers", "all", held);
    assertThat(answer.out()).as(answer.err()).isEqualTo(held + "\tvalid\n");
    assertThat(answer.err()).contains("fencing: not applicable").doesNotContain("coverage");
    assertThat(CommandOutput.to("check", "--checkers", "coverage", held).status())
        .as("asked for by name")
        .isEqualTo(1);

    Path taken =
        file(
            "b.edn",
            """
            {:type :invoke, :process 0, :f :acquire, :value {:ttl 1000}, :time 0}
            {:type :ok, :process 0, :f :acquire, :value {:ttl 1000}, :time 1000}
            {:type :invoke, :process 1, :f :acquire, :value {:ttl 1000}, :time 3000000000}
            {:type :ok, :process 1, :f :acquire, :value {:ttl 1000}, :time 3000001000}
            {:type :invoke, :process 0, :f :acquire, :value {:ttl 1000}, :time 3000002000}
            """);
    CommandOutput leases =
        CommandOutput.to("check", "--model", "lease", "--checkers", "all", taken);
    assertThat(leases.out()).as(leases.err()).isEqualTo(taken + "\tvalid\n");
    assertThat(leases.err()).contains("loss-notice: not applicable");

    Path nothing = file("c.edn", UNKNOWN);
    assertThat(CommandOutput.to("check", "--checkers", "all", nothing).status()).isEqualTo(2);
    CommandOutput register =
        CommandOutput.to(
            "check",
            "--model",
            "register",
            "--checkers",
            "all",
            file(
                "d.edn",
                VALID.replaceAll("acquire|release", "write").replaceAll("\\{:lock.*", "5}")));
    assertThat(register.status()).as(register.err()).isZero();
  }

  /** As it was written: tuples, values and times; so it is read again as it was the first time. */
  @Test
  void check_report_savesTheHistoryAsItWas_withWarningsAndACommandThatRepeatsIt()
      throws IOException {
    String text =
        """
        {:index 4, :time 100, :type :invoke, :process 0, :f :write, :value ["x" {:a 1}]}
        {:index 5, :time 200, :type :ok, :process 0, :f :write, :value ["x" {:a 1}]}
        {:index 6, :time 150, :type :invoke, :process 1, :f :read, :value ["x" nil]}
        {:index 9, :time 300, :type :ok, :process 1, :f :read, :value ["x" {:a 2}]}
        """;
    Path file = file("it's.edn", text + "{:index 10, :ti");
    Path store = dir.resolve("out");
    CommandOutput answer =
        CommandOutput.to("check", "--model", "register", "--report", store, file);
    assertThat(answer.status()).as(answer.err()).isEqualTo(1);
    Path run = store.resolve("it-s/latest");
    assertThat(run.resolve("history.edn")).hasContent(text);
    String command =
        "java -jar holdfast-history.jar check --model register '"
            + dir.toAbsolutePath()
            + "/it'\\''s.edn'";
    assertThat(run.resolve("summary.md"))
        .content()
        .contains("    " + command, "- Warning: ", "line 5: the last line was not")
        .contains("1 time goes back, by up to 0.000 s");
    String page = Files.readString(run.resolve("index.html"));
    assertThat(page)
        .contains(command.replace("'", "&#39;"), "<ul class=\"warnings\">", "1 time goes back")
        .contains("line 5: the last line was not written to its end, and is left out.");

    assertThat(CommandOutput.to("report", store).status()).isZero();
    assertThat(run.resolve("index.html")).as("written again").content().isEqualTo(page);
    Path saved = run.resolve("history.edn");
    assertThat(CommandOutput.to("check", "--model", "register", saved).status()).isEqualTo(1);
  }

  @Test
  void check_reportOfAKey_isReadByItAgain() throws IOException {
    Path file =
        file(
            "a.edn",
            """
            {:type :invoke, :process 0, :f :acquire, :value {:door "left"}}
            {:type :ok, :process 0, :f :acquire, :value {:door "left"}}
            {:type :invoke, :process 1, :f :acquire, :value {:door "right"}}
            {:type :ok, :process 1, :f :acquire, :value {:door "right"}}
            """);
    Path store = dir.resolve("out");
    CommandOutput answer =
        CommandOutput.to("check", "--model", "mutex", "--key", "door", "--report", store, file);
    assertThat(answer.status()).as(answer.err()).isZero();
    Path page = store.resolve("a/latest/index.html");
    assertThat(page).content().contains("2 leases on 2 locks");
    assertThat(CommandOutput.to("report", store).status()).isZero();
    assertThat(page).content().contains("2 leases on 2 locks");
    assertThat(CommandOutput.to("report", "--model", "mutex", store).status()).isZero();
    assertThat(page).content().contains("2 leases on 2 locks");
  }

  @Test
  void check_reportOfAPipe_isRepeatedFromWhatWasSaved() throws Exception {
    Path pipe = dir.resolve("pipe");
    assumeTrue(new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor() == 0, "mkfifo");
    CompletableFuture<Path> written =
        CompletableFuture.supplyAsync(
            () -> {
              try {
                return Files.writeString(pipe, VALID, StandardOpenOption.WRITE);
              } catch (IOException e) {
                throw new UncheckedIOException(e);
              }
            });
    Path store = dir.resolve("out");
    CommandOutput answer =
        CommandOutput.to("check", "--model", "fenced-mutex", "--report", store, pipe);
    assertThat(written.join()).isEqualTo(pipe);
    assertThat(answer.status()).as(answer.err()).isZero();
    Path run = store.resolve("pipe/latest").toRealPath();
    assertThat(run.resolve("summary.md"))
        .content()
        .contains("check --model fenced-mutex " + run.resolve("history.edn"));
  }

  private void assertTurnedAway(String model, String text, String problem) throws IOException {
    Path file = file("a.edn", text);
    CommandOutput answer = CommandOutput.to("check", "--model", model, file);
    assertThat(answer.status()).isEqualTo(3);
    assertThat(answer.out()).isEmpty();
    assertThat(answer.err())
        .contains("a.edn, line " + text.lines().count() + ": ", problem)
        .doesNotContain("Exception");
  }

  @Test
  void check_whatIsDoneWithTheResource_isLeftOutByModelsOfLocks() throws IOException {
    String also = "";
    for (String f : new String[] {"write", "increment", "final-count"}) {
      also +=
          "{:type :invoke, :process 5, :f :%s}\n{:type :ok, :process 5, :f :%s}\n".formatted(f, f);
    }
    Path file = file("a.edn", VALID + also + "{:type :info, :process 6, :f :lost}\n");
    for (String model : new String[] {"lease", "mutex", "fenced-mutex"}) {
      assertThat(CommandOutput.to("check", "--model", model, file).status()).as(model).isZero();
    }
  }

  @Test
  void check_tornLastLine_isReported() throws IOException {
    Path file = file("a.edn", VALID + "{:type :inv");
    CommandOutput answer = CommandOutput.to("check", "--model", "fenced-mutex", file);
    assertThat(answer.out()).isEqualTo(file + "\tvalid\n");
    assertThat(answer.err()).contains("a.edn, line 5: the last line was not written to its end");
  }

  @Test
  void generate_thenCheck_isValidByAllThatIsKnown() {
    Path file = dir.resolve("made.edn");
    assertThat(CommandOutput.to("generate", "--operations", 6000, "--locks", 2, file).status())
        .isZero();
    CommandOutput answer = CommandOutput.to("check", "--model", "lease", "--checkers", "all", file);
    assertThat(answer.out()).as(answer.err()).isEqualTo(file + "\tvalid\n");

    CommandOutput again = CommandOutput.to("generate", file);
    assertThat(again.status()).isEqualTo(3);
    assertThat(again.err()).contains("there is such a file already");
    assertThat(CommandOutput.to("generate", "--operations", 0, file).status()).isEqualTo(3);
  }

  @Test
  void check_report_writesAPageAboutEachHistory_withItsVerdict() throws IOException {
    Path valid = file("good one.edn", VALID);
    Path invalid = file("history.edn", INVALID);
    Path store = dir.resolve("out");

    CommandOutput answer =
        CommandOutput.to(
            "check",
            "--model",
            "fenced-mutex",
            "--checkers",
            "fencing,mutual-exclusion",
            "--report",
            store,
            valid,
            invalid);

    assertThat(answer.out()).isEqualTo(valid + "\tvalid\n" + invalid + "\tinvalid\n");
    assertThat(answer.status()).isEqualTo(1);
    assertThat(store.resolve("index.html"))
        .content()
        .contains("<strong>Failed</strong>1 of 2 runs valid.", ">good-one</a>");
    Path page = store.resolve("good-one/latest/index.html");
    assertThat(answer.err()).contains("page: " + store.resolve("good-one"));
    assertThat(page)
        .content()
        .contains(
            "<strong>Valid</strong>", "good one.edn", "check --model fenced-mutex --checkers");
    assertThat(store.resolve(dir.getFileName() + "/latest/index.html"))
        .as("what is called like all others is named after its folder")
        .content()
        .contains("<strong>Invalid</strong>", "The smallest counterexample");

    assertThat(CommandOutput.to("check", "--model", "mutex", "--report", valid, valid).status())
        .as("a file, not a folder")
        .isEqualTo(3);
    Path bad = file("bad.edn", "{:type :sideways}");
    CommandOutput unreadable =
        CommandOutput.to("check", "--model", "mutex", "--report", store, bad);
    assertThat(unreadable.status()).isEqualTo(3);
    assertThat(store.resolve("bad")).as("no page about what was not understood").doesNotExist();
  }

  @Test
  void check_reportIntoARelativeFolderThatIsNotThere_makesIt() throws IOException {
    Path store = Path.of("").toAbsolutePath().relativize(dir.resolve("not/there/yet"));

    CommandOutput answer =
        CommandOutput.to("check", "--model", "mutex", "--report", store, file("a.edn", VALID));

    assertThat(answer.status()).as(answer.err()).isZero();
    assertThat(store.resolve("a/latest/index.html"))
        .content()
        .contains("href=\"../../index.html\"");
  }

  @Test
  void check_unknown_exitsWith2AlsoWithAReport() throws IOException {
    Path unknown = file("c.edn", UNKNOWN);
    Path store = dir.resolve("out");
    assertThat(CommandOutput.to("check", "--model", "mutex", "--report", store, unknown).status())
        .isEqualTo(2);
  }

  @Test
  void check_formerNameOfAChecker_isStillUnderstood() throws IOException {
    CommandOutput answer =
        CommandOutput.to("check", "--checkers", "not-vacuous,fencing", file("a.edn", VALID));
    assertThat(answer.err()).contains("coverage: valid");
    assertThat(answer.status()).isZero();
  }

  private static void assertWrong(String message, Object... arguments) {
    Object[] all = new Object[arguments.length + 1];
    all[0] = "check";
    System.arraycopy(arguments, 0, all, 1, arguments.length);
    CommandOutput answer = CommandOutput.to(all);
    assertThat(answer.status()).isEqualTo(3);
    assertThat(answer.err()).contains(message);
  }

  @Test
  void help_namesWhatThereIs() {
    assertThat(CommandOutput.to("--help").out()).contains("check");
    assertThat(CommandOutput.to("check", "--help").out())
        .contains("--model", "--key", "--time-limit", "semaphore:N");
    assertThat(CommandOutput.to().status()).as("nothing to do").isEqualTo(3);
    for (String command : new String[] {"", "check", "generate", "report", "serve"}) {
      CommandOutput answer =
          command.isEmpty() ? CommandOutput.to("--help") : CommandOutput.to(command, "--help");
      assertThat(answer.status()).as(command).isZero();
      assertThat(answer.out()).as(command).contains("Exit status:", "--version");
      assertThat(
              CommandOutput.to(command.isEmpty() ? "--nonsense" : command, "--nonsense").status())
          .as(command)
          .isEqualTo(3);
      assertThat(
              command.isEmpty()
                  ? CommandOutput.to("-V").out()
                  : CommandOutput.to(command, "-V").out())
          .startsWith("holdfast-history ");
    }
    assertThat(CommandOutput.to("help", "check").out()).contains("--model");
  }
}
