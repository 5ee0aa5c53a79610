package dev.holdfast.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class JavaHomesTest {

  @TempDir Path root;
  private Path running;
  private Path userHome;

  @BeforeEach
  void makeRunningJava17() throws IOException {
    running = makeHome("running", "17.0.15");
    userHome = Files.createDirectories(root.resolve("home/me"));
  }

  @Test
  void find_runningJavaSuffices_returnsIt() throws IOException {
    makeHome("usr/lib/jvm/jdk-25", "25");

    assertThat(homes(Map.of()).find(17)).contains(running);
  }

  @Test
  void find_runningJavaTooOld_returnsFirstUsualPlaceThatSuffices() throws IOException {
    makeHome("usr/lib/jvm/jdk-11", "11.0.2");
    Path system = makeHome("usr/lib/jvm/jdk-21", "21.0.1");
    makeHome("opt/jdk-25", "25");

    assertThat(homes(Map.of()).find(21)).contains(system);
  }

  @Test
  void find_variables_preferEsJavaHomeThenJavaHome() throws IOException {
    Path es = makeHome("a", "21.0.1");
    Path plain = makeHome("b", "25.0.3");
    Map<String, String> both = Map.of("JAVA_HOME", plain.toString(), "ES_JAVA_HOME", es.toString());

    assertThat(homes(both).find(17)).contains(es);
    assertThat(homes(both).find(25)).contains(plain);
  }

  @Test
  void find_variableWithVersionInName_isLastResort() throws IOException {
    Path runner = makeHome("hosted", "21.0.4");

    assertThat(homes(Map.of("JAVA_HOME_21_X64", runner.toString())).find(21)).contains(runner);
    assertThat(homes(Map.of("JAVA_HOME_OF_SOMETHING", runner.toString())).find(21)).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({
    "usr/lib/jvm/x",
    "opt/java/openjdk",
    "opt/jdk-21",
    "home/me/.sdkman/candidates/java/21-tem",
    "home/me/.jdks/x",
    "Library/Java/JavaVirtualMachines/x/Contents/Home",
  })
  void find_usualPlace_isSearched(String place) throws IOException {
    Path home = makeHome(place, "21.0.4");

    assertThat(homes(Map.of()).find(21)).contains(home);
  }

  @Test
  void find_noneSuffices_isEmptyAndPlacesNameWhatWasSeen() {
    assertThat(homes(Map.of()).find(99)).isEmpty();
    assertThat(homes(Map.of()).places()).contains("ES_JAVA_HOME", running.toString());
  }

  @Test
  void find_homeWithoutJava_isIgnored() throws IOException {
    Files.delete(makeHome("usr/lib/jvm/broken", "21").resolve("bin/java"));

    assertThat(homes(Map.of()).find(21)).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({"1.8.0_292, 8", "17.0.15, 17", "21, 21", "25-ea, 25"})
  void featureVersion_ofRelease_isItsFirstSignificantNumber(String version, int feature)
      throws IOException {
    assertThat(JavaHomes.featureVersion(makeHome("some", version))).hasValue(feature);
  }

  @Test
  void featureVersion_noReleaseFile_isEmpty() {
    assertThat(JavaHomes.featureVersion(root.resolve("nowhere"))).isEmpty();
  }

  @Test
  void ofThisMachine_anyJava_findsAtLeastTheRunningOne() {
    assertThat(JavaHomes.ofThisMachine().find(17)).isPresent();
  }

  private JavaHomes homes(Map<String, String> environment) {
    return new JavaHomes(environment, running, userHome, root);
  }

  private Path makeHome(String path, String version) throws IOException {
    Path home = root.resolve(path);
    Files.createDirectories(home.resolve("bin"));
    Path java = Files.writeString(home.resolve("bin/java"), "");
    assertThat(java.toFile().setExecutable(true)).isTrue();
    Files.writeString(
        home.resolve("release"), "IMPLEMENTOR=\"x\"\nJAVA_VERSION=\"" + version + "\"\n");
    return home;
  }
}
