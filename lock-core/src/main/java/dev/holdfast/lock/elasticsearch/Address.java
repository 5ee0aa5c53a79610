package dev.holdfast.lock.elasticsearch;

import java.net.IDN;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * One address of Elasticsearch, as the user wrote it. Host names need not be valid for DNS: Docker
 * and Compose give out names with underscores, for which {@link URI#getHost} is null.
 *
 * @param scheme {@code http} or {@code https}
 * @param credentials user and password, decoded, separated by a colon
 * @param host in ASCII and lower case; an IPv6 address stands in brackets
 * @param port 1 to 65535, or -1 for the scheme's own
 * @param path empty, or beginning but not ending with a slash; decoded
 */
record Address(String scheme, @Nullable String credentials, String host, int port, String path) {
  private static final String EXAMPLE = "https://localhost:9200";

  private static final int MAX_PORT = 65_535;

  private static final Pattern URL =
      Pattern.compile("([A-Za-z][A-Za-z0-9+.-]*)://([^/?#]*)([^?#]*)(.*)", Pattern.DOTALL);

  private static final Pattern ZONED_IPV6 = Pattern.compile("\\[[0-9A-Fa-f:.]+(%[^\\[\\]]+)?]");

  private static final Pattern HOST = Pattern.compile("[A-Za-z0-9._~-]+");

  private static final Pattern BARE_IPV6 = Pattern.compile("[0-9A-Fa-f]*(:[0-9A-Fa-f.]*){2,}");

  private static final Pattern BAD_PERCENT = Pattern.compile("%(?![0-9A-Fa-f]{2})");

  /**
   * The addresses that the URLs name, in their order.
   *
   * @throws IllegalArgumentException if one cannot be used, or they contradict one another; nothing
   *     of them is repeated in the message, since any part may be a password
   */
  static List<Address> parse(List<String> urls) {
    if (urls.isEmpty()) {
      throw new IllegalArgumentException("at least one URL is needed, such as " + EXAMPLE);
    }
    List<Address> addresses = new ArrayList<>();
    for (String url : urls) {
      Objects.requireNonNull(url, "url");
      try {
        addresses.add(parse(url.strip()));
      } catch (IllegalArgumentException e) {
        if (urls.size() == 1) {
          throw e;
        }
        throw new IllegalArgumentException(
            "URL " + (addresses.size() + 1) + " of " + urls.size() + ": " + e.getMessage(), e);
      }
    }
    checkAlike(addresses);
    return List.copyOf(addresses);
  }

  private static void checkAlike(List<Address> addresses) {
    if (addresses.stream().map(Address::path).distinct().count() > 1) {
      throw new IllegalArgumentException(
          "the URLs have different paths; the nodes of one cluster must be reached by the same path,"
              + " such as https://a:9200/es and https://b:9200/es");
    }
    if (addresses.stream().map(Address::credentials).filter(Objects::nonNull).distinct().count()
        > 1) {
      throw new IllegalArgumentException(
          "the URLs have different users or passwords, but one is used for all: give it in one of"
              + " them, or to basicAuth");
    }
  }

  private static Address parse(String url) {
    if (url.isEmpty()) {
      throw expected("it is empty; remove it, and the comma before or after it if it is in a list");
    }
    Matcher parts = URL.matcher(url);
    if (!parts.matches()) {
      throw withoutScheme(url);
    }
    String scheme = parts.group(1).toLowerCase(Locale.ROOT);
    if (!scheme.equals("http") && !scheme.equals("https")) {
      throw expected("its scheme is neither http nor https");
    }
    String authority = parts.group(2);
    checkText(url, parts);
    int at = authority.lastIndexOf('@');
    String credentials = at < 0 ? null : credentials(authority.substring(0, at));
    String hostAndPort = authority.substring(at + 1);
    if (BARE_IPV6.matcher(hostAndPort).matches()) {
      throw expected("an IPv6 address needs brackets, such as http://[::1]:9200");
    }
    int colon = hostAndPort.lastIndexOf(':');
    boolean hasPort = colon > hostAndPort.lastIndexOf(']');
    String host = host(hasPort ? hostAndPort.substring(0, colon) : hostAndPort);
    int port = hasPort ? port(hostAndPort.substring(colon + 1)) : -1;
    return new Address(scheme, credentials, host, port, path(parts.group(3)));
  }

  private static IllegalArgumentException withoutScheme(String url) {
    if (url.regionMatches(true, 0, "http:", 0, 5) || url.regionMatches(true, 0, "https:", 0, 6)) {
      return expected("its scheme is not followed by ://");
    }
    if (isCloudId(url)) {
      return expected(
          "it looks like a Cloud ID; write the address of the deployment's Elasticsearch endpoint"
              + " instead, which the Cloud console shows, with port 443");
    }
    return url.contains("://")
        ? expected("its scheme is malformed")
        : expected("it has no scheme; write https:// or http:// before the host");
  }

  /** A label, which may be missing, and in Base64 a domain and the names in it, between dollars. */
  private static boolean isCloudId(String url) {
    try {
      String encoded = url.substring(url.lastIndexOf(':') + 1);
      byte[] decoded = Base64.getDecoder().decode(encoded);
      return new String(decoded, StandardCharsets.UTF_8).matches("[A-Za-z0-9.:-]+\\$.*");
    } catch (IllegalArgumentException e) {
      return false;
    }
  }

  /** Whatever stands out of place, most often because a password has a special character. */
  private static void checkText(String url, Matcher parts) {
    String rest = parts.group(3) + parts.group(4);
    if (rest.indexOf('@') >= 0) {
      // A password with a slash in it reads like this, and paths are shown.
      throw expected(
          "it has an @ after the host; a user or password with a special character goes to"
              + " basicAuth, or is percent-encoded");
    }
    if (url.chars().anyMatch(c -> Character.isWhitespace(c) || Character.isISOControl(c))) {
      throw expected("it has white space or a control character; give each URL by itself");
    }
    if (!parts.group(4).isEmpty()) {
      throw expected("it has a query or a fragment");
    }
    if (parts.group(2).matches(".*[,;].*") || rest.contains("://")) {
      throw expected("it has a comma or semicolon, or is several; give each URL by itself");
    }
  }

  private static String credentials(String raw) {
    if (raw.isEmpty()) {
      throw expected("it has an @, but no user before it");
    }
    int colon = raw.indexOf(':');
    // A user with a colon in its name would be read as another, with another password.
    boolean isSplit = colon > 0 && decoded(raw.substring(0, colon)).indexOf(':') < 0;
    if (!isSplit || raw.indexOf('@') >= 0) {
      throw expected(
          "a user and a password are expected before the @, as in https://USER:PASSWORD@HOST:9200;"
              + " those with a special character go to basicAuth, or are percent-encoded");
    }
    return printable(decoded(raw));
  }

  private static String printable(String decoded) {
    if (decoded.chars().anyMatch(Character::isISOControl)) {
      throw expected("it has a control character, percent-encoded");
    }
    return decoded;
  }

  private static String host(String raw) {
    if (raw.isEmpty()) {
      throw expected("it has no host");
    }
    if (raw.startsWith("[")) {
      if (!ZONED_IPV6.matcher(raw).matches() || !isUri("http://" + raw)) {
        throw expected("what stands in brackets is no IPv6 address");
      }
      int zone = raw.indexOf('%');
      // The zone is the name of an interface. RFC 6874 writes it behind "%25".
      return zone < 0
          ? raw.toLowerCase(Locale.ROOT)
          : raw.substring(0, zone).toLowerCase(Locale.ROOT)
              + "%"
              + raw.substring(raw.startsWith("%25", zone) ? zone + 3 : zone + 1);
    }
    String host;
    try {
      host = IDN.toASCII(raw, IDN.ALLOW_UNASSIGNED);
    } catch (IllegalArgumentException e) {
      // Its message repeats the text.
      throw expected("its host is no name that DNS can have");
    }
    if (!HOST.matcher(host).matches() || host.startsWith(".") || host.contains("..")) {
      throw expected("its host has a character, or an empty part, that no host name has");
    }
    return host.toLowerCase(Locale.ROOT);
  }

  private static int port(String raw) {
    if (raw.isEmpty()) {
      return -1;
    }
    boolean digits = raw.chars().allMatch(c -> c >= '0' && c <= '9');
    int port = digits && raw.length() <= 6 ? Integer.parseInt(raw) : 0;
    if (port < 1 || port > MAX_PORT) {
      throw expected("its port must be a number from 1 to " + MAX_PORT);
    }
    return port;
  }

  private static String path(String raw) {
    String path = raw.replaceAll("/+$", "");
    if (BAD_PERCENT.matcher(path).find() || !isUri("http://localhost" + path)) {
      throw expected("its path has a character that must be percent-encoded");
    }
    return printable(decoded(path));
  }

  private static boolean isUri(String text) {
    try {
      return new URI(text).getHost() != null;
    } catch (URISyntaxException e) {
      return false;
    }
  }

  /** Percent-encoded bytes, as UTF-8; a percent sign that encodes nothing stays. */
  private static String decoded(String raw) {
    if (raw.indexOf('%') < 0) {
      return raw;
    }
    byte[] from = raw.getBytes(StandardCharsets.UTF_8);
    byte[] to = new byte[from.length];
    int length = 0;
    for (int i = 0; i < from.length; i++) {
      int high = from[i] == '%' && i + 2 < from.length ? Character.digit(from[i + 1], 16) : -1;
      int low = high < 0 ? -1 : Character.digit(from[i + 2], 16);
      to[length++] = low < 0 ? from[i] : (byte) (high * 16 + low);
      i += low < 0 ? 0 : 2;
    }
    return new String(to, 0, length, StandardCharsets.UTF_8);
  }

  private static IllegalArgumentException expected(String what) {
    return new IllegalArgumentException(
        "a URL such as " + EXAMPLE + " is expected, but of the one given: " + what);
  }

  boolean isTls() {
    return scheme.equals("https");
  }

  /** The node alone: equal for all who reach it by the same name. */
  Address withoutCredentials() {
    return new Address(scheme, null, host, port, path);
  }

  /** Without user and password. */
  @Override
  public String toString() {
    return scheme + "://" + host + (port < 0 ? "" : ":" + port) + path;
  }
}
