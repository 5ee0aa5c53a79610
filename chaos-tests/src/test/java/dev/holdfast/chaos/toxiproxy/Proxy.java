package dev.holdfast.chaos.toxiproxy;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** A proxy: where it listens, what it connects to, and its toxics. Belongs to the API thread. */
final class Proxy {

  private final String name;
  private final Traffic traffic;
  private String listen;
  private String upstream;

  /** There while the proxy is enabled. */
  private @Nullable Channel listener;

  private List<Toxic> toxics = List.of();

  /** A disabled proxy. */
  Proxy(Settings settings, Traffic traffic) {
    this.name = settings.name();
    this.listen = settings.listen();
    this.upstream = settings.upstream();
    this.traffic = traffic;
  }

  /**
   * The settings of a proxy.
   *
   * @param name unique
   * @param listen {@code host:port} to listen at; may be empty, and the port 0
   * @param upstream {@code host:port} to connect to
   * @param enabled whether it listens
   */
  record Settings(String name, String listen, String upstream, boolean enabled) {

    /** Reads settings; those absent are empty or enabled. */
    static Settings from(Fields fields) {
      return new Settings("", "", "", true).updated(fields);
    }

    Settings updated(Fields fields) {
      return new Settings(
          fields.text("name", name),
          fields.text("listen", listen),
          fields.text("upstream", upstream),
          fields.flag("enabled", enabled));
    }

    /** Fails if the name or the upstream is missing. */
    void requireComplete(String where) {
      if (name.isEmpty() || upstream.isEmpty()) {
        String field = name.isEmpty() ? "name" : "upstream";
        throw new ApiException(400, "missing required field: " + field + where);
      }
    }
  }

  String name() {
    return name;
  }

  Settings settings() {
    return new Settings(name, listen, upstream, listener != null);
  }

  /** Returns whether the address or the upstream would be another one. */
  boolean differs(Settings other) {
    try {
      return !listen.equals(Address.parse(other.listen()).resolvedText())
          || !upstream.equals(other.upstream());
    } catch (IllegalArgumentException e) {
      throw ApiException.internal(String.valueOf(e.getMessage()));
    }
  }

  /** Moves, enables or disables the proxy as the settings say; its name stays. */
  void update(Settings settings) {
    if (differs(settings)) {
      stop();
      listen = settings.listen();
      upstream = settings.upstream();
    }
    if (settings.enabled()) {
      start();
    } else {
      stop();
    }
  }

  /** Listens, if it does not yet. */
  void start() {
    if (listener != null) {
      return;
    }
    InetSocketAddress address;
    try {
      address = Address.parse(listen).resolved();
    } catch (IllegalArgumentException e) {
      throw ApiException.internal("listen tcp: " + e.getMessage());
    }
    ChannelFuture bound = traffic.listen(address, upstream);
    Throwable failure = bound.cause();
    if (failure != null) {
      String reason = String.valueOf(failure.getMessage()).toLowerCase(Locale.ROOT);
      throw ApiException.internal("listen tcp " + Address.text(address) + ": bind: " + reason);
    }
    listener = bound.channel();
    listen = Address.text((InetSocketAddress) bound.channel().localAddress());
  }

  /** Stops listening and closes all connections, if it listens. */
  void stop() {
    if (listener != null) {
      traffic.stop(listener);
      listener = null;
    }
  }

  // ---- toxics

  Toxic add(Fields fields) {
    Toxic toxic = Toxic.from(fields);
    if (toxics.stream().anyMatch(other -> other.name().equals(toxic.name()))) {
      throw new ApiException(409, "toxic already exists");
    }
    change(all -> all.add(toxic), toxic, link -> link.add(toxic));
    return toxic;
  }

  Toxic update(Toxic old, Fields fields) {
    Toxic toxic = old.updated(fields);
    change(all -> all.set(all.indexOf(old), toxic), toxic, link -> link.update(toxic));
    return toxic;
  }

  void remove(Toxic toxic) {
    change(all -> all.remove(toxic), toxic, link -> link.remove(toxic));
  }

  void removeAll() {
    toxics.forEach(this::remove);
  }

  private void change(Consumer<List<Toxic>> edit, Toxic toxic, Consumer<Link> change) {
    List<Toxic> edited = new ArrayList<>(toxics);
    edit.accept(edited);
    toxics = List.copyOf(edited);
    traffic.change(toxics, toxic.direction(), change);
  }

  Toxic toxic(String toxicName) {
    return toxics.stream()
        .filter(toxic -> toxic.name().equals(toxicName))
        .findFirst()
        .orElseThrow(() -> new ApiException(404, "toxic not found"));
  }

  // ---- JSON

  ArrayNode toxicsJson() {
    ArrayNode json = JsonNodeFactory.instance.arrayNode();
    for (Direction direction : Direction.values()) {
      toxics.stream().filter(t -> t.direction() == direction).map(Toxic::json).forEach(json::add);
    }
    return json;
  }

  ObjectNode json() {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    json.put("name", name).put("listen", listen).put("upstream", upstream);
    json.put("enabled", listener != null);
    json.putObject("Logger"); // An accident of the real server; here so that answers are equal.
    json.set("toxics", toxicsJson());
    return json;
  }
}
