package dev.holdfast.cluster;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.util.Iterator;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.Stream;

/**
 * The user that a node runs as: the one of this JVM, or for root, whom Elasticsearch refuses, an
 * unprivileged uid of the node's own. It needs no entry in the user database.
 *
 * @param uid the uid, or empty for the user of this JVM
 */
record RunAs(OptionalInt uid) {

  // Above the users of usual systems, below the 65536 that containers are given.
  private static final int FIRST_UID = 20_000;
  private static final int UIDS = 40_000;

  static boolean isRoot() {
    try {
      // Root elsewhere than on Linux is told by Elasticsearch itself that it may not.
      Path self = Path.of("/proc/self");
      return Files.exists(self) && Files.getAttribute(self, "unix:uid").equals(0);
    } catch (IOException | RuntimeException e) {
      return false;
    }
  }

  /** Throws unless a node can be started: by root, only as another user. */
  static void requirePossible() throws InterruptedException {
    if (!isRoot()) {
      return;
    }
    String remedy =
        "Elasticsearch refuses to run as root, and `setpriv` of util-linux, which would run it as"
            + " another user, cannot be used here; install it, or run as another user: ";
    try {
      List<String> probe = Stream.concat(setpriv(FIRST_UID).stream(), Stream.of("true")).toList();
      Process process = new ProcessBuilder(probe).redirectErrorStream(true).start();
      process.getOutputStream().close();
      String output =
          new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
      if (process.waitFor() != 0) {
        throw new NodeStartException(remedy + output);
      }
    } catch (IOException e) {
      throw new NodeStartException(remedy + e.getMessage(), e);
    }
  }

  /** Chooses the user for the node of a work dir, whose name is random and so is the uid. */
  static RunAs choose(WorkDir dir) {
    return isRoot()
        ? new RunAs(
            OptionalInt.of(FIRST_UID + Math.floorMod(dir.root().toString().hashCode(), UIDS)))
        : new RunAs(OptionalInt.empty());
  }

  /** Returns what to put before a command to run it as this user. */
  List<String> prefix() {
    return uid.isPresent() ? setpriv(uid.getAsInt()) : List.of();
  }

  /** Makes the user own the folder and all in it. */
  void own(Path folder) throws IOException {
    if (uid.isEmpty()) {
      return;
    }
    try (Stream<Path> files = Files.walk(folder)) {
      for (Iterator<Path> all = files.iterator(); all.hasNext(); ) {
        Path file = all.next();
        Files.setAttribute(file, "unix:uid", uid.getAsInt());
        Files.setAttribute(file, "unix:gid", uid.getAsInt());
      }
    }
  }

  /** Returns whether users other than the owner's can run the distribution where it is. */
  static boolean isOpenDistribution(Path distribution) throws IOException {
    if (!isOpen(distribution)) {
      return false;
    }
    // Its config folder is for the owner only, and is never used in place.
    for (String part : List.of("bin", "lib", "modules")) {
      try (Stream<Path> files = Files.walk(distribution.resolve(part))) {
        for (Iterator<Path> all = files.iterator(); all.hasNext(); ) {
          if (!isReadable(all.next())) {
            return false;
          }
        }
      }
    }
    return true;
  }

  /** Returns whether users other than the owner's can run the Java where it is. */
  static boolean isOpenJava(Path home) throws IOException {
    return isOpen(home.resolve("bin").resolve("java")) && isOpen(home.resolve("lib"));
  }

  /** Returns whether users other than the owner's can reach the file and read it. */
  static boolean isOpen(Path file) throws IOException {
    Path real = file.toRealPath();
    for (Path at = real.getParent(); at != null; at = at.getParent()) {
      if (!Files.getPosixFilePermissions(at).contains(PosixFilePermission.OTHERS_EXECUTE)) {
        return false;
      }
    }
    return isReadable(real);
  }

  private static boolean isReadable(Path file) throws IOException {
    Set<PosixFilePermission> permissions = Files.getPosixFilePermissions(file);
    return permissions.contains(PosixFilePermission.OTHERS_READ)
        && (permissions.contains(PosixFilePermission.OTHERS_EXECUTE)
            || (!Files.isDirectory(file)
                && !permissions.contains(PosixFilePermission.OWNER_EXECUTE)));
  }

  private static List<String> setpriv(int uid) {
    String id = Integer.toString(uid);
    return List.of("setpriv", "--reuid", id, "--regid", id, "--clear-groups");
  }
}
