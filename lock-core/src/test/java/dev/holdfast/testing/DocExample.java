package dev.holdfast.testing;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.tools.ToolProvider;

/**
 * An example of {@code docs/integrations.md}: a pom and one class.
 *
 * @param section of the page
 * @param classes where the compiled class is
 */
public record DocExample(String section, Path classes) {
  private static final Path PAGE = Path.of("../../docs/integrations.md");
  private static final Pattern JAVA =
      Pattern.compile("^```java\\R(.*?)^```", Pattern.MULTILINE | Pattern.DOTALL);

  private static String section(String page, String heading) {
    Matcher section =
        Pattern.compile("^## " + heading + "$(.*?)(?=^## |\\z)", Pattern.MULTILINE | Pattern.DOTALL)
            .matcher(page);
    assertThat(section.find()).isTrue();
    return section.group(1);
  }

  /**
   * Compiles the class {@code App}, as one file without a package, without a warning.
   *
   * @param heading of the section
   */
  public static DocExample compiledInto(Path folder, String heading) throws IOException {
    String section = section(Files.readString(PAGE), heading);
    Matcher java = JAVA.matcher(section);
    assertThat(java.find()).isTrue();
    Path source = Files.writeString(folder.resolve("App.java"), java.group(1));
    Path classes = Files.createDirectories(folder.resolve("classes"));
    int result =
        ToolProvider.getSystemJavaCompiler()
            .run(
                null,
                System.out,
                System.err,
                List.of(
                        "-Xlint:all,-path",
                        "-Werror",
                        "-proc:none",
                        "-d",
                        classes.toString(),
                        "-cp",
                        System.getProperty("java.class.path"),
                        source.toString())
                    .toArray(String[]::new));
    assertThat(result).as("javac's exit code").isZero();
    return new DocExample(section, classes);
  }

  public List<String> command() {
    return List.of(
        "-cp",
        classes + System.getProperty("path.separator") + System.getProperty("java.class.path"),
        "App");
  }
}
