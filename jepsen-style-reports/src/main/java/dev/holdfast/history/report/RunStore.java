package dev.holdfast.history.report;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Clock;
import java.time.Instant;
import java.time.InstantSource;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * A folder that keeps every run of every test, as Jepsen's store does: {@code
 * STORE/TEST/20261123T091502.123Z/}. The links {@code STORE/TEST/latest} and {@code STORE/latest}
 * lead to the newest run; where there are no symbolic links, a text file {@code latest.txt} names
 * it. Thread-safe, also across processes.
 */
public final class RunStore {

  private static final Pattern TEST = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,99}");
  private static final DateTimeFormatter FOLDER =
      DateTimeFormatter.ofPattern("yyyyMMdd'T'HHmmss.SSS'Z'", Locale.ROOT).withZone(ZoneOffset.UTC);
  private static final int MAX_TRIES = 1000;

  private final Path root;
  private final InstantSource clock;

  /**
   * Opens a store by the machine's clock.
   *
   * @param root the folder, made when the first run starts
   */
  public RunStore(Path root) {
    this(root, Clock.systemUTC());
  }

  /**
   * Opens a store.
   *
   * @param root the folder, made when the first run starts
   * @param clock names the runs
   */
  public RunStore(Path root, InstantSource clock) {
    this.root = root;
    this.clock = clock;
  }

  /**
   * Starts a run: makes its folder and lets the links lead to it, so that a run that dies is found
   * too.
   *
   * @param test the test's name: letters, digits, dots, hyphens and underscores
   * @return the run
   * @throws IOException if the folder cannot be made
   */
  public Run start(String test) throws IOException {
    if (!TEST.matcher(test).matches() || test.equals("latest")) {
      throw new IllegalArgumentException(
          "a test's name consists of letters, digits, dots, hyphens and underscores, but is \""
              + test
              + "\"");
    }
    Path tests = Files.createDirectories(root.resolve(test));
    Instant startedAt = clock.instant().truncatedTo(ChronoUnit.MILLIS);
    for (int tries = 0; tries < MAX_TRIES; tries++) {
      String folder = FOLDER.format(startedAt);
      try {
        Path directory = Files.createDirectory(tests.resolve(folder));
        link(tests, Path.of(folder));
        link(root, Path.of(test, folder));
        return new Run(test, startedAt, directory, root);
      } catch (FileAlreadyExistsException e) {
        startedAt = startedAt.plusMillis(1);
      }
    }
    throw new IOException("more than " + MAX_TRIES + " runs of " + test + " within a second");
  }

  /**
   * Finds the runs of a folder: a store, the runs of one test in it, or a single run. What has a
   * history or recordings is a run; links are not followed.
   *
   * @return the runs in order of their folders; empty if there are none
   * @throws IOException if the folder cannot be read
   */
  public List<Run> runs() throws IOException {
    try (Stream<Path> folders = Files.walk(root, 2)) {
      List<Run> runs = new ArrayList<>();
      for (Path folder : folders.filter(RunStore::isRun).sorted().toList()) {
        runs.add(open(folder));
      }
      return runs;
    }
  }

  private static boolean isRun(Path folder) {
    return Files.isDirectory(folder, LinkOption.NOFOLLOW_LINKS)
        && (Files.isRegularFile(folder.resolve(Run.HISTORY))
            || Files.isDirectory(folder.resolve(Run.RECORDINGS)));
  }

  private Run open(Path folder) throws IOException {
    Path path = folder.toAbsolutePath().normalize();
    Path parent = path.getParent();
    String name = String.valueOf(path.getFileName());
    boolean alone = folder.equals(root);
    try {
      Instant startedAt = FOLDER.parse(name, Instant::from);
      Path test = parent == null ? null : parent.getFileName();
      return new Run(test == null ? name : test.toString(), startedAt, folder, alone ? null : root);
    } catch (DateTimeParseException e) { // not one of ours: it is called as its folder is
      Instant startedAt = Files.getLastModifiedTime(folder).toInstant();
      return new Run(name, startedAt, folder, alone ? null : root);
    }
  }

  /**
   * Writes the list of all runs, {@code index.html}. Each run that finishes does it too; of those
   * that finish at the same moment in several processes, it may miss one until the next.
   *
   * @throws IOException if the folder cannot be read or written
   */
  public void writeIndex() throws IOException {
    String html = indexHtml();
    Run.write(root, Run.INDEX, out -> out.write(html));
  }

  String indexHtml() throws IOException {
    return IndexPage.html(root, runs());
  }

  private static void link(Path folder, Path target) throws IOException {
    String unique =
        target.toString().replaceAll("[^A-Za-z0-9]", "-") + "-" + ProcessHandle.current().pid();
    Path temporary = folder.resolve(".latest-" + unique);
    try {
      Files.createSymbolicLink(temporary, target);
      replace(temporary, folder.resolve("latest"));
    } catch (UnsupportedOperationException | IOException e) {
      Files.deleteIfExists(temporary);
      Files.write(temporary, (target + "\n").getBytes(StandardCharsets.UTF_8));
      replace(temporary, folder.resolve("latest.txt"));
    }
  }

  /** Puts a file in place of another at once, so that nobody ever sees half of it. */
  static void replace(Path temporary, Path target) throws IOException {
    Files.move(
        temporary, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
  }
}
