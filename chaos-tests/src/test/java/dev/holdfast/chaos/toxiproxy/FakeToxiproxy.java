package dev.holdfast.chaos.toxiproxy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;

/** The built-in server as a {@code toxiproxy-server} on a search path, and a JVM that finds it. */
final class FakeToxiproxy {

  private FakeToxiproxy() {}

  /** Makes an executable in that directory which takes the arguments of the real one. */
  static void install(Path directory) throws IOException {
    Path file = directory.resolve("toxiproxy-server");
    Files.writeString(file, "#!/bin/sh\nexec " + command("serve") + " \"$@\"\n");
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
  }

  private static String command(String task) {
    return "'" + String.join("' '", javaCommand(task)) + "'";
  }

  static List<String> javaCommand(String task) {
    return List.of(
        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
        "-XX:TieredStopAtLevel=1",
        "-cp",
        System.getProperty("java.class.path"),
        FakeToxiproxy.class.getName(),
        task);
  }

  /**
   * Either {@code serve -host H -port P}, or {@code find PATH}, which prints the port. Both then
   * wait to be killed.
   */
  public static void main(String[] args) throws Exception {
    if (args[0].equals("serve")) {
      new ToxiproxyServer().start(args[2], Integer.parseInt(args[4]));
    } else {
      String path = args[1] + ":" + System.getenv("PATH");
      System.out.println(ToxiproxyServers.find(Map.of("PATH", path), "process").port());
    }
    Thread.sleep(Long.MAX_VALUE);
  }
}
