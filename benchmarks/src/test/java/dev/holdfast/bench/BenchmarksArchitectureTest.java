package dev.holdfast.bench;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import org.junit.jupiter.api.Test;

/** Which package may use which. */
class BenchmarksArchitectureTest {

  private static final JavaClasses MAIN =
      new ClassFileImporter()
          .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
          .importPackages("dev.holdfast.bench");

  @Test
  void packages_dependInOneDirection() {
    notAbove("report", "peers", "jmh", "ttl", "scenarios", "cli");
    notAbove("peers", "jmh", "ttl", "scenarios", "cli");
    notAbove("jmh", "ttl", "scenarios", "cli");
    notAbove("ttl", "peers", "jmh", "scenarios", "cli");
    notAbove("scenarios", "cli");
  }

  private static void notAbove(String name, String... others) {
    String[] packages = new String[others.length];
    for (int i = 0; i < others.length; i++) {
      packages[i] = "dev.holdfast.bench." + others[i] + "..";
    }
    noClasses()
        .that()
        .resideInAPackage("dev.holdfast.bench." + name + "..")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage(packages)
        .check(MAIN);
  }
}
