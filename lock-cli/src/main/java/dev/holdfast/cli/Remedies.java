package dev.holdfast.cli;

import dev.holdfast.lock.LockStoreUnavailableException;
import java.net.ConnectException;
import java.net.UnknownHostException;
import java.util.List;

/**
 * What the library's messages mean for an operator, by what they contain. The first entry that
 * matches counts. {@code docs/operations.md} has most of them as a table.
 */
final class Remedies {
  private static final String NO_LOCK = "No lock can be acquired, renewed or released.";
  private static final String OUTAGE =
      "To Holdfast this is an outage: nothing is acquired, and leases that are not renewed in time"
          + " are lost.";

  private record Entry(String pattern, String check, String meaning, String remedy) {
    boolean matches(String message) {
      return message.matches("(?s).*(?:" + pattern + ").*");
    }
  }

  private static final List<Entry> ENTRIES =
      List.of(
          new Entry(
              "not signed by an authority that is trusted here",
              "certificate",
              NO_LOCK + " Nothing was sent to the server, no password either.",
              "give the right CA: --ca-certificate FILE, HOLDFAST_CA, HOLDFAST_CA_FINGERPRINT or"
                  + " HOLDFAST_TRUST_STORE; Elasticsearch's own is config/certs/http_ca.crt"),
          new Entry(
              "fingerprint",
              "certificate",
              NO_LOCK + " Nothing was sent to the server, no password either.",
              "compare HOLDFAST_CA_FINGERPRINT with the SHA-256 of the CA's certificate; let the"
                  + " server send that certificate too, or use the file (--ca-certificate)"),
          new Entry(
              "certificate has expired|certificate is not valid yet",
              "certificate",
              NO_LOCK,
              "renew the server's certificate; check this machine's clock"),
          new Entry(
              "is for other names than the URL's",
              "certificate",
              NO_LOCK,
              "use a host name in the URL that the certificate contains, or issue one for this"
                  + " name"),
          new Entry(
              "does not speak TLS",
              "reachability",
              NO_LOCK,
              "use http:// in the URL, or enable TLS on the server"),
          new Entry(
              "closed the connection before it had answered",
              "reachability",
              OUTAGE,
              "use https:// in the URL if the server expects TLS; otherwise look into the log of"
                  + " the server, or of the proxy"),
          new Entry(
              "a redirect",
              "reachability",
              OUTAGE,
              "use the URL of Elasticsearch itself, not of Kibana or a login page"),
          new Entry(
              "answered 401",
              "credentials",
              NO_LOCK,
              "check HOLDFAST_USERNAME and HOLDFAST_PASSWORD, or HOLDFAST_API_KEY: an API key may"
                  + " have expired or been invalidated"),
          new Entry(
              "security_exception",
              "privileges",
              NO_LOCK,
              "grant one of the privileges that the message lists; docs/operations.md has the roles"
                  + " holdfast-locker and holdfast-maker"),
          new Entry(
              "index_closed_exception",
              "index",
              NO_LOCK + " Leases are lost when their validity ends.",
              "open it: POST /INDEX/_open; find out who closed it, such as a lifecycle policy"),
          new Entry(
              "cluster_block_exception|blocked by",
              "index",
              "Records cannot be written. Leases are lost when their validity ends.",
              "free disk space if it is the flood-stage watermark (Elasticsearch lifts that block by"
                  + " itself); otherwise set the index.blocks setting to null: PUT"
                  + " /INDEX/_settings"),
          new Entry(
              "explicit index in bulk is not allowed",
              "cluster setting",
              NO_LOCK,
              "remove rest.action.multi.allow_explicit_index: false from elasticsearch.yml"),
          new Entry(
              "too large \\(413\\)",
              "body limit",
              "Records of that size cannot be written.",
              "allow larger requests: client_max_body_size of nginx, http.max_content_length of"
                  + " Elasticsearch"),
          new Entry(
              "cannot be used for locks|must lead to exactly one index|no alias .* leads to it"
                  + "|cannot be created",
              "index",
              NO_LOCK + " An existing index is never changed by Holdfast.",
              "do what the message says; docs/operations.md#the-lock-index explains what the index"
                  + " must be"),
          new Entry(
              "the answer was 5|unavailable_shards|no_shard_available|not available",
              "reachability",
              OUTAGE,
              "look into the log of the proxy and of Elasticsearch, and at GET /_cluster/health: is"
                  + " the primary shard of the index assigned?"));

  private Remedies() {}

  /** Whether it is about the way to one node, so that another may be fine. */
  static boolean isAboutTheNode(Finding finding) {
    return finding.check().equals("reachability") || finding.check().equals("certificate");
  }

  static Finding of(LockStoreUnavailableException failure, String index) {
    String message = String.valueOf(failure.getMessage());
    for (Entry entry : ENTRIES) {
      if (entry.matches(message)) {
        return Finding.problem(
            entry.check(), message, entry.meaning(), entry.remedy().replace("INDEX", index));
      }
    }
    if (isCausedBy(failure, UnknownHostException.class)) {
      return Finding.problem(
          "reachability", message, OUTAGE, "check the host name in the URL, and DNS");
    }
    if (isCausedBy(failure, ConnectException.class)) {
      return Finding.problem(
          "reachability",
          message,
          OUTAGE,
          "start the node, or check host and port in the URL: nothing listens there");
    }
    if (failure.isRetryable()) {
      return Finding.problem(
          "reachability",
          message,
          OUTAGE,
          "check that the node runs and is not overloaded, and that no firewall drops its packets;"
              + " look into its log");
    }
    return Finding.problem("requests", message, NO_LOCK, "do what the message says");
  }

  private static boolean isCausedBy(Throwable failure, Class<?> type) {
    int depth = 0;
    for (Throwable t = failure; t != null && depth < 20; t = t.getCause(), depth++) {
      if (type.isInstance(t)) {
        return true;
      }
    }
    return false;
  }
}
