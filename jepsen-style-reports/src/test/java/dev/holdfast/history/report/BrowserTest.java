package dev.holdfast.history.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/**
 * Of a whole class that is skipped no test is counted; so that a build without Chromium says it.
 */
class BrowserTest {
  @Test
  void chromium_isThere_orElsePagesAreNotLookedAt() {
    Optional<Path> executable = Browser.executable();
    assumeTrue(executable.isPresent(), Browser.missing());

    assertThat(executable.get()).matches(Files::isExecutable);
  }
}
