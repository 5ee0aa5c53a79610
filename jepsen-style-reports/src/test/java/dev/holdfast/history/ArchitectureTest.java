package dev.holdfast.history;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import org.junit.jupiter.api.Test;

class ArchitectureTest {

  private static final JavaClasses ALL =
      new ClassFileImporter().importPackages("dev.holdfast.history");
  private static final JavaClasses MAIN =
      new ClassFileImporter()
          .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
          .importPackages("dev.holdfast.history");

  @Test
  void module_all_neverUsesALock() {
    noClasses()
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("dev.holdfast.lock..", "dev.holdfast.chaos..")
        .because("a saved history is to be checked offline, by anyone, whatever lock made it")
        .check(ALL);
  }

  @Test
  void packages_all_dependInOneDirection() {
    noClasses()
        .that()
        .resideInAPackage("dev.holdfast.history")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("..check..", "..report..", "..cli..")
        .check(MAIN);
    noClasses()
        .that()
        .resideInAPackage("..check..")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("..report..", "..cli..")
        .check(MAIN);
  }
}
