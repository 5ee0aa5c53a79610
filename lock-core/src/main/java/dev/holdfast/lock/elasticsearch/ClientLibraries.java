package dev.holdfast.lock.elasticsearch;

import co.elastic.clients.transport.ElasticsearchTransport;
import co.elastic.clients.transport.Version;
import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import java.util.Properties;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The client libraries that are found at run time, which the user's framework may have chosen.
 * Libraries that are too old, or not all there, are an error when the store is built: later, what
 * is missing would break the threads that serve all connections.
 */
final class ClientLibraries {
  private static final String UNKNOWN = "unknown";

  private static final Pattern NUMBERS = Pattern.compile("(\\d+)\\.(\\d+).*");

  /** Used by httpcore5, on its own threads. */
  private static final String JDK_NET = "jdk.net.ExtendedSocketOptions";

  /** Those that nothing brings along on the module path; the others are automatic modules. */
  private static final List<String> MODULES =
      List.of(
          "jdk.net",
          "jakarta.json",
          "com.fasterxml.jackson.databind",
          "org.apache.commons.logging",
          "org.slf4j");

  private ClientLibraries() {}

  /**
   * What the user's own client is used by.
   *
   * @throws IllegalStateException if the libraries are too old or incomplete
   */
  static <T> T forGivenClient(ElasticsearchTransport transport, Supplier<T> build) {
    return linked(
        "a store on a client of your own needs elasticsearch-java 8.18 or later",
        () -> {
          if (transport.getClass().getSimpleName().startsWith("Rest5")) {
            requireJdkNet();
          }
          return build.get();
        },
        () -> isOlder(elasticsearchJava(), 8, 18));
  }

  /**
   * What makes connections of its own.
   *
   * @throws IllegalStateException if the libraries are too old or incomplete
   */
  static <T> T forOwnConnections(Supplier<T> build) {
    return linked(
        "a store with connections of its own needs elasticsearch-java 9.2 or later and httpclient5"
            + " 5.5 or later with its httpcore5; with older ones, give a client of your own to"
            + " ElasticsearchLockStore.builder",
        () -> {
          requireJdkNet();
          return build.get();
        },
        () -> isOlder(elasticsearchJava(), 9, 2) || isOlder(httpclient5(), 5, 5));
  }

  private static <T> T linked(String needed, Supplier<T> build, Supplier<Boolean> tooOld) {
    try {
      if (tooOld.get()) {
        throw new IllegalStateException(message("are too old", needed));
      }
      return build.get();
    } catch (LinkageError e) {
      throw new IllegalStateException(
          message("do not fit together, or are not all there", needed), e);
    }
  }

  private static String message(String what, String needed) {
    return "The Elasticsearch client libraries "
        + what
        + ": found elasticsearch-java "
        + elasticsearchJava()
        + ", httpclient5 "
        + httpclient5()
        + " and httpcore5 "
        + release("org/apache/hc/core5/version.properties")
        + "; "
        + needed
        + missingModules();
  }

  /** An automatic module, as this one is on the module path, cannot require what it needs. */
  private static String missingModules() {
    ModuleLayer layer = ClientLibraries.class.getModule().getLayer();
    if (layer == null) {
      return "";
    }
    List<String> missing =
        MODULES.stream().filter(module -> layer.findModule(module).isEmpty()).toList();
    return missing.isEmpty()
        ? ""
        : ". On the module path, the modules "
            + missing
            + " are needed too: start Java with --add-modules ALL-MODULE-PATH,jdk.net, or require"
            + " them in a module of your own";
  }

  /** Not to be missed on the I/O thread, which would end. */
  private static void requireJdkNet() {
    try {
      var unused = Class.forName(JDK_NET);
    } catch (ClassNotFoundException e) {
      NoClassDefFoundError missing = new NoClassDefFoundError(JDK_NET + ", of module jdk.net");
      missing.initCause(e);
      throw missing;
    }
  }

  private static String elasticsearchJava() {
    try {
      Version version = Version.VERSION;
      return version == null ? UNKNOWN : version.toString();
    } catch (LinkageError e) {
      return UNKNOWN;
    }
  }

  private static String httpclient5() {
    return release("org/apache/hc/client5/version.properties");
  }

  private static String release(String resource) {
    ClassLoader loader = ClientLibraries.class.getClassLoader();
    try (InputStream in =
        loader == null
            ? ClassLoader.getSystemResourceAsStream(resource)
            : loader.getResourceAsStream(resource)) {
      return in == null ? "not found" : release(in);
    } catch (IOException e) {
      return UNKNOWN;
    }
  }

  private static String release(InputStream in) throws IOException {
    Properties properties = new Properties();
    properties.load(in);
    return properties.getProperty("info.release", UNKNOWN);
  }

  /** Whether a version is known to be older. */
  static boolean isOlder(@Nullable String version, int major, int minor) {
    Matcher numbers = NUMBERS.matcher(version == null ? "" : version);
    if (!numbers.matches()) {
      return false;
    }
    int itsMajor = Integer.parseInt(numbers.group(1));
    return itsMajor < major || (itsMajor == major && Integer.parseInt(numbers.group(2)) < minor);
  }
}
