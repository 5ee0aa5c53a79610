package dev.holdfast.lock.elasticsearch;

import dev.holdfast.lock.internal.Texts;
import java.util.Objects;
import java.util.regex.Pattern;

/**
 * How the lock index is called.
 *
 * @param index the index itself
 * @param alias by which processes find it
 */
record IndexNames(String index, String alias) {
  private static final Pattern NAME = Pattern.compile("[a-z0-9.][a-z0-9._-]{0,199}");

  static final IndexNames DEFAULT = new IndexNames("holdfast-locks-1", "holdfast-locks");

  IndexNames {
    check(index, "index");
    check(alias, "alias");
    if (index.equals(alias) || index.startsWith(alias + ".")) {
      throw new IllegalArgumentException(
          "index and alias must differ, and the index must not begin with the alias and a dot, but"
              + " are \""
              + index
              + "\" and \""
              + alias
              + "\"");
    }
  }

  private static void check(String name, String what) {
    Objects.requireNonNull(name, what);
    if (!NAME.matcher(name).matches() || name.equals(".") || name.equals("..")) {
      throw new IllegalArgumentException(
          what
              + " must be 1 to 200 lower-case letters, digits, dots, underscores or hyphens, not"
              + " beginning with an underscore or hyphen, but is \""
              + Texts.printable(name)
              + "\"");
    }
  }

  /** What the aliases that name an incarnation begin with. */
  String incarnationPrefix() {
    return alias + ".";
  }
}
