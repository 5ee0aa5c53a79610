package dev.holdfast.history.report;

import java.util.Locale;

/**
 * The colours of plots: those of Okabe and Ito ("Color Universal Design", 2008), which the
 * colour-blind can tell apart, each light and dark enough for its ground.
 */
enum Palette {
  GROUND("#ffffff", "#171c22"),
  TEXT("#1b1f24", "#e8ecf0"),
  MUTED("#59636e", "#9aa5b1"),
  GRID("#e3e7eb", "#2a323a"),
  SHADE("#f2dfe9", "#3c2a36"),
  BLUE("#0072b2", "#3ca0e0"),
  ORANGE("#d98e00", "#e69f00"),
  GREEN("#009e73", "#2fc196"),
  SKY("#56b4e9", "#8fd0f5"),
  RED("#d0021b", "#ff5a5f");

  private static final Palette[] SERIES = {BLUE, ORANGE, GREEN, SKY, MUTED};

  final String light;
  private final String dark;

  Palette(String light, String dark) {
    this.light = light;
    this.dark = dark;
  }

  /** The colour of the n-th of several things. */
  static Palette of(int series) {
    return SERIES[Math.min(series, SERIES.length - 1)];
  }

  /** The name of its class in SVG. */
  String text() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** Returns what gives SVG its colours, light and dark. */
  static String css() {
    StringBuilder light = new StringBuilder();
    StringBuilder dark = new StringBuilder();
    for (Palette color : values()) {
      light.append("--ink-" + color.text() + ":" + color.light + ";");
      dark.append("--ink-" + color.text() + ":" + color.dark + ";");
    }
    StringBuilder css = new StringBuilder();
    css.append(".plot{").append(light).append("font:12px system-ui,'Liberation Sans',sans-serif}");
    css.append("@media(prefers-color-scheme:dark){.plot{").append(dark).append("}}\n");
    for (Palette color : values()) {
      String name = color.text();
      css.append(String.format(".plot .%s{fill:var(--ink-%s)}", name, name));
      css.append(String.format(".plot .stroke-%s{stroke:var(--ink-%s)}\n", name, name));
    }
    return css.append(".plot path{fill:none}.plot .dots{stroke-linecap:round}").toString();
  }
}
