package dev.holdfast.cluster;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Drops packets between processes of different users on the loopback interface, by rules of this
 * JVM's own: in a chain of {@code iptables} or, where there is none, in a table of {@code nft}.
 * Needs Linux and root.
 *
 * <p>A guard, a small shell process, takes the rules away when this is closed, and also when the
 * JVM has ended in any other way. Should even the guard be killed, the next one to be opened takes
 * away what it left. Thread-safe.
 */
public final class Partitions implements AutoCloseable {

  private final PacketFilter filter;
  private final String name;
  private final Process guard;

  /** How often each is blocked: two faults may drop the same packets, and end one by one. */
  private final Map<Blocked, Integer> blocked = new HashMap<>();

  /** What processes of a user send to a port. */
  private record Blocked(int uid, int port) {}

  private Partitions(PacketFilter filter, String name, Process guard) {
    this.filter = filter;
    this.name = name;
    this.guard = guard;
  }

  /**
   * Makes a set of rules, empty, with the first tool that this machine lets us use.
   *
   * @throws IOException if there is none; the message says why not each
   */
  public static Partitions open() throws IOException {
    List<String> reasons = new ArrayList<>();
    for (PacketFilter each : PacketFilter.values()) {
      try {
        return open(each);
      } catch (IOException e) {
        reasons.add(String.valueOf(e.getMessage()));
      }
    }
    throw new IOException(String.join("; ", reasons));
  }

  static Partitions open(PacketFilter filter) throws IOException {
    Matcher matcher = filter.ours.matcher(run(filter.list()));
    while (matcher.find()) {
      if (ProcessHandle.of(Long.parseLong(matcher.group(2))).isEmpty()) {
        guard(filter, matcher.group(1)).getOutputStream().close();
      }
    }
    String name = filter.nameOf(ProcessHandle.current().pid());
    Partitions partitions = new Partitions(filter, name, guard(filter, name));
    try {
      for (List<String> command : filter.create(name)) {
        run(command);
      }
      partitions.block(0, 1); // does this kernel know users?
      partitions.unblock(0, 1);
      return partitions;
    } catch (IOException e) {
      partitions.close();
      throw e;
    }
  }

  private static Process guard(PacketFilter filter, String name) throws IOException {
    return new ProcessBuilder(
            "sh", "-c", "trap '' HUP INT TERM\nread -r line\n" + filter.removal, name)
        .redirectOutput(ProcessBuilder.Redirect.DISCARD)
        .redirectError(ProcessBuilder.Redirect.DISCARD)
        .start();
  }

  /** Drops, from now on, all that processes of the user send to the port on 127.0.0.1. */
  public synchronized void block(int uid, int port) throws IOException {
    Blocked what = new Blocked(uid, port);
    int times = blocked.getOrDefault(what, 0);
    if (times == 0) {
      run(filter.block(name, uid, port));
    }
    blocked.put(what, times + 1);
  }

  /** Takes away what one {@link #block} did; does nothing if there was none. */
  public synchronized void unblock(int uid, int port) throws IOException {
    Blocked what = new Blocked(uid, port);
    int times = blocked.getOrDefault(what, 0);
    if (times == 1) {
      run(filter.unblock(name, uid, port));
      blocked.remove(what);
    } else if (times > 1) {
      blocked.put(what, times - 1);
    }
  }

  /** Takes all rules away. */
  public synchronized void clear() throws IOException {
    run(filter.clear(name));
    blocked.clear();
  }

  /** Returns the tool that drops the packets, for reports. */
  public String tool() {
    return filter.tool;
  }

  private static String run(List<String> command) throws IOException {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    process.getOutputStream().close();
    String output =
        new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
    try {
      if (process.waitFor() != 0) {
        throw new IOException(String.join(" ", command) + ": " + output);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    }
    return output;
  }

  /** Takes all rules away, and what they are in, and returns when that is done. */
  @Override
  public void close() {
    try {
      guard.getOutputStream().close();
      int unused = guard.waitFor();
    } catch (IOException e) {
      throw new IllegalStateException("the rules " + name + " of " + tool() + " may be left", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt(); // the guard goes on without us
    }
  }

  /** A tool that can drop packets by the user that sends them. */
  enum PacketFilter {
    /** A chain of this JVM's own, to which OUTPUT jumps. */
    IPTABLES(
        "iptables",
        "HOLDFAST-",
        Pattern.compile("-A OUTPUT .*-j (HOLDFAST-(\\d+))"),
        """
        iptables -w -D OUTPUT -o lo -j "$0"
        iptables -w -F "$0"
        iptables -w -X "$0"
        """) {
      @Override
      List<String> list() {
        return iptables("-S", "OUTPUT");
      }

      @Override
      List<List<String>> create(String name) {
        return List.of(iptables("-N", name), iptables("-I", "OUTPUT", "-o", "lo", "-j", name));
      }

      @Override
      List<String> block(String name, int uid, int port) {
        return change("-A", name, uid, port);
      }

      @Override
      List<String> unblock(String name, int uid, int port) {
        return change("-D", name, uid, port);
      }

      @Override
      List<String> clear(String name) {
        return iptables("-F", name);
      }

      private static List<String> change(String how, String name, int uid, int port) {
        return iptables(
            how,
            name,
            "-p",
            "tcp",
            "-m",
            "owner",
            "--uid-owner",
            Integer.toString(uid),
            "--dport",
            Integer.toString(port),
            "-j",
            "DROP");
      }

      private static List<String> iptables(String... arguments) {
        List<String> command = new ArrayList<>(List.of("iptables", "-w"));
        command.addAll(List.of(arguments));
        return command;
      }
    },

    /** A table of this JVM's own, with one rule that looks users and ports up in a set. */
    NFT(
        "nft",
        "holdfast-",
        Pattern.compile("table ip (holdfast-(\\d+))"),
        """
        nft delete table ip "$0"
        """) {
      @Override
      List<String> list() {
        return List.of("nft", "list", "tables", "ip");
      }

      @Override
      List<List<String>> create(String name) {
        return List.of(
            List.of("nft", "add", "table", "ip", name),
            List.of("nft", "add", "set", "ip", name, SET, "{ type uid . inet_service; }"),
            List.of(
                "nft",
                "add",
                "chain",
                "ip",
                name,
                "output",
                "{ type filter hook output priority 0; policy accept; }"),
            List.of(
                "nft", "add", "rule", "ip", name, "output", "oifname", "lo", "meta", "skuid", ".",
                "tcp", "dport", "@" + SET, "drop"));
      }

      @Override
      List<String> block(String name, int uid, int port) {
        return change("add", name, uid, port);
      }

      @Override
      List<String> unblock(String name, int uid, int port) {
        return change("delete", name, uid, port);
      }

      @Override
      List<String> clear(String name) {
        return List.of("nft", "flush", "set", "ip", name, SET);
      }

      private static List<String> change(String how, String name, int uid, int port) {
        return List.of("nft", how, "element", "ip", name, SET, "{ %d . %d }".formatted(uid, port));
      }
    };

    private static final String SET = "dropped";

    private final String tool;
    private final String prefix;

    /** Finds in the {@link #list} what is ours: its name, and in that the id of its JVM. */
    private final Pattern ours;

    /** The shell script that takes away what has the name {@code $0}. */
    private final String removal;

    PacketFilter(String tool, String prefix, Pattern ours, String removal) {
      this.tool = tool;
      this.prefix = prefix;
      this.ours = ours;
      this.removal = removal;
    }

    String nameOf(long pid) {
      return prefix + pid;
    }

    abstract List<String> list();

    abstract List<List<String>> create(String name);

    abstract List<String> block(String name, int uid, int port);

    abstract List<String> unblock(String name, int uid, int port);

    abstract List<String> clear(String name);
  }
}
