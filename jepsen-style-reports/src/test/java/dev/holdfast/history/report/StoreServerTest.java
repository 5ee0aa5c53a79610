package dev.holdfast.history.report;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StoreServerTest {

  private static final String SECRET = "not for you";

  @TempDir private Path folder;
  private Path run;
  private StoreServer server;

  @BeforeEach
  void serve() throws IOException {
    Path root = folder.resolve("store");
    run = finish(root, "partition");
    Files.writeString(folder.resolve("secret.txt"), SECRET);
    Files.createSymbolicLink(run.resolve("outside.txt"), folder.resolve("secret.txt"));
    server = new StoreServer(root, 0);
  }

  private static Path finish(Path root, String test) throws IOException {
    Run run =
        new RunStore(root, InstantSource.fixed(Instant.parse("2026-11-23T09:15:02.123Z")))
            .start(test);
    assertThat(run.finish(SampleRun.valid(), SampleRun.checker(), "mvn").verdict().text())
        .isEqualTo("valid");
    return run.directory();
  }

  @AfterEach
  void stop() {
    server.close();
  }

  private HttpResponse<String> get(String path) throws Exception {
    return HttpClient.newHttpClient()
        .send(HttpRequest.newBuilder(server.uri().resolve(path)).build(), BodyHandlers.ofString());
  }

  /** Sends a request that a well-behaved client would not. */
  private String raw(String request) throws IOException {
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), server.uri().getPort());
        InputStream in = socket.getInputStream()) {
      socket
          .getOutputStream()
          .write((request + "Connection: close\r\n\r\n").getBytes(StandardCharsets.US_ASCII));
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
  }

  @Test
  void get_theStore_listsTheRunsThatThereAreNow() throws Exception {
    assertThat(get("/").body()).contains(">partition</a>").doesNotContain(">crash</a>");
    finish(folder.resolve("store"), "crash");
    assertThat(get("/").body()).contains(">partition</a>", ">crash</a>");
    assertThat(get("/index.html").body()).contains(">crash</a>");
  }

  @Test
  void get_filesOfARun_haveTypesThatABrowserShows() throws Exception {
    String at = "/partition/20261123T091502.123Z/";
    assertThat(get(at).body()).contains("<h1>partition</h1>");
    assertThat(get(at + "history.edn").headers().firstValue("Content-Type"))
        .hasValue("text/plain; charset=utf-8");
    assertThat(get(at + "history.edn").body())
        .isEqualTo(Files.readString(run.resolve("history.edn")));
    assertThat(get(at + "latency.png").headers().firstValue("Content-Type")).hasValue("image/png");
    HttpResponse<String> bare = get("/partition/20261123T091502.123Z");
    assertThat(bare.statusCode()).isEqualTo(301);
    assertThat(bare.headers().firstValue("Location")).hasValue(at);
    assertThat(get("/latest/").body()).as("a link within the store").contains("<h1>partition</h1>");
    assertThat(get(at + "nothing").statusCode()).isEqualTo(404);
    assertThat(get("/partition/").statusCode()).as("no page about it").isEqualTo(404);
  }

  @Test
  void get_whatLiesOutside_isNotFound() throws Exception {
    for (String path :
        new String[] {
          "/../secret.txt",
          "/%2e%2e/secret.txt",
          "/partition/%2e%2e/%2e%2e/secret.txt",
          "/..%2fsecret.txt",
          "/" + folder.resolve("secret.txt"),
          "//" + folder.resolve("secret.txt"),
          "/partition/20261123T091502.123Z/outside.txt",
          "/%00",
        }) {
      String answer = raw("GET " + path + " HTTP/1.1\r\nHost: localhost\r\n");
      assertThat(answer).as(path).startsWith("HTTP/1.1 404").doesNotContain(SECRET);
    }
  }

  @Test
  void get_byAnotherName_isRefused() throws Exception {
    assertThat(raw("GET / HTTP/1.1\r\nHost: evil.example\r\n")).startsWith("HTTP/1.1 403");
    assertThat(raw("GET / HTTP/1.1\r\nHost: localhost.evil.example:80\r\n"))
        .startsWith("HTTP/1.1 403");
    assertThat(raw("GET / HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n")).startsWith("HTTP/1.1 200");
  }

  @Test
  void other_methods_changeNothing() throws Exception {
    assertThat(raw("DELETE /latest/index.html HTTP/1.1\r\nHost: localhost\r\n"))
        .startsWith("HTTP/1.1 405");
    String head = raw("HEAD /latest/index.html HTTP/1.1\r\nHost: localhost\r\n");
    assertThat(head).startsWith("HTTP/1.1 200").doesNotContain("<h1>");
  }

  @Test
  void serve_aSingleRun_showsItsPage() throws Exception {
    try (StoreServer one = new StoreServer(run, 0)) {
      HttpRequest request = HttpRequest.newBuilder(URI.create(one.uri() + "")).build();
      assertThat(HttpClient.newHttpClient().send(request, BodyHandlers.ofString()).body())
          .contains("<h1>partition</h1>");
    }
  }
}
