package dev.holdfast.lock.elasticsearch;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.cluster.ElasticsearchVersion;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** An application that is a named module, on the module path, with the jar that was built. */
@Timeout(600)
class ModulePathIT {
  private static final Path SOURCES = Path.of("src/test/clients/java/app");

  @TempDir Path folder;

  private List<Path> modules;

  @BeforeEach
  void open() throws IOException {
    modules = new ArrayList<>(List.of(folder, ForkedJava.jar()));
    modules.addAll(ForkedJava.paths(Path.of("target/runtime-classpath")));
  }

  private String outputOf(List<String> options, String requires) throws Exception {
    Path descriptor = folder.resolve("module-info.java");
    Files.writeString(descriptor, "module app { requires dev.holdfast.lock; " + requires + " }");
    ForkedJava.javac(
        folder,
        List.of("--module-path", ForkedJava.joined(modules)),
        descriptor,
        SOURCES.resolve("Locks.java"),
        SOURCES.resolve("Rest5.java"));
    try (LockCluster cluster = LockCluster.on(ElasticsearchVersion.V8)) {
      List<String> arguments = new ArrayList<>(options);
      arguments.addAll(
          List.of(
              "--module-path",
              ForkedJava.joined(modules),
              "-m",
              "app/app.Rest5",
              cluster.node().toString(),
              cluster.alias()));
      return ForkedJava.java(folder, arguments.toArray(String[]::new)).output();
    }
  }

  @Test
  void store_onTheModulePathWithoutTheModulesItNeeds_isNotBuilt_andSaysWhich() throws Exception {
    assertThat(outputOf(List.of(), ""))
        .contains("own connections: java.lang.IllegalStateException: ")
        .contains("jdk.net", "jakarta.json", "com.fasterxml.jackson.databind")
        .contains("--add-modules ALL-MODULE-PATH,jdk.net")
        .doesNotContain("Unavailable");
  }

  /** Nothing else is missing then, and the threads of the HTTP client would end. */
  @Test
  void store_onTheModulePathWithoutJdkNet_isNotBuilt_whoeverMadeTheConnections() throws Exception {
    assertThat(outputOf(List.of("--add-modules", "ALL-MODULE-PATH"), ""))
        .contains("own connections: java.lang.IllegalStateException: ")
        .contains("given client: java.lang.IllegalStateException: ")
        .contains("the modules [jdk.net] are needed too")
        .doesNotContain("Unavailable");
  }

  @Test
  void store_onTheModulePathWithTheModulesThatWereNamed_works() throws Exception {
    assertThat(outputOf(List.of("--add-modules", "ALL-MODULE-PATH,jdk.net"), ""))
        .contains("own connections: works")
        .contains("given client: works");
  }

  @Test
  void store_inAModuleThatRequiresTheModulesThatWereNamed_works() throws Exception {
    assertThat(
            outputOf(
                List.of(),
                "requires jdk.net; requires jakarta.json; requires com.fasterxml.jackson.databind;"
                    + " requires org.apache.commons.logging; requires org.slf4j;"))
        .contains("own connections: works")
        .contains("given client: works");
  }
}
