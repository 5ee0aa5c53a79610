package dev.holdfast.lock.internal;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TextsTest {

  @ParameterizedTest
  @CsvSource({
    "0a, \\n",
    "0d, \\r",
    "09, \\t",
    "00, \\u0000",
    "08, \\u0008",
    "1b, \\u001b",
    "7f, \\u007f",
    "85, \\u0085",
    "9b, \\u009b",
    "ad, \\u00ad",
    "200b, \\u200b",
    "200f, \\u200f",
    "2028, \\u2028",
    "2029, \\u2029",
    "202e, \\u202e",
    "2066, \\u2066",
    "2069, \\u2069",
    "feff, \\ufeff",
    "d800, \\ud800",
    "dc00, \\udc00",
    "e0041, \\udb40\\udc41"
  })
  void character_thatIsNotDisplayed_isEscaped(String codePoint, String escaped) {
    String hidden = Character.toString(Integer.parseInt(codePoint, 16));

    assertThat(Texts.isPrintable("a" + hidden)).isFalse();
    assertThat(Texts.printable("a" + hidden + "b")).isEqualTo("a" + escaped + "b");
    assertThat(Texts.printable(hidden)).isEqualTo(escaped);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "job:1/a b\"c\\d", "Schlüssel", "鍵", "مفتاح", "\uD83D\uDD12"})
  void text_thatIsDisplayed_isUnchanged(String text) {
    assertThat(Texts.isPrintable(text)).isTrue();
    assertThat(Texts.printable(text)).isEqualTo(text);
  }

  @Test
  void text_thatIsPrintable_isUnchangedByAnotherCall() {
    String once = Texts.printable("a\nb\u001b[31m\\n");

    assertThat(Texts.printable(once)).isEqualTo(once).isEqualTo("a\\nb\\u001b[31m\\n");
    assertThat(Texts.printable(null)).isEqualTo("null");
  }
}
