package dev.holdfast.history.report;

import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Font;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.geom.Path2D;
import java.awt.geom.Rectangle2D;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.OutputStream;
import javax.imageio.ImageIO;

/** Draws an image in light colours, at twice the size, for screens of today. */
final class ImageDrawing implements Drawing {

  private static final int SCALE = 2;

  private final BufferedImage image;
  private final Graphics2D graphics;

  ImageDrawing(int width, int height) {
    image = new BufferedImage(width * SCALE, height * SCALE, BufferedImage.TYPE_INT_RGB);
    graphics = image.createGraphics();
    graphics.scale(SCALE, SCALE);
    graphics.setRenderingHint(RenderingHints.KEY_ANTIALIASING, RenderingHints.VALUE_ANTIALIAS_ON);
    graphics.setRenderingHint(
        RenderingHints.KEY_TEXT_ANTIALIASING, RenderingHints.VALUE_TEXT_ANTIALIAS_ON);
    rect(Palette.GROUND, 0, 0, width, height, "");
  }

  void writePng(OutputStream out) throws IOException {
    if (!ImageIO.write(image, "png", out)) {
      throw new IOException("this Java cannot write PNG");
    }
  }

  @Override
  public void rect(Palette color, double x, double y, double wide, double high, String words) {
    use(color, 1);
    graphics.fill(new Rectangle2D.Double(x, y, wide, high));
  }

  @Override
  public void line(Palette color, double thick, double[] xs, double[] ys) {
    use(color, thick);
    Path2D path = new Path2D.Double();
    boolean down = false;
    for (int i = 0; i < xs.length; i++) {
      if (Double.isNaN(ys[i])) {
        down = false;
      } else if (down) {
        path.lineTo(xs[i], ys[i]);
      } else {
        path.moveTo(xs[i], ys[i]);
        down = true;
      }
    }
    graphics.draw(path);
  }

  @Override
  public void dots(Palette color, double thick, double[] xs, double[] ys) {
    use(color, 1);
    for (int i = 0; i < xs.length; i++) {
      graphics.fill(new Rectangle2D.Double(xs[i] - thick / 2, ys[i] - thick / 2, thick, thick));
    }
  }

  @Override
  public void text(Palette color, Anchor anchor, boolean bold, double x, double y, String text) {
    use(color, 1);
    graphics.setFont(new Font(Font.SANS_SERIF, bold ? Font.BOLD : Font.PLAIN, 12));
    double wide = graphics.getFontMetrics().stringWidth(text);
    double shift =
        switch (anchor) {
          case START -> 0;
          case MIDDLE -> wide / 2;
          case END -> wide;
        };
    graphics.drawString(text, (float) (x - shift), (float) y);
  }

  private void use(Palette color, double thick) {
    graphics.setColor(Color.decode(color.light));
    graphics.setStroke(
        new BasicStroke((float) thick, BasicStroke.CAP_ROUND, BasicStroke.JOIN_ROUND));
  }
}
