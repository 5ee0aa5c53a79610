package dev.holdfast.cli;

import java.lang.reflect.Proxy;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;

/**
 * Signals to this process. The JDK has them in its module {@code jdk.unsupported} alone, whose use
 * compilers warn of whatever one says; so it is called by reflection.
 */
final class Signals {
  /** The numbers that all Unixes give to those that ask a process to end. */
  static final Map<String, Integer> NUMBERS = Map.of("HUP", 1, "INT", 2, "TERM", 15);

  static final Set<String> ENDING = NUMBERS.keySet();

  /** Whose meaning is up to a program; they end a process that does not handle them. */
  static final Set<String> OTHERS = Set.of("USR1", "USR2", "ALRM");

  private Signals() {}

  /**
   * Has these signals handled, on threads of the JVM's. One that this process was started to
   * ignore, as by {@code nohup} or in the background of a script, stays ignored. Where a signal
   * cannot be handled, the JVM's own handling stays.
   */
  static void handle(Set<String> names, Consumer<String> handler) {
    names.forEach(name -> handle(name, handler));
  }

  private static void handle(String name, Consumer<String> handler) {
    try {
      Class<?> signalType = Class.forName("sun.misc.Signal");
      Class<?> handlerType = Class.forName("sun.misc.SignalHandler");
      Object signal = signalType.getConstructor(String.class).newInstance(name);
      Object proxy =
          Proxy.newProxyInstance(
              Signals.class.getClassLoader(),
              new Class<?>[] {handlerType},
              (self, method, arguments) ->
                  switch (method.getName()) {
                    case "equals" -> self == arguments[0];
                    case "hashCode" -> System.identityHashCode(self);
                    case "toString" -> "handler of " + name;
                    default -> {
                      handler.accept(name);
                      yield null;
                    }
                  });
      Object before =
          signalType.getMethod("handle", signalType, handlerType).invoke(null, signal, proxy);
      Object ignoring = handlerType.getField("SIG_IGN").get(null);
      if (before == ignoring) {
        Object unused =
            signalType.getMethod("handle", signalType, handlerType).invoke(null, signal, ignoring);
      }
    } catch (ReflectiveOperationException | IllegalArgumentException e) {
      // No such signal here, or no such class: the signal ends this process, and the lock's TTL
      // runs out.
    }
  }
}
