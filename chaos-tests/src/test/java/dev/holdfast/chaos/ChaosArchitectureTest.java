package dev.holdfast.chaos;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import dev.holdfast.chaos.sim.Main;
import java.time.Instant;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.ThreadLocalRandom;
import org.junit.jupiter.api.Test;

/** Which package may use which, and what keeps a simulated run a function of its seed. */
class ChaosArchitectureTest {

  private static final JavaClasses ALL =
      new ClassFileImporter().importPackages("dev.holdfast.chaos");
  private static final JavaClasses SIMULATOR =
      new ClassFileImporter()
          .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
          .importPackages("dev.holdfast.chaos.sim");

  @Test
  void simulator_hasNoClockNoThreadAndNoChanceOfItsOwn() {
    noClasses()
        .that()
        // The command line shows progress and runs several seeds at a time.
        .doNotBelongToAnyOf(Main.class)
        .should()
        .callMethod(System.class, "nanoTime")
        .orShould()
        .callMethod(System.class, "currentTimeMillis")
        .orShould()
        .callMethod(System.class, "identityHashCode", Object.class)
        .orShould()
        .callMethod(Instant.class, "now")
        .orShould()
        .callMethod(UUID.class, "randomUUID")
        .orShould()
        .callMethod(Math.class, "random")
        .orShould()
        .callMethod(ThreadLocalRandom.class, "current")
        .orShould()
        .callConstructor(Random.class)
        .orShould()
        .callMethod(Thread.class, "start")
        .because("a run is a function of its plan")
        .check(SIMULATOR);
  }

  @Test
  void packages_dependInOneDirection() {
    notAbove("sim", "threads", "toxiproxy", "arena", "worker", "fault", "check", "scenario");
    notAbove("threads", "sim", "toxiproxy", "arena", "worker", "fault", "check", "scenario");
    notAbove("toxiproxy", "sim", "arena", "worker", "fault", "check", "scenario");
    notAbove("arena", "sim", "worker", "fault", "check", "scenario");
    notAbove("worker", "sim", "arena", "toxiproxy", "fault", "check", "scenario");
    notAbove("fault", "sim", "check", "scenario");
    notAbove("check", "sim", "arena", "toxiproxy", "scenario");
    notAbove("scenario", "sim", "toxiproxy");
  }

  private static void notAbove(String name, String... others) {
    String[] packages = new String[others.length];
    for (int i = 0; i < others.length; i++) {
      packages[i] = "dev.holdfast.chaos." + others[i];
    }
    noClasses()
        .that()
        .resideInAPackage("dev.holdfast.chaos." + name)
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage(packages)
        .check(ALL);
  }
}
