package dev.holdfast.history.report;

import static dev.holdfast.history.report.Html.escape;

import java.util.Locale;

/** Draws SVG, in the colours of the page around it or, as a separate file, of the reader. */
final class SvgDrawing implements Drawing {

  private final StringBuilder out = new StringBuilder();
  private final int width;
  private final int height;
  private final String title;

  SvgDrawing(int width, int height, String title) {
    this.width = width;
    this.height = height;
    this.title = title;
  }

  /** The drawing as an element of a page, which has the style. */
  String element() {
    return String.format(
        Locale.ROOT,
        "<svg class=\"plot\" xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\""
            + " viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"%s\">%n%s</svg>",
        width,
        height,
        width,
        height,
        escape(title),
        out);
  }

  /** The drawing as a file. */
  String file() {
    String element = element();
    int inside = element.indexOf('\n') + 1;
    return element.substring(0, inside)
        + "<style>"
        + Palette.css()
        + "</style>\n<rect class=\"ground\" width=\"100%\" height=\"100%\"/>\n"
        + element.substring(inside)
        + "\n";
  }

  @Override
  public void rect(Palette color, double x, double y, double wide, double high, String words) {
    draw("<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\"", color.text(), x, y, wide);
    draw(" height=\"%.1f\">", high);
    out.append(words.isEmpty() ? "" : "<title>" + escape(words) + "</title>").append("</rect>\n");
  }

  @Override
  public void line(Palette color, double thick, double[] xs, double[] ys) {
    path("stroke-" + color.text(), thick, xs, ys, false);
  }

  @Override
  public void dots(Palette color, double thick, double[] xs, double[] ys) {
    path("dots stroke-" + color.text(), thick, xs, ys, true);
  }

  private void path(String style, double thick, double[] xs, double[] ys, boolean dots) {
    draw("<path class=\"%s\" stroke-width=\"%.1f\" d=\"", style, thick);
    boolean down = false;
    for (int i = 0; i < xs.length; i++) {
      if (Double.isNaN(ys[i])) {
        down = false;
      } else {
        out.append(down && !dots ? 'L' : 'M');
        number(xs[i]);
        out.append(' ');
        number(ys[i]);
        out.append(dots ? "h0" : "");
        down = true;
      }
    }
    out.append("\"/>\n");
  }

  @Override
  public void text(Palette color, Anchor anchor, boolean bold, double x, double y, String text) {
    draw("<text class=\"%s\" x=\"%.1f\" y=\"%.1f\"", color.text(), x, y);
    out.append(" text-anchor=\"").append(anchor.name().toLowerCase(Locale.ROOT)).append('"');
    out.append(bold ? " font-weight=\"600\">" : ">").append(escape(text)).append("</text>\n");
  }

  /** With one digit after the point: there may be many thousands, and formatting is slow. */
  private void number(double value) {
    long tenths = Math.round(value * 10);
    out.append(tenths / 10);
    if (tenths % 10 != 0) {
      out.append('.').append(Math.abs(tenths % 10));
    }
  }

  private void draw(String format, Object... values) {
    out.append(String.format(Locale.ROOT, format, values));
  }
}
