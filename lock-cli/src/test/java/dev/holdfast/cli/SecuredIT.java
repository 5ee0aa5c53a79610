package dev.holdfast.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.cli.Cli.Result;
import dev.holdfast.cli.Cli.Running;
import dev.holdfast.lock.elasticsearch.Secured;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * All commands on a node with TLS and passwords, and what {@code doctor} says of users and trust.
 */
@Timeout(300)
@Tag("slow")
class SecuredIT {
  @TempDir Path folder;

  private final Secured node = new Secured();

  private Path file(String content) throws IOException {
    return Files.writeString(Files.createTempFile(folder, "file", ""), content);
  }

  private String[] arguments(String command, String user, String... more) throws IOException {
    List<String> all =
        new ArrayList<>(
            List.of(
                command,
                "--url",
                node.url(),
                "--ca-certificate",
                node.ca(folder).toString(),
                "--username",
                user,
                "--password-file",
                file(Secured.PASSWORD + "\n").toString()));
    all.addAll(List.of(more));
    return all.toArray(String[]::new);
  }

  private Result execute(String command, String user, String... more) throws IOException {
    Result result = Cli.execute(arguments(command, user, more));
    assertThat(result.out() + result.err()).doesNotContain(Secured.PASSWORD);
    return result;
  }

  @BeforeEach
  void makeIndex() throws IOException {
    Result made =
        Cli.run(folder, arguments("run", "maker", "warm-up", "--wait", "1m", "--", "true"));
    assertThat(made.status()).as(made.err()).isZero();
  }

  @Test
  void allCommands_work_withAPasswordAndACertificate() throws Exception {
    assertThat(execute("list", "locker").status()).isZero();
    assertThat(execute("show", "reader", "nothing").status()).isEqualTo(1);
    assertThat(execute("release", "locker", "nothing", "--yes").status()).isEqualTo(1);
    Result good = execute("doctor", "locker");
    assertThat(good.status()).as(good.out()).isZero();
    assertThat(good.out())
        .contains("ok        privileges: all that locks need; not to create the index (manage)")
        .contains("unknown   clock: ", "ok        writes");
    Result admin = execute("doctor", "admin");
    assertThat(admin.status()).as(admin.out()).isZero();
    assertThat(admin.out()).contains("and to create the index", "ok        clock: ");
    try (Running running = Cli.start(folder, arguments("watch", "reader"))) {
      try (Running run =
          Cli.start(folder, arguments("run", "locker", "watched", "--", "sh", "-c", "read x"))) {
        running.awaitOut("watched");
        run.type("\n");
        assertThat(run.await().status()).isZero();
      }
      running.signal("TERM");
      assertThat(running.await().status()).isZero();
    }
  }

  @Test
  void apiKey_inAFile_andPassword_askedForInATerminal_work() throws Exception {
    String ca = node.ca(folder).toString();
    Path key = file(node.apiKey());
    Result byKey =
        Cli.execute(
            "list", "--url", node.url(), "--ca-certificate", ca, "--api-key-file", key.toString());
    assertThat(byKey.status()).as(byKey.err()).isZero();
    try (Running running =
        Cli.startInTerminal(
            folder, "list", "--url", node.url(), "--ca-certificate", ca, "--username", "locker")) {
      running.awaitOut("Password of locker:");
      running.type(Secured.PASSWORD + "\n");
      assertThat(running.await().status()).isZero();
      assertThat(running.out()).doesNotContain(Secured.PASSWORD);
    }
  }

  @Test
  void wrongCa_wrongName_wrongPassword_andMissingTls_areNamed() throws Exception {
    Result wrongCa =
        Cli.execute(
            "doctor", "--url", node.url(), "--ca-certificate", node.otherCa(folder).toString());
    assertThat(wrongCa.status()).isEqualTo(1);
    assertThat(wrongCa.out())
        .contains("PROBLEM   certificate", "is not signed by an authority", "give the right CA");
    Result wrongName = execute("doctor", "locker", "--url", node.urlByOtherName());
    assertThat(wrongName.out()).contains("is for other names", "use a host name in the URL");
    Result wrongPassword =
        Cli.execute(
            "doctor",
            "--url",
            node.url(),
            "--ca-certificate",
            node.ca(folder).toString(),
            "--username",
            "locker",
            "--password-file",
            file("wrong").toString());
    assertThat(wrongPassword.status()).isEqualTo(1);
    assertThat(wrongPassword.out()).contains("PROBLEM   credentials", "check HOLDFAST_USERNAME");
    Result withoutTls = Cli.execute("doctor", "--url", node.urlWithoutTls());
    assertThat(withoutTls.out()).contains("use https:// in the URL");
  }

  @ParameterizedTest
  @CsvSource({"read", "index", "delete", "view_index_metadata"})
  void privilegeThatIsMissing_isNamed_withItsRemedy(String lacking) throws Exception {
    Result result = execute("doctor", "locker-without-" + lacking);
    assertThat(result.status()).isEqualTo(1);
    assertThat(result.out())
        .contains("PROBLEM   privileges", "lacks " + lacking, "role holdfast-locker");
  }

  @Test
  void secretsOfTheEnvironment_areUsed() throws Exception {
    Map<String, String> environment =
        Map.of(
            "HOLDFAST_URL",
            node.url(),
            "HOLDFAST_CA",
            node.ca(folder).toString(),
            "HOLDFAST_USERNAME",
            "locker",
            "HOLDFAST_PASSWORD",
            Secured.PASSWORD);
    try (Running running = Cli.startWith(folder, environment, "list")) {
      assertThat(running.await().status()).as(running.err()).isZero();
    }
  }
}
