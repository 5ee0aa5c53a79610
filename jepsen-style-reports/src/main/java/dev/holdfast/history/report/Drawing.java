package dev.holdfast.history.report;

/** Something to draw on, in pixels from the top left corner. */
interface Drawing {

  /** Where a text stands relative to its place. */
  enum Anchor {
    START,
    MIDDLE,
    END
  }

  /** A filled rectangle; the words are its tooltip. */
  void rect(Palette color, double x, double y, double wide, double high, String words);

  /** A line through points, broken where one is not a number. */
  void line(Palette color, double thick, double[] xs, double[] ys);

  /** A dot at each point. */
  void dots(Palette color, double thick, double[] xs, double[] ys);

  /** A line of text. */
  void text(Palette color, Anchor anchor, boolean bold, double x, double y, String text);
}
