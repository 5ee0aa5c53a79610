package dev.holdfast.lock.elasticsearch;

import java.io.IOException;
import java.nio.file.Path;

/** The node with TLS and users, see {@link SecuredNode}, for the tests of other modules. */
public final class Secured {
  /** Of all users: {@code maker}, {@code locker}, {@code locker-without-read} and so on. */
  public static final String PASSWORD = SecuredNode.PASSWORD;

  private final SecuredNode node = SecuredNode.get();

  public String url() {
    return node.url();
  }

  public String urlByOtherName() {
    return node.urlByOtherName();
  }

  public String urlWithoutTls() {
    return node.urlWithoutTls();
  }

  /** The certificate of the node's CA, in a file. */
  public Path ca(Path folder) throws IOException {
    return node.authority.inPem(folder);
  }

  /** The certificate of another CA. */
  public Path otherCa(Path folder) throws IOException {
    return CertificateAuthority.create("Other CA").inPem(folder);
  }

  /** An API key with the privileges of a locker. */
  public String apiKey() throws IOException {
    return node.newApiKey("holdfast-locker").encoded();
  }
}
