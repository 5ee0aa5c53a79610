package dev.holdfast.history.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.holdfast.history.HistoryScript;
import dev.holdfast.history.Operation;
import dev.holdfast.history.report.Plots.Plot;
import java.awt.Color;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.StringReader;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import javax.imageio.ImageIO;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.xml.sax.InputSource;

class PlotsTest {

  /** Twenty calls: 19 took 10 ms and one took 1 s; one failed after 100 ms, one is open. */
  private static final RunAnalysis ANALYSIS = analysis();

  private static RunAnalysis analysis() {
    HistoryScript script = new HistoryScript();
    for (int i = 0; i < 19; i++) {
      script.ok(10L * i, 10L * i + 10, "acquire", "lock", "a" + i, "client", "c");
    }
    script.ok(0, 1000, "acquire", "lock", "b", "client", "c");
    script.ok(0, 1000, "belief", "lock", "b", "client", "c"); // not a call to the lock service
    script.call(400, 500, Operation.Type.FAIL, "renew", "lock", "b");
    script.invoked(600, "release", "lock", "b");
    script.nemesis(300, "start-pause", "target", "<&>").nemesis(500, "stop-pause", "target", "<&>");
    return RunAnalysis.of(script.build());
  }

  private static List<Element> elements(Plot plot, String name) throws Exception {
    Document svg =
        DocumentBuilderFactory.newInstance()
            .newDocumentBuilder()
            .parse(new InputSource(new StringReader(new Plots(ANALYSIS).svg(plot).file())));
    var nodes = svg.getElementsByTagName(name);
    return IntStream.range(0, nodes.getLength()).mapToObj(i -> (Element) nodes.item(i)).toList();
  }

  private static double tickOf(Plot plot, String label) throws Exception {
    return elements(plot, "text").stream()
        .filter(
            text -> text.getTextContent().equals(label) && text.getAttribute("x").equals("56.0"))
        .mapToDouble(text -> Double.parseDouble(text.getAttribute("y")) - 4)
        .findFirst()
        .orElseThrow();
  }

  private static List<Double> ys(Element path) {
    List<Double> ys = new ArrayList<>();
    for (String point : path.getAttribute("d").split("[ML]", -1)) {
      if (!point.isEmpty()) {
        ys.add(Double.parseDouble(point.split(" ", -1)[1].replace("h0", "")));
      }
    }
    return ys;
  }

  @Test
  void latency_ofEachAnswer_isADotAtItsHeight() throws Exception {
    List<Element> dots =
        elements(Plot.LATENCY, "path").stream()
            .filter(path -> path.getAttribute("class").startsWith("dots"))
            .toList();
    Element acquires = dots.get(0);
    assertThat(ys(acquires)).hasSize(20);
    assertThat(ys(acquires).stream().mapToDouble(y -> y).max().orElseThrow())
        .isCloseTo(tickOf(Plot.LATENCY, "10 ms"), within(0.1));
    assertThat(ys(acquires).stream().mapToDouble(y -> y).min().orElseThrow())
        .isCloseTo(tickOf(Plot.LATENCY, "1 s"), within(0.1));
    Element failed =
        dots.stream()
            .filter(d -> d.getAttribute("class").endsWith("text"))
            .findFirst()
            .orElseThrow();
    assertThat(ys(failed)).hasSize(1);
    assertThat(ys(failed).get(0)).isCloseTo(tickOf(Plot.LATENCY, "100 ms"), within(0.1));
  }

  @Test
  void resources_areALineForEachClient_inAPanelForEachNumber_whereThereAreAny() {
    assertThat(new Plots(ANALYSIS).all()).doesNotContain(Plot.RESOURCES);
    HistoryScript script = new HistoryScript();
    for (int i = 0; i < 3; i++) {
      script.notice(100L * i, "resources", "client", "c1", "threads", 20L, "heap", 400L * (i + 1));
      script.notice(100L * i, "resources", "client", "c2", "threads", 40L);
    }
    Plots plots = new Plots(RunAnalysis.of(script.build()));

    assertThat(plots.all()).contains(Plot.RESOURCES);
    String svg = plots.svg(Plot.RESOURCES).file();
    assertThat(svg).contains(">c1<", ">c2<", ">threads<", ">heap<", ">1,000<");
    List<Double> blue = new ArrayList<>();
    Matcher paths = Pattern.compile("stroke-blue\"[^>]* d=\"([^\"]*)\"").matcher(svg);
    while (paths.find()) {
      for (String point : paths.group(1).split("[ML]", -1)) {
        if (!point.isEmpty()) {
          blue.add(Double.parseDouble(point.split(" ", -1)[1]));
        }
      }
    }
    // In the first panel the heap of c1 rises from a third to the top; its threads are in the next.
    assertThat(blue).hasSize(6);
    assertThat(blue.get(0) - blue.get(1)).isCloseTo(blue.get(1) - blue.get(2), within(0.2));
    assertThat(blue.get(2)).isLessThan(blue.get(0));
    assertThat(blue.subList(3, 6)).containsOnly(blue.get(3));
  }

  @Test
  void quantiles_medianAndSlowest_lieApart() throws Exception {
    List<Double> all =
        elements(Plot.QUANTILES, "path").stream()
            .filter(path -> path.getAttribute("class").contains("blue"))
            .flatMap(path -> ys(path).stream())
            .toList();
    assertThat(all.get(0)).isCloseTo(tickOf(Plot.QUANTILES, "10 ms"), within(0.1));
    assertThat(elements(Plot.QUANTILES, "text"))
        .extracting(Element::getTextContent)
        .as("only what was ever acknowledged has quantiles")
        .contains("acquire")
        .doesNotContain("renew", "release");
  }

  @Test
  void quantiles_thatCoincide_areDrawnOnce() throws Exception {
    HistoryScript script = new HistoryScript();
    for (int i = 0; i < 40; i++) {
      script.ok(100L * i, 100L * i + 10, "acquire", "lock", "a", "client", "c");
    }
    script.ok(2_000, 2_500, "acquire", "lock", "b", "client", "c");
    RunAnalysis analysis = RunAnalysis.of(script.build());
    String svg = new Plots(analysis).svg(Plot.QUANTILES).file();
    Map<String, Integer> points = new HashMap<>();
    Matcher paths =
        Pattern.compile("<path class=\"stroke-(blue|orange|green|sky)\".* d=\"(.*)\"").matcher(svg);
    while (paths.find()) {
      long count = paths.group(2).chars().filter(c -> c == 'M' || c == 'L').count();
      points.merge(paths.group(1), (int) count, Integer::sum);
    }
    assertThat(points.get("blue")).as("the median, whole").isGreaterThanOrEqualTo(40);
    assertThat(
            points.values().stream().mapToInt(each -> each).sum() - points.getOrDefault("blue", 0))
        .as("the others, only where they leave it")
        .isBetween(1, 9);
  }

  @Test
  void plots_all_shadeTheFaultAndSayWhatItIs() throws Exception {
    for (Plot plot : List.of(Plot.LATENCY, Plot.RATE)) {
      assertThat(elements(plot, "title"))
          .extracting(Element::getTextContent)
          .containsExactly("pause of <&> from 0.300 s to 0.500 s");
    }
  }

  @Test
  void rate_counts_addUpToAllCalls() throws Exception {
    double bottom = tickOf(Plot.RATE, "0");
    double top =
        elements(Plot.RATE, "text").stream()
            .filter(text -> text.getAttribute("text-anchor").equals("end"))
            .mapToDouble(text -> Double.parseDouble(text.getAttribute("y")))
            .min()
            .orElseThrow();
    assertThat(top).isLessThan(bottom);
    List<Element> lines =
        elements(Plot.RATE, "path").stream()
            .filter(path -> path.getAttribute("stroke-width").equals("1.8"))
            .toList();
    assertThat(lines).hasSize(3);
    double[] sums =
        lines.stream()
            .mapToDouble(line -> ys(line).stream().mapToDouble(y -> bottom - y).sum())
            .toArray();
    assertThat(sums[0] / sums[1]).as("twenty happened, one did not").isCloseTo(20, within(0.5));
    assertThat(sums[2] / sums[1]).as("one is open").isCloseTo(1, within(0.1));
  }

  @Test
  void image_ofAPlot_isAPngWithTheShadeInIt() throws Exception {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    new Plots(ANALYSIS).image(Plot.LATENCY).writePng(out);
    BufferedImage image = ImageIO.read(new ByteArrayInputStream(out.toByteArray()));
    assertThat(image.getWidth()).isEqualTo(2000);
    int shade = Color.decode(Palette.SHADE.light).getRGB();
    long shaded =
        IntStream.range(0, image.getWidth()).filter(x -> image.getRGB(x, 200) == shade).count();
    assertThat(shaded).as("a fifth of the width of the plot").isBetween(300L, 400L);
  }
}
