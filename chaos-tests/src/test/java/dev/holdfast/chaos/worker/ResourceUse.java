package dev.holdfast.chaos.worker;

import com.sun.management.UnixOperatingSystemMXBean;
import dev.holdfast.history.Vocabulary;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Stream;

/** What this process uses, as a notice in its history. Stateless. */
final class ResourceUse {

  private static final Path OPEN_FILES = Path.of("/proc/self/fd");

  private ResourceUse() {}

  /**
   * Collects garbage, and returns what is left: the heap, threads, open files and, where the system
   * tells them apart, sockets among these.
   */
  static Map<String, Object> now(String client) {
    System.gc();
    Map<String, Object> use = new LinkedHashMap<>();
    use.put(Vocabulary.CLIENT, client);
    use.put(
        ChaosVocabulary.HEAP_KIB,
        ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed() / 1024);
    use.put(ChaosVocabulary.THREADS, (long) ManagementFactory.getThreadMXBean().getThreadCount());
    if (ManagementFactory.getOperatingSystemMXBean() instanceof UnixOperatingSystemMXBean system) {
      use.put(ChaosVocabulary.FILES, system.getOpenFileDescriptorCount());
    }
    if (Files.isDirectory(OPEN_FILES)) {
      use.put(ChaosVocabulary.SOCKETS, sockets());
    }
    return use;
  }

  private static long sockets() {
    try (Stream<Path> open = Files.list(OPEN_FILES)) {
      return open.filter(ResourceUse::isSocket).count();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static boolean isSocket(Path file) {
    try {
      return Files.readSymbolicLink(file).toString().startsWith("socket:");
    } catch (IOException e) {
      return false; // closed since it was listed
    }
  }
}
