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
import org.jspecify.annotations.Nullable;

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
  private static final int MAX_NAME = 100;

  private final Path root;
  private final InstantSource clock;
  private final Intent.@Nullable Series series;

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
    this(root, clock, null);
  }

  private RunStore(Path root, InstantSource clock, Intent.@Nullable Series series) {
    this.root = root;
    this.clock = clock;
    this.series = series;
  }

  /**
   * Begins a series of runs, which the list of all runs checks together: it has passed if all that
   * were planned have passed or were skipped.
   *
   * @param planned how many runs will be started or skipped
   * @return this store; runs that it starts or skips belong to the series
   */
  public RunStore series(int planned) {
    return new RunStore(
        root, clock, new Intent.Series(clock.instant().truncatedTo(ChronoUnit.MILLIS), planned));
  }

  /**
   * Makes a test's name of any text, by leaving out what cannot be in one.
   *
   * @param text any text, such as a file's name
   * @return a name that {@link #start} takes
   */
  public static String testName(String text) {
    String name = text.replaceAll("[^A-Za-z0-9._-]+", "-").replaceAll("^[^A-Za-z0-9]+", "");
    name = name.length() > MAX_NAME ? name.substring(0, MAX_NAME) : name;
    return name.isEmpty() || name.equals("latest") ? "history" : name;
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
    Run run = make(test);
    Path folder = run.directory().getFileName();
    link(root.resolve(test), folder);
    link(root, Path.of(test).resolve(folder));
    return run;
  }

  /**
   * Notes that a run was skipped; the list of all runs says so, and why.
   *
   * @param test the test's name, as for {@link #start}
   * @param about what it would have been for; may be empty
   * @param reason why it was not run; not empty
   * @throws IOException if that cannot be written
   */
  public void skip(String test, String about, String reason) throws IOException {
    Run run = make(test);
    run.describe(about);
    run.saveSkipped(reason);
    writeIndex();
  }

  private Run make(String test) throws IOException {
    if (!TEST.matcher(test).matches() || test.equals("latest")) {
      throw new IllegalArgumentException(
          "a test's name consists of letters, digits, dots, hyphens and underscores, but is \""
              + test
              + "\"");
    }
    Path tests = root.resolve(test);
    Path unused = Files.createDirectories(tests); // may be absolute, though the store is not
    Instant startedAt = clock.instant().truncatedTo(ChronoUnit.MILLIS);
    for (int tries = 0; tries < MAX_TRIES; tries++) {
      String folder = FOLDER.format(startedAt);
      try {
        Path directory = Files.createDirectory(tests.resolve(folder));
        return new Run(test, startedAt, directory, root, series);
      } catch (FileAlreadyExistsException e) {
        startedAt = startedAt.plusMillis(1);
      }
    }
    throw new IOException("more than " + MAX_TRIES + " runs of " + test + " within a second");
  }

  /**
   * Finds the runs of a folder: a store, the runs of one test in it, or a single run. What has a
   * history or recordings, or was skipped, is a run; links are not followed.
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
            || Files.isRegularFile(folder.resolve(RunInfo.FILE))
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
      return new Run(
          test == null ? name : test.toString(), startedAt, folder, alone ? null : root, null);
    } catch (DateTimeParseException e) { // not one of ours: it is called as its folder is
      Instant startedAt = Files.getLastModifiedTime(folder).toInstant();
      return new Run(name, startedAt, folder, alone ? null : root, null);
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
