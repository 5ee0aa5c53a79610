package dev.holdfast.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.OptionalInt;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RunAsTest {

  @TempDir Path temp;

  @BeforeEach
  void openTheWayToTemp() throws IOException {
    allow(temp, "rwxr-xr-x");
    assumeTrue(RunAs.isOpen(temp), "the temporary folder is for one user only");
  }

  @Test
  void isOpenDistribution_allReadableButItsConfig_isTrue() throws IOException {
    assertThat(RunAs.isOpenDistribution(makeDistribution())).isTrue();
  }

  @Test
  void isOpenDistribution_belowAPrivateFolder_isFalse() throws IOException {
    Path distribution = makeDistribution();
    allow(temp.resolve("dists"), "rwx------");

    assertThat(RunAs.isOpenDistribution(distribution)).isFalse();
  }

  @Test
  void isOpenDistribution_onePrivateFile_isFalse() throws IOException {
    Path distribution = makeDistribution();
    allow(distribution.resolve("lib/a.jar"), "rw-r-----");

    assertThat(RunAs.isOpenDistribution(distribution)).isFalse();
  }

  @Test
  void isOpenDistribution_scriptOnlyItsOwnerCanRun_isFalse() throws IOException {
    Path distribution = makeDistribution();
    allow(distribution.resolve("bin/elasticsearch"), "rwxr--r--");

    assertThat(RunAs.isOpenDistribution(distribution)).isFalse();
  }

  @Test
  void isOpenJava_linkToAPrivateFolder_isFalse() throws IOException {
    Path home = temp.resolve("private/jdk");
    Files.createDirectories(home.resolve("bin"));
    Files.createDirectories(home.resolve("lib"));
    Path java = Files.writeString(home.resolve("bin/java"), "");
    for (Path path : new Path[] {home, home.resolve("bin"), home.resolve("lib"), java}) {
      allow(path, "rwxr-xr-x");
    }
    allow(temp.resolve("private"), "rwxr-xr-x");
    Path link = Files.createSymbolicLink(temp.resolve("current"), home);

    assertThat(RunAs.isOpenJava(link)).isTrue();
    allow(temp.resolve("private"), "rwx------");
    assertThat(RunAs.isOpenJava(link)).isFalse();
  }

  @Test
  void prefix_ofAUid_dropsAllOfRoot() {
    assertThat(new RunAs(OptionalInt.of(20_007)).prefix())
        .containsExactly("setpriv", "--reuid", "20007", "--regid", "20007", "--clear-groups");
    assertThat(new RunAs(OptionalInt.empty()).prefix()).isEmpty();
  }

  private Path makeDistribution() throws IOException {
    Path distribution = temp.resolve("dists/elasticsearch-9.5.3");
    for (String folder : new String[] {"bin", "lib", "modules", "config"}) {
      Files.createDirectories(distribution.resolve(folder));
      allow(distribution.resolve(folder), "rwxr-xr-x");
    }
    allow(distribution, "rwxr-xr-x");
    allow(temp.resolve("dists"), "rwxr-xr-x");
    allow(Files.writeString(distribution.resolve("bin/elasticsearch"), ""), "rwxr-xr-x");
    allow(Files.writeString(distribution.resolve("lib/a.jar"), ""), "rw-r--r--");
    allow(Files.writeString(distribution.resolve("config/users"), ""), "rw-rw----");
    return distribution;
  }

  private static void allow(Path path, String permissions) throws IOException {
    Files.setPosixFilePermissions(path, PosixFilePermissions.fromString(permissions));
  }
}
