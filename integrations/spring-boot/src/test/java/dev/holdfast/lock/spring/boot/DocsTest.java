package dev.holdfast.lock.spring.boot;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import java.util.spi.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The examples of the documentation compile; {@link BootVersionsIT} runs the first. */
class DocsTest {
  private static final String SURROUNDINGS =
      """
      package examples;
      import dev.holdfast.lock.spring.boot.*;
      import dev.holdfast.lock.spring.boot.Locked.OnContention;
      import org.springframework.scheduling.annotation.Scheduled;
      import org.springframework.transaction.annotation.Transactional;
      abstract class Example {
        record Account(String id) {}
        record Report() {}
        abstract void runReindex();
        abstract Report runImport(Account account);
      """;

  @TempDir Path folder;

  @Test
  void examples_compile() throws IOException {
    List<String> blocks = Docs.blocks("java");
    assertThat(blocks).hasSizeGreaterThan(1);
    assertThat(javac("DemoApplication", blocks.get(0))).isZero();
    for (String block : blocks.subList(1, blocks.size())) {
      assertThat(javac("Example", SURROUNDINGS + block + "}")).as(block).isZero();
    }
    assertThat(javac("Example", SURROUNDINGS + "int a = \"mistake\"; }")).isNotZero();
  }

  private int javac(String name, String source) throws IOException {
    Path file = folder.resolve(name + ".java");
    Files.writeString(file, source);
    return ToolProvider.findFirst("javac")
        .orElseThrow()
        .run(
            System.out,
            System.err,
            "-proc:none",
            "-d",
            folder.toString(),
            "-cp",
            System.getProperty("java.class.path"),
            file.toString());
  }

  /** The project to copy is of this version, and of a version of Spring Boot that is tested. */
  @Test
  void pomOfTheExample_hasVersionsThatAreTested() throws IOException {
    String pom = Docs.blocks("xml").get(0);
    String own = Files.readString(Path.of("pom.xml"));
    String version = first("<version>([^<]+)</version>", own);
    assertThat(pom).contains("<version>" + version + "</version>");
    String boot = first("(?s)spring-boot-starter-parent</artifactId>\\s*<version>([^<]+)<", pom);
    assertThat(Files.readString(Path.of("src/test/boot/spring-boot-4.1/pom.xml")))
        .contains("<version>" + boot + "</version>");
  }

  private static String first(String pattern, String text) {
    return Pattern.compile(pattern).matcher(text).results().findFirst().orElseThrow().group(1);
  }
}
