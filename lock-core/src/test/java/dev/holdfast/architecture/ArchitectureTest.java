package dev.holdfast.architecture;

import static com.tngtech.archunit.base.DescribedPredicate.describe;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaAccess;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaCodeUnitAccess;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.lang.ArchRule;
import dev.holdfast.badexamples.EngineThatAsksTheWorld;
import dev.holdfast.badexamples.EngineThatKnowsElasticsearch;
import dev.holdfast.badexamples.elasticsearch.StoreThatCallsTheEngine;
import dev.holdfast.badexamples.internal.HelperThatNeedsAStore;
import dev.holdfast.badexamples.memory.StoreThatLogsToMicrometer;
import dev.holdfast.badexamples.micrometer.BindingThatWrites;
import dev.holdfast.badexamples.store.SpiThatNeedsAStore;
import java.lang.reflect.Method;
import java.time.Clock;
import java.time.Instant;
import java.time.InstantSource;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.OffsetDateTime;
import java.time.ZonedDateTime;
import java.util.Arrays;
import java.util.Date;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.Timer;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Which package may use what. Every rule is shown to fail, on a bad example written for it. */
class ArchitectureTest {

  private static final String LOCK = "dev.holdfast.lock";
  private static final String BAD = "dev.holdfast.badexamples";

  private static final JavaClasses MAIN =
      new ClassFileImporter()
          .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
          .importPackages(LOCK);

  /** What a package may use of the project and of others' libraries. */
  record Part(String name, Set<String> uses, List<String> libraries, Class<?> badExample) {

    /** The rule for this package of the project that has this root. */
    ArchRule rule(String root) {
      DescribedPredicate<JavaClass> own =
          describe(
              "of the packages " + uses + " of " + root + ", or a fencing token",
              used ->
                  uses.contains(used.getPackageName().replaceFirst("^" + root, ""))
                      || used.getFullName().equals("dev.holdfast.lock.FencingToken"));
      return classes()
          .that()
          .resideInAPackage(root + name)
          .should()
          .onlyDependOnClassesThat(
              own.or(resideInAnyPackage("java..", "org.slf4j..", "org.jspecify.."))
                  .or(resideInAnyPackage(libraries.toArray(String[]::new))));
    }
  }

  static List<Part> parts() {
    return List.of(
        new Part(
            "",
            Set.of("", ".store", ".internal"),
            List.of("com.fasterxml.jackson.."),
            EngineThatKnowsElasticsearch.class),
        new Part(".store", Set.of(".store", ".internal"), List.of(), SpiThatNeedsAStore.class),
        new Part(".internal", Set.of(".internal"), List.of(), HelperThatNeedsAStore.class),
        new Part(
            ".memory", Set.of(".memory", ".store"), List.of(), StoreThatLogsToMicrometer.class),
        new Part(
            ".elasticsearch",
            Set.of(".elasticsearch", ".store", ".internal"),
            List.of(
                "co.elastic..",
                "com.fasterxml.jackson..",
                "jakarta.json..",
                "javax.net.ssl..",
                "org.apache.hc.."),
            StoreThatCallsTheEngine.class),
        new Part(
            ".micrometer",
            Set.of(".micrometer", ""),
            List.of("io.micrometer.."),
            BindingThatWrites.class));
  }

  @ParameterizedTest
  @MethodSource("parts")
  void package_usesOnlyWhatItMay(Part part) {
    part.rule(LOCK).check(MAIN);
  }

  @ParameterizedTest
  @MethodSource("parts")
  void package_thatUsesMore_isFound(Part part) {
    JavaClasses bad = new ClassFileImporter().importClasses(part.badExample());

    assertThat(part.rule(BAD).evaluate(bad).getFailureReport().getDetails())
        .hasSize(1)
        .first()
        .asString()
        .contains(part.badExample().getName());
  }

  @Test
  void packages_ofTheLibrary_eachHaveTheirRule() {
    assertThat(MAIN.stream().map(JavaClass::getPackageName).distinct())
        .containsExactlyInAnyOrderElementsOf(
            parts().stream().map(part -> LOCK + part.name()).toList());
  }

  // --- Time, chance and threads

  private static final Set<Class<?>> CALENDARS =
      Set.of(
          Instant.class,
          LocalDate.class,
          LocalDateTime.class,
          OffsetDateTime.class,
          ZonedDateTime.class);

  private static final Set<Class<?>> RANDOMS =
      Set.of(Random.class, SplittableRandom.class, Timer.class);

  private static final Set<Class<?>> THREADS =
      Set.of(
          Executors.class,
          ForkJoinPool.class,
          LockSupport.class,
          ThreadFactory.class,
          ThreadLocalRandom.class);

  /** The two that a caller's thread needs: to see that it is interrupted, and who it is. */
  private static final Set<String> HARMLESS =
      Set.of("currentThread", "interrupted", "interrupt", "isInterrupted");

  private static final Set<String> DELAYS =
      Set.of("orTimeout", "completeOnTimeout", "delayedExecutor");

  /** Whether a simulator on virtual time, in one thread, would lose control by this. */
  private static boolean isOfTheWorld(JavaAccess<?> access) {
    JavaClass owner = access.getTargetOwner();
    String name = access.getName();
    boolean constructor = name.equals("<init>");
    if (owner.isEquivalentTo(System.class)) {
      return name.equals("nanoTime") || name.equals("currentTimeMillis");
    } else if (owner.isEquivalentTo(Thread.class)) {
      return !HARMLESS.contains(name);
    } else if (owner.isEquivalentTo(CompletableFuture.class)) {
      return DELAYS.contains(name) || runsInTheCommonPool(access);
    } else if (owner.isEquivalentTo(Clock.class) || owner.isEquivalentTo(InstantSource.class)) {
      return name.startsWith("system");
    } else if (owner.isEquivalentTo(UUID.class) || owner.isEquivalentTo(Math.class)) {
      return name.startsWith("random");
    } else if (owner.isEquivalentTo(Date.class)) {
      return constructor;
    } else if (CALENDARS.stream().anyMatch(owner::isEquivalentTo)) {
      return name.equals("now");
    }
    return THREADS.stream().anyMatch(owner::isEquivalentTo)
        || (constructor
            && (RANDOMS.stream().anyMatch(owner::isAssignableTo)
                || owner.isAssignableTo(ExecutorService.class)));
  }

  private static boolean runsInTheCommonPool(JavaAccess<?> access) {
    return access.getName().endsWith("Async")
        && access instanceof JavaCodeUnitAccess<?> call
        && call.getTarget().getRawParameterTypes().stream()
            .noneMatch(parameter -> parameter.isEquivalentTo(Executor.class));
  }

  /** What is allowed to, and why nothing else needs it. */
  private static final Set<String> TOUCHES_THE_WORLD =
      Set.of(
          "dev.holdfast.lock.Defaults", // what a manager uses unless it is given another
          "dev.holdfast.lock.TimerThread", // the scheduler, unless it is given another
          "dev.holdfast.lock.Ticker", // the clock, unless it is given another
          "dev.holdfast.lock.FutureWaits", // callers that block, which a simulator has none of
          "dev.holdfast.lock.FutureWaits$Wait", // likewise
          "dev.holdfast.lock.internal.Daemons", // threads for those who may have any
          "dev.holdfast.lock.elasticsearch.ManagedTransport", // connections, and how old names are
          // how long a connection has been silent, below the store
          "dev.holdfast.lock.elasticsearch.StaleConnections$Watched",
          // chance, to name an incarnation, and when to verify it
          "dev.holdfast.lock.elasticsearch.LockIndex");

  private static final ArchRule ONLY_DEFAULTS_TOUCH_THE_WORLD =
      noClasses()
          .that(
              describe(
                  "are not defaults",
                  (JavaClass c) -> !TOUCHES_THE_WORLD.contains(c.getFullName())))
          .should()
          .accessTargetWhere(
              describe("asks for time, chance or a thread", ArchitectureTest::isOfTheWorld))
          .because("a simulator gives the engine its time, its chance and its threads");

  @Test
  void time_chanceAndThreads_comeFromOutside() {
    ONLY_DEFAULTS_TOUCH_THE_WORLD.check(MAIN);
  }

  static List<String> badCalls() {
    return Arrays.stream(EngineThatAsksTheWorld.class.getDeclaredMethods())
        .filter(method -> !method.isSynthetic())
        .map(Method::getName)
        .toList();
  }

  @ParameterizedTest
  @MethodSource("badCalls")
  void time_chanceOrThread_takenFromTheWorld_isFound(String call) {
    JavaClasses bad = new ClassFileImporter().importClasses(EngineThatAsksTheWorld.class);

    assertThat(ONLY_DEFAULTS_TOUCH_THE_WORLD.evaluate(bad).getFailureReport().getDetails())
        .anySatisfy(detail -> assertThat(detail).contains("." + call + "("));
  }
}
