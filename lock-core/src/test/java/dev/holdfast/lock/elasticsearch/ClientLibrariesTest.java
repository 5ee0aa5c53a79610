package dev.holdfast.lock.elasticsearch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What is said of client libraries; ClientVersionsIT has real ones. */
class ClientLibrariesTest {

  @ParameterizedTest
  @CsvSource({
    "8.17.9, true",
    "7.99.0, true",
    "8.18.0, false",
    "8.18.0-SNAPSHOT, false",
    "8.100.1, false",
    "9.0, false",
    "10.0.0, false",
    "unknown, false",
    ", false",
  })
  void version_isOlder_onlyIfThatIsKnown(@Nullable String version, boolean older) {
    assertThat(ClientLibraries.isOlder(version, 8, 18)).isEqualTo(older);
  }

  @Test
  void linkageError_whenTheStoreIsBuilt_namesTheVersionsThatAreFound() {
    for (LinkageError missing :
        List.of(
            new NoSuchMethodError("x"),
            new NoClassDefFoundError("x"),
            new ExceptionInInitializerError("x"))) {
      assertThatThrownBy(
              () ->
                  ClientLibraries.forOwnConnections(
                      () -> {
                        throw missing;
                      }))
          .isInstanceOf(IllegalStateException.class)
          .hasCause(missing)
          .message()
          .containsPattern(
              "found elasticsearch-java 9[0-9.]+, httpclient5 5[0-9.]+ and httpcore5 5")
          .contains("needs elasticsearch-java 9.2 or later and httpclient5 5.5 or later");
    }
  }

  /** Of which nobody can say that other libraries would help. */
  @Test
  void otherError_whenTheStoreIsBuilt_isThrownAsItIs() {
    Error none = new OutOfMemoryError("unable to create native thread");
    assertThatThrownBy(
            () ->
                ClientLibraries.forOwnConnections(
                    () -> {
                      throw none;
                    }))
        .isSameAs(none);
  }
}
