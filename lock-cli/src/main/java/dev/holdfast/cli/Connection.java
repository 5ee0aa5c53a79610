package dev.holdfast.cli;

import dev.holdfast.lock.LockManager;
import dev.holdfast.lock.elasticsearch.ElasticsearchLockStore;
import java.io.Console;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Option;

/**
 * How to get to the cluster: the environment, as {@link ElasticsearchLockStore#fromEnvironment()}
 * reads it, and options that replace parts of it. No option takes a secret, since every user of a
 * machine can see the arguments of its processes.
 */
final class Connection {
  private static final String URL = "HOLDFAST_URL";
  private static final String API_KEY = "HOLDFAST_API_KEY";
  private static final String USERNAME = "HOLDFAST_USERNAME";
  private static final String PASSWORD = "HOLDFAST_PASSWORD";
  private static final String CA = "HOLDFAST_CA";
  private static final String FILE = "_FILE";

  /** What may be given in place of which variable. */
  private static final Map<String, String> OPTIONS =
      Map.of(
          URL,
          "--url",
          API_KEY,
          "--api-key-file",
          API_KEY + FILE,
          "--api-key-file",
          USERNAME,
          "--username",
          PASSWORD,
          "--password-file",
          PASSWORD + FILE,
          "--password-file",
          CA,
          "--ca-certificate");

  @CommandLine.Spec(CommandLine.Spec.Target.MIXEE)
  private CommandLine.Model.@Nullable CommandSpec spec;

  @Option(
      names = "--url",
      paramLabel = "URL",
      split = ",",
      description = "One or more URLs of the cluster, instead of HOLDFAST_URL.")
  private List<String> urls = List.of();

  @Option(
      names = "--username",
      paramLabel = "NAME",
      description = {
        "A user, instead of HOLDFAST_USERNAME. The password is HOLDFAST_PASSWORD, or in a file,"
            + " or asked for on the terminal."
      })
  private @Nullable String username;

  @Option(
      names = "--password-file",
      paramLabel = "FILE",
      description = "A file that holds the password.")
  private @Nullable Path passwordFile;

  @Option(
      names = "--api-key-file",
      paramLabel = "FILE",
      description = "A file that holds an API key, instead of HOLDFAST_API_KEY.")
  private @Nullable Path apiKeyFile;

  @Option(
      names = "--ca-certificate",
      paramLabel = "FILE",
      description = "The CA's certificate (PEM), instead of HOLDFAST_CA.")
  private @Nullable Path caCertificate;

  @Option(
      names = "--index",
      paramLabel = "ALIAS",
      defaultValue = "holdfast-locks",
      description = {
        "The alias of the lock index (default: ${DEFAULT-VALUE}).",
        "An index that is made for it is called ALIAS-1."
      })
  private String alias = "holdfast-locks";

  /** What the environment and the options say together, as environment variables. */
  Map<String, String> environment() {
    return environment(System.getenv(), Terminal.console());
  }

  Map<String, String> environment(Map<String, String> given, @Nullable Console console) {
    Map<String, String> all = new LinkedHashMap<>();
    given.forEach(
        (name, value) -> {
          if (name.startsWith("HOLDFAST_") && !value.isBlank()) {
            all.put(name, value);
          }
        });
    if (!urls.isEmpty()) {
      all.put(URL, String.join(",", urls));
    }
    if (urls.stream().anyMatch(url -> url.contains("@"))) {
      throw usage(
          "--url must not contain a user or a password, which other users of this machine could see:"
              + " set HOLDFAST_USERNAME and HOLDFAST_PASSWORD, or use --username and"
              + " --password-file");
    }
    if (!all.containsKey(URL)) {
      throw usage("no cluster is given: set HOLDFAST_URL, or use --url https://HOST:9200");
    }
    if (apiKeyFile != null && (username != null || passwordFile != null)) {
      throw usage("--api-key-file cannot be combined with --username or --password-file");
    }
    if (apiKeyFile != null) {
      List.of(API_KEY, USERNAME, PASSWORD, PASSWORD + FILE).forEach(all::remove);
      all.put(API_KEY + FILE, apiKeyFile.toString());
    }
    if (username != null) {
      all.remove(API_KEY);
      all.remove(API_KEY + FILE);
      all.put(USERNAME, username);
    }
    if (passwordFile != null) {
      all.remove(PASSWORD);
      all.put(PASSWORD + FILE, passwordFile.toString());
    }
    if (caCertificate != null) {
      List.of("_FINGERPRINT", "").forEach(kind -> all.remove(CA + kind));
      all.remove("HOLDFAST_TRUST_STORE");
      all.remove("HOLDFAST_TRUST_STORE_PASSWORD");
      all.remove("HOLDFAST_TRUST_STORE_PASSWORD" + FILE);
      all.put(CA, caCertificate.toString());
    }
    askForPassword(all, console);
    return all;
  }

  private void askForPassword(Map<String, String> all, @Nullable Console console) {
    if (!all.containsKey(USERNAME)
        || all.containsKey(PASSWORD)
        || all.containsKey(PASSWORD + FILE)) {
      return;
    }
    if (console == null) {
      throw usage(
          "no password for user \""
              + all.get(USERNAME)
              + "\": set HOLDFAST_PASSWORD or HOLDFAST_PASSWORD_FILE, or use --password-file; it is"
              + " only asked for on a terminal");
    }
    char[] password = console.readPassword("Password of %s: ", all.get(USERNAME));
    if (password == null || password.length == 0) {
      throw usage("no password was given");
    }
    all.put(PASSWORD, new String(password));
  }

  String alias() {
    return alias;
  }

  /** The name of an index that is made for the alias. */
  String index() {
    return alias + "-1";
  }

  /** A store and a manager; with a cluster or settings that cannot be used, a usage error. */
  Session open() {
    return open(environment());
  }

  Session open(Map<String, String> environment) {
    ElasticsearchLockStore store;
    try {
      store =
          ElasticsearchLockStore.fromEnvironment(environment).indexNames(index(), alias()).build();
    } catch (IllegalArgumentException | IllegalStateException e) {
      throw usage(asTyped(String.valueOf(e.getMessage())));
    }
    return new Session(store);
  }

  /** The library names variables; who has given an option has not set its variable. */
  private String asTyped(String message) {
    for (Map.Entry<String, String> entry : OPTIONS.entrySet()) {
      String variable = entry.getKey();
      if ((message.startsWith(variable + ":") || message.startsWith(variable + " "))
          && isGiven(entry.getValue())) {
        return entry.getValue() + message.substring(variable.length());
      }
    }
    return message;
  }

  private boolean isGiven(String option) {
    return spec != null && spec.commandLine().getParseResult().hasMatchedOption(option);
  }

  CommandLine.ParameterException usage(String message) {
    if (spec == null) {
      throw new IllegalStateException("not part of a command: " + message);
    }
    return new CommandLine.ParameterException(spec.commandLine(), message);
  }

  /** A connection of one command. */
  static final class Session implements AutoCloseable {
    private final ElasticsearchLockStore store;
    private final LockManager.Builder builder;
    private @Nullable LockManager manager;

    Session(ElasticsearchLockStore store) {
      this.store = store;
      this.builder = LockManager.builder(store);
    }

    /** Settings of the manager, before the first use of {@link #locks}. */
    LockManager.Builder builder() {
      return builder;
    }

    LockManager locks() {
      LockManager current = manager;
      if (current == null) {
        current = builder.build();
        manager = current;
      }
      return current;
    }

    @Override
    public void close() {
      try (store) {
        if (manager != null) {
          manager.close();
        }
      }
    }
  }
}
