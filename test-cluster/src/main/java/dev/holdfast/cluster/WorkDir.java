package dev.holdfast.cluster;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The folder that a node lives in, and that is removed with it.
 *
 * <p>The folder belongs to the user of this JVM, and so does what the supervisor uses; config,
 * data, logs and tmp belong to the user that the node runs as.
 */
record WorkDir(Path root) {

  /** Makes an empty one, in a place that the user of the node can reach. */
  static WorkDir create() throws IOException {
    Path base = base();
    Path root = Files.createTempDirectory(base, "holdfast-es-").toRealPath();
    Files.setPosixFilePermissions(root, PosixFilePermissions.fromString("rwxr-xr-x"));
    WorkDir dir = new WorkDir(root);
    try (InputStream script = WorkDir.class.getResourceAsStream("supervisor.sh")) {
      if (script == null) {
        throw new IOException("supervisor.sh is missing from the jar");
      }
      Files.copy(script, dir.script());
    }
    return dir;
  }

  private static Path base() throws IOException {
    List<Path> bases =
        List.of(
            Path.of(System.getProperty("java.io.tmpdir")), Path.of("/tmp"), Path.of("/var/tmp"));
    for (Path base : bases) {
      // The scripts of Elasticsearch do not quote all paths; a node of root has another user.
      if (Files.isWritable(base)
          && base.toRealPath().toString().chars().noneMatch(Character::isWhitespace)
          && (!RunAs.isRoot() || RunAs.isOpen(base))) {
        return base;
      }
    }
    throw new IOException(
        "no usable temporary folder, without white space and, for root, open to others: " + bases);
  }

  Path script() {
    return root.resolve("supervisor.sh");
  }

  Path config() {
    return root.resolve("config");
  }

  Path data() {
    return root.resolve("data");
  }

  Path logs() {
    return root.resolve("logs");
  }

  Path tmp() {
    return root.resolve("tmp");
  }

  /** Returns where the supervisor copies a distribution that the node cannot reach. */
  Path distribution() {
    return root.resolve("dist");
  }

  /** Returns where the supervisor copies a Java that the node cannot reach. */
  Path java() {
    return root.resolve("jdk");
  }

  /** Returns what the node logged. */
  Path log(String clusterName) {
    return logs().resolve(clusterName + ".log");
  }

  /** Returns where the server, not its launcher, writes its process id. */
  Path pid() {
    return logs().resolve("server.pid");
  }

  /** Returns what the node and its supervisor printed. */
  Path output() {
    return root.resolve("output.log");
  }

  /** Appears when the node has ended by itself. */
  Path exitCode() {
    return root.resolve("exit-code");
  }

  /** Makes all that the node needs to start. */
  void populate(NodeSpec spec, RunAs runAs) throws IOException {
    copyConfig(spec.distribution().resolve("config"));
    redirectFilesOfJvm();
    String yaml =
        spec.effectiveSettings(this).entrySet().stream()
            .map(entry -> entry.getKey() + ": " + quote(entry.getValue()) + "\n")
            .collect(Collectors.joining());
    Files.writeString(config().resolve("elasticsearch.yml"), yaml);
    for (Map.Entry<String, String> file : spec.configFiles().entrySet()) {
      Path target = config().resolve(file.getKey()).normalize();
      if (!target.startsWith(config())) {
        throw new IllegalArgumentException("not below the config folder: " + file.getKey());
      }
      Files.createDirectories(target.getParent());
      Files.writeString(target, file.getValue());
    }
    for (Path folder : List.of(data(), logs(), tmp())) {
      Files.createDirectory(folder);
    }
    for (Path folder : List.of(config(), data(), logs(), tmp())) {
      runAs.own(folder);
    }
  }

  /** Returns the text of the file, empty if there is none. */
  static String read(Path file) {
    try {
      return new String(Files.readAllBytes(file), StandardCharsets.UTF_8);
    } catch (IOException e) {
      return "";
    }
  }

  private void copyConfig(Path source) throws IOException {
    try (Stream<Path> files = Files.walk(source)) {
      for (Iterator<Path> all = files.iterator(); all.hasNext(); ) {
        Path file = all.next();
        Files.copy(file, config().resolve(source.relativize(file).toString()));
      }
    }
  }

  /**
   * Old releases, such as 8.0, name what the JVM writes relative to the distribution, where the
   * node may not write.
   */
  private void redirectFilesOfJvm() throws IOException {
    Path options = config().resolve("jvm.options");
    if (Files.exists(options)) {
      Files.writeString(options, Files.readString(options).replace("=logs/", "=" + logs() + "/"));
    }
  }

  /** Returns the text as a double-quoted scalar of YAML. */
  private static String quote(String text) {
    StringBuilder quoted = new StringBuilder("\"");
    text.chars()
        .forEach(
            c -> {
              if (c == '"' || c == '\\') {
                quoted.append('\\').append((char) c);
              } else if (c < ' ') {
                quoted.append("\\x%02x".formatted(c));
              } else {
                quoted.append((char) c);
              }
            });
    return quoted.append('"').toString();
  }
}
