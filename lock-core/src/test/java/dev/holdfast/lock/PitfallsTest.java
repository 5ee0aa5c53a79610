package dev.holdfast.lock;

import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaMethod;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.platform.commons.annotation.Testable;

class PitfallsTest {

  private static final List<JavaMethod> GUARDS =
      new ClassFileImporter()
          .importPackages("dev.holdfast.lock").stream()
              .flatMap(type -> type.getMethods().stream())
              .filter(method -> method.isAnnotatedWith(GuardsAgainst.class))
              .toList();

  private static Map<Pitfall, List<JavaMethod>> guards() {
    Map<Pitfall, List<JavaMethod>> guards = new EnumMap<>(Pitfall.class);
    for (Pitfall pitfall : Pitfall.values()) {
      guards.put(
          pitfall,
          GUARDS.stream()
              .filter(
                  method ->
                      Arrays.asList(method.getAnnotationOfType(GuardsAgainst.class).value())
                          .contains(pitfall))
              .toList());
    }
    return guards;
  }

  @ParameterizedTest
  @EnumSource
  void pitfall_each_hasATestThatGuardsAgainstIt(Pitfall pitfall) {
    assertThat(guards().get(pitfall)).isNotEmpty();
  }

  @Test
  void guard_each_isATest() {
    assertThat(GUARDS).isNotEmpty().allMatch(method -> method.isMetaAnnotatedWith(Testable.class));
  }
}
