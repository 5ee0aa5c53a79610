package dev.holdfast.cluster;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Drops packets between processes of different users on the loopback interface, by rules of {@code
 * iptables} in a chain of this JVM's own. Needs Linux and root.
 *
 * <p>A guard, a small shell process, takes the chain away when this is closed, and also when the
 * JVM has ended in any other way. Should even the guard be killed, the next one to be opened takes
 * away what it left. Thread-safe.
 */
public final class Partitions implements AutoCloseable {

  private static final String PREFIX = "HOLDFAST-";
  private static final Pattern CHAIN = Pattern.compile("-A OUTPUT .*-j (" + PREFIX + "(\\d+))");
  private static final String GUARD =
      """
      trap '' HUP INT TERM
      read -r line
      iptables -w -D OUTPUT -o lo -j "$0"
      iptables -w -F "$0"
      iptables -w -X "$0"
      """;

  private final String chain;
  private final Process guard;

  private Partitions(String chain, Process guard) {
    this.chain = chain;
    this.guard = guard;
  }

  /**
   * Makes the chain, empty.
   *
   * @throws IOException if this machine does not let us; the message says why
   */
  public static Partitions open() throws IOException {
    String rules = iptables("-S", "OUTPUT");
    Matcher matcher = CHAIN.matcher(rules);
    while (matcher.find()) {
      if (ProcessHandle.of(Long.parseLong(matcher.group(2))).isEmpty()) {
        guard(matcher.group(1)).getOutputStream().close();
      }
    }
    String chain = PREFIX + ProcessHandle.current().pid();
    iptables("-N", chain);
    Partitions partitions = new Partitions(chain, guard(chain));
    try {
      iptables("-I", "OUTPUT", "-o", "lo", "-j", chain);
      partitions.change("-A", 0, 1); // does this kernel know users?
      partitions.change("-D", 0, 1);
      return partitions;
    } catch (IOException e) {
      partitions.close();
      throw e;
    }
  }

  private static Process guard(String chain) throws IOException {
    return new ProcessBuilder("sh", "-c", GUARD, chain)
        .redirectOutput(ProcessBuilder.Redirect.DISCARD)
        .redirectError(ProcessBuilder.Redirect.DISCARD)
        .start();
  }

  /** Drops, from now on, all that processes of the user send to the port on 127.0.0.1. */
  public void block(int uid, int port) throws IOException {
    change("-A", uid, port);
  }

  /** Takes away what {@link #block} did. */
  public void unblock(int uid, int port) throws IOException {
    change("-D", uid, port);
  }

  private void change(String how, int uid, int port) throws IOException {
    iptables(
        how,
        chain,
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

  /** Takes all rules away. */
  public void clear() throws IOException {
    iptables("-F", chain);
  }

  private static String iptables(String... arguments) throws IOException {
    List<String> command = new ArrayList<>(List.of("iptables", "-w"));
    command.addAll(List.of(arguments));
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

  /** Takes the chain with all its rules away, and returns when that is done. */
  @Override
  public void close() {
    try {
      guard.getOutputStream().close();
      int unused = guard.waitFor();
    } catch (IOException e) {
      throw new IllegalStateException("the chain " + chain + " of iptables may be left", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt(); // the guard goes on without us
    }
  }
}
