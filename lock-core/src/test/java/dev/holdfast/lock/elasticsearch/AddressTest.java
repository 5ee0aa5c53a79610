package dev.holdfast.lock.elasticsearch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Which addresses are taken, and what is said of the others. */
@Timeout(60)
class AddressTest {

  @ParameterizedTest
  @CsvSource({
    "http://localhost:9200, http://localhost:9200",
    "http://localhost:9200/, http://localhost:9200",
    "http://localhost:9200//, http://localhost:9200",
    "HTTPS://Host.Example, https://host.example",
    "http://host:, http://host",
    "http://es_node:9200, http://es_node:9200",
    "http://_es-1_, http://_es-1_",
    "http://host.example.:9200, http://host.example.:9200",
    "http://bücher.example:9200, http://xn--bcher-kva.example:9200",
    "http://BÜCHER.example, http://xn--bcher-kva.example",
    "http://例え.テスト:9200, http://xn--r8jz45g.xn--zckzah:9200",
    "http://127.0.0.1:1, http://127.0.0.1:1",
    "http://[::1]:9200/, http://[::1]:9200",
    "http://[2001:DB8::1], http://[2001:db8::1]",
    "http://[fe80::1%eth0]:9200, http://[fe80::1%eth0]:9200",
    "http://[FE80::1%25Eth0]:9200, http://[fe80::1%Eth0]:9200",
    "https://host/es/, https://host/es",
    "https://host:65535/a/b, https://host:65535/a/b",
    "https://host/a%20b/, https://host/a b",
    "https://u:secret-word@host:9200/, https://host:9200",
    "https://u:secret-word@es_node:9200/es/, https://es_node:9200/es",
    "'  http://host:9200 ', http://host:9200",
  })
  void address_thatCanBeUsed_isTaken(String url, String shown) {
    try (ElasticsearchLockStore store = ElasticsearchLockStore.builder(url).build()) {
      assertThat(store.description()).isEqualTo("Elasticsearch at " + shown);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "u:p, u:p",
    "u:, u:",
    "u:p%40x%3a%2F, u:p@x:/",
    "u:%C3%BC, u:ü",
    "u:100%, u:100%",
    "u:p:q, u:p:q",
  })
  void credentials_areDecoded(String written, String meant) {
    assertThat(Address.parse(List.of("http://" + written + "@h")).get(0).credentials())
        .isEqualTo(meant);
  }

  @ParameterizedTest
  @CsvSource({
    "'', is empty",
    "' ', is empty",
    "localhost:9200, no scheme",
    "localhost, no scheme",
    "es_node:9200, no scheme",
    "127.0.0.1:9200, no scheme",
    "[::1]:9200, no scheme",
    "//localhost:9200, no scheme",
    "svc:secret-word@host:9200, no scheme",
    "http:localhost:9200, not followed by ://",
    "https:/localhost:9200, not followed by ://",
    "http//localhost:9200, no scheme",
    "ftp://u:secret-word@h, neither http nor https",
    "://localhost, scheme is malformed",
    "http://, no host",
    "http:///es, no host",
    "http://:9200, no host",
    "http://u:secret-word@, no host",
    "http://u:secret-word@:9200, no host",
    "http://@host:9200, no user",
    "http://u@host:9200, a user and a password",
    "http://:secret-word@host:9200, a user and a password",
    "http://u:secret-word@x@host:9200, special character",
    "https://user:2024/secret-word@h, special character",
    "https://user:a#secret-word@h, special character",
    "https://user:a?secret-word@h, special character",
    "http://host:0, from 1 to 65535",
    "http://host:65536, from 1 to 65535",
    "http://host:99999999999, from 1 to 65535",
    "http://host:-1, from 1 to 65535",
    "http://host:9200x, from 1 to 65535",
    "http://user:secret-word, from 1 to 65535",
    "http://::1:9200, needs brackets",
    "http://::1, needs brackets",
    "http://2001:db8::1, needs brackets",
    "http://[::1, brackets",
    "http://[localhost]:9200, brackets",
    "http://[1:2]:9200, brackets",
    "http://host name:9200, white space",
    "'http://a:9200 http://b:9200', white space",
    "'http://a:9200,http://b:9200', each URL by itself",
    "http://a;b, each URL by itself",
    "http://a<b>, character",
    "http://a..b, its host",
    "http://.a, its host",
    "http://a%2Eb, character",
    "http://h?x=secret-word, query",
    "http://h/#secret-word, query or a fragment",
    "http://h/a<b, percent-encoded",
    "http://h/%zz, percent-encoded",
    "'my-deployment:ZXUtd2VzdC0xLmF3cy5mb3VuZC5pbyRhYmMkZGVm', Cloud ID",
    "'x:ZXUtd2VzdC0xLmF3cy5mb3VuZC5pbyRhYmMkZGVmZzE=', Cloud ID",
    "'ZXUtd2VzdC0xLmF3cy5mb3VuZC5pbyRhYmMkZGVmZzE=', Cloud ID",
    "'a:b c:ZXUtd2VzdC0xLmF3cy5mb3VuZC5pbyRhYmMkZGVmZzE=', Cloud ID",
    "averylonghostnamewithoutanydotsinit, no scheme",
    "http://us%3Aer:secret-word@h, a user and a password",
    "http://u:secret-word%0A@h, control character",
    "http://h/a%0Ab, control character",
  })
  void address_thatCannotBeUsed_isRefused_withWhatIsWrong_andWithoutRepeatingIt(
      String url, String says) {
    assertThatThrownBy(() -> ElasticsearchLockStore.builder(url))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(says)
        .hasMessageContaining("https://localhost:9200")
        .hasNoCause()
        .message()
        .doesNotContain("secret-word");
  }

  @ParameterizedTest
  @CsvSource({
    "http://a, http://b/es, different paths",
    "http://a/x, http://b/y/, different paths",
    "http://u:secret-word@a, http://u:p@b, different users or passwords",
    "http://a, b:9200, URL 2 of 2",
    "http://a, '', URL 2 of 2",
    "http://u:secret-word@, http://b, URL 1 of 2",
  })
  void addresses_thatCannotBeUsedTogether_areRefused(String one, String two, String says) {
    assertThatThrownBy(() -> ElasticsearchLockStore.builder(one, two))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(says)
        .message()
        .doesNotContain("secret-word");
  }

  @Test
  void addresses_thatDifferInTrailingSlashes_areOneClusters() throws Exception {
    try (HttpFront one = HttpFront.alone(Answers::to);
        HttpFront two = HttpFront.alone(Answers::to)) {
      for (List<String> endings : List.of(List.of("", "/"), List.of("/es", "/es/"))) {
        try (ElasticsearchLockStore store =
            ElasticsearchLockStore.builder(
                    one.url() + endings.get(0), two.url() + endings.get(1) + "/")
                .build()) {
          assertThat(Answers.get(store.read("x"))).isNotNull();
          assertThat(Answers.get(store.read("y"))).isNotNull();
        }
      }
      assertThat(Arrays.asList(one, two))
          .allSatisfy(
              server ->
                  assertThat(server.requests())
                      .isNotEmpty()
                      .noneMatch(request -> request.path().startsWith("//")));
    }
  }

  @Test
  void addresses_ofOneNode_areOneNode() {
    assertThat(
            Address.parse(List.of("http://u:p@Host:1/", "http://host:1", "http://HOST:1//"))
                .stream()
                .map(Address::withoutCredentials)
                .distinct())
        .hasSize(1);
  }
}
