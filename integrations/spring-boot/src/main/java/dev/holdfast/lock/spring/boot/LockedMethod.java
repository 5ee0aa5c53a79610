package dev.holdfast.lock.spring.boot;

import dev.holdfast.lock.LockManager;
import dev.holdfast.lock.LockOptions;
import dev.holdfast.lock.memory.InMemoryLockStore;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Future;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.convert.DurationStyle;
import org.springframework.core.KotlinDetector;
import org.springframework.core.ParameterNameDiscoverer;
import org.springframework.core.ReactiveAdapterRegistry;
import org.springframework.expression.EvaluationContext;
import org.springframework.expression.Expression;
import org.springframework.expression.ParseException;
import org.springframework.expression.ParserContext;
import org.springframework.expression.common.CompositeStringExpression;
import org.springframework.expression.common.LiteralExpression;
import org.springframework.expression.spel.SpelNode;
import org.springframework.expression.spel.ast.VariableReference;
import org.springframework.expression.spel.standard.SpelExpression;
import org.springframework.expression.spel.standard.SpelExpressionParser;

/** A method that is annotated with {@link Locked}, checked and parsed. Immutable. */
final class LockedMethod {
  private final Method method;
  private final List<Expression> idParts;
  private final LockOptions options;
  private final boolean skips;

  /**
   * Parses the annotation.
   *
   * @param placeholders replaces placeholders
   * @throws IllegalStateException if the method cannot run under a lock; the message names it
   */
  LockedMethod(
      Method method,
      Locked locked,
      LockOptions defaults,
      ParameterNameDiscoverer parameterNames,
      Function<String, String> placeholders) {
    this.method = method;
    this.skips = locked.onContention() == Locked.OnContention.SKIP;
    checkInterceptable();
    checkResult();
    this.idParts = parsed(resolved("value", locked.value(), placeholders), parameterNames);
    LockOptions changed = defaults;
    changed = with("ttl", locked.ttl(), placeholders, changed, LockOptions::withTtl);
    changed =
        with("waitFor", locked.waitFor(), placeholders, changed, LockOptions::withWaitTimeout);
    changed =
        with(
            "holdAtLeast",
            locked.holdAtLeast(),
            placeholders,
            changed,
            LockOptions::withHoldAtLeast);
    changed = with("maxHold", locked.maxHold(), placeholders, changed, LockOptions::withMaxHold);
    this.options = changed;
    checkTogether(changed);
  }

  LockOptions options() {
    return options;
  }

  /** Whether the method is not called, and that is no error, if another holds the lock. */
  boolean skips() {
    return skips;
  }

  /** Whether the lock is held until the stage that the method returns has completed. */
  boolean returnsStage() {
    return CompletionStage.class.isAssignableFrom(method.getReturnType());
  }

  /** What a call returns whose method was not called. */
  @Nullable Object resultOfSkipped() {
    return method.getReturnType() == Optional.class ? Optional.empty() : null;
  }

  boolean declares(Class<? extends Exception> type) {
    return Arrays.stream(method.getExceptionTypes())
        .anyMatch(thrown -> thrown.isAssignableFrom(type));
  }

  @Override
  public String toString() {
    return method.getDeclaringClass().getName()
        + "."
        + method.getName()
        + Arrays.stream(method.getParameterTypes())
            .map(Class::getSimpleName)
            .collect(Collectors.joining(", ", "(", ")"));
  }

  private IllegalStateException invalid(String reason, @Nullable Throwable cause) {
    return new IllegalStateException("@Locked method " + this + " " + reason, cause);
  }

  // --- What can run under a lock

  private void checkInterceptable() {
    int modifiers = method.getModifiers();
    if (Modifier.isStatic(modifiers)) {
      throw invalid("is static, which no proxy can intercept: make it an instance method", null);
    }
    if (Modifier.isFinal(modifiers)) {
      throw invalid("is final, which no proxy can intercept: remove final", null);
    }
    if (!Modifier.isPublic(modifiers)) {
      throw invalid("is not public, which not all proxies can intercept: make it public", null);
    }
  }

  private void checkResult() {
    Class<?> type = method.getReturnType();
    if (KotlinDetector.isSuspendingFunction(method)) {
      throw invalid("is a suspending function: return a CompletableFuture", null);
    }
    if (returnsStage()) {
      if (!type.isAssignableFrom(CompletableFuture.class)) {
        throw invalid(
            "returns "
                + type.getName()
                + ": of all stages, only CompletionStage and CompletableFuture are supported",
            null);
      }
    } else if (Future.class.isAssignableFrom(type)) {
      throw invalid(
          "returns "
              + type.getName()
              + ", whose completion cannot be observed: return a CompletableFuture",
          null);
    } else if (ReactiveAdapterRegistry.getSharedInstance().getAdapter(type) != null) {
      throw invalid(
          "returns the reactive type "
              + type.getName()
              + ", whose work begins after the method has returned: return a CompletableFuture, such"
              + " as by Mono.toFuture()",
          null);
    } else if (skips && type.isPrimitive() && type != void.class) {
      throw invalid(
          "returns the primitive type "
              + type.getName()
              + ", and OnContention.SKIP has no result to return: return "
              + "an object or void, or use OnContention.THROW",
          null);
    }
  }

  /** Rejects a result whose work may go on, if the declared type has not told. */
  void checkReturned(@Nullable Object result) {
    if (result instanceof CompletionStage
        || result instanceof Future
        || (result != null
            && ReactiveAdapterRegistry.getSharedInstance().getAdapter(result.getClass()) != null)) {
      throw invalid(
          "returned a "
              + result.getClass().getName()
              + ", whose work may go on without the lock: declare CompletableFuture as its result",
          null);
    }
  }

  // --- Options

  private interface Setter {
    LockOptions set(LockOptions options, Duration value);
  }

  private LockOptions with(
      String attribute,
      String text,
      Function<String, String> placeholders,
      LockOptions options,
      Setter setter) {
    String value = resolved(attribute, text, placeholders).strip();
    if (value.isEmpty()) {
      return options;
    }
    Duration duration;
    try {
      duration = DurationStyle.detectAndParse(value);
    } catch (IllegalArgumentException e) {
      throw invalid(
          attribute + " \"" + value + "\" is no duration such as 500ms, 30s, 5m, 1h or PT30S", e);
    }
    try {
      return setter.set(options, duration);
    } catch (IllegalArgumentException e) {
      throw invalid("has a wrong value of " + attribute + ": " + e.getMessage(), e);
    }
  }

  private String resolved(String attribute, String text, Function<String, String> placeholders) {
    try {
      return placeholders.apply(text);
    } catch (IllegalArgumentException e) {
      throw invalid(attribute + " \"" + text + "\" cannot be resolved: " + e.getMessage(), e);
    }
  }

  /** As each call would, but at start-up. */
  private void checkTogether(LockOptions changed) {
    try {
      var unused = LockManager.builder(new InMemoryLockStore()).defaultOptions(changed);
    } catch (IllegalArgumentException e) {
      throw invalid("has options that contradict each other: " + e.getMessage(), e);
    }
  }

  // --- The lock id

  private List<Expression> parsed(String text, ParameterNameDiscoverer parameterNames) {
    if (text.isBlank()) {
      throw invalid("has a blank lock id", null);
    }
    Expression expression;
    try {
      expression =
          new SpelExpressionParser().parseExpression(text, ParserContext.TEMPLATE_EXPRESSION);
    } catch (ParseException | IllegalStateException e) {
      throw invalid(
          "has the lock id \"" + text + "\", which is no expression: " + e.getMessage(), e);
    }
    List<Expression> parts =
        expression instanceof CompositeStringExpression composite
            ? List.of(composite.getExpressions())
            : List.of(expression);
    Set<String> known = variables(parameterNames);
    for (Expression part : parts) {
      if (part instanceof SpelExpression spel) {
        checkVariables(spel.getAST(), known);
      }
    }
    return parts;
  }

  private Set<String> variables(ParameterNameDiscoverer parameterNames) {
    Set<String> known = new HashSet<>(Set.of("root", "this"));
    String[] names = parameterNames.getParameterNames(method);
    if (names != null) {
      known.addAll(Arrays.asList(names));
    }
    for (int i = 0; i < method.getParameterCount(); i++) {
      known.add("a" + i);
      known.add("p" + i);
    }
    return known;
  }

  private void checkVariables(SpelNode node, Set<String> known) {
    if (node instanceof VariableReference reference) {
      String name = reference.toStringAST().substring(1);
      if (!known.contains(name)) {
        throw invalid(
            "has a lock id with #"
                + name
                + ", which is none of its parameters: correct the name, compile with -parameters,"
                + " or refer to the first parameter as #a0",
            null);
      }
    }
    for (int i = 0; i < node.getChildCount(); i++) {
      checkVariables(node.getChild(i), known);
    }
  }

  /**
   * Returns the lock id of a call.
   *
   * @throws IllegalArgumentException if a part of it is null
   */
  String lockId(EvaluationContext call) {
    List<String> texts = new ArrayList<>();
    for (Expression part : idParts) {
      String text =
          part instanceof LiteralExpression literal
              ? literal.getExpressionString()
              : part.getValue(call, String.class);
      if (text == null) {
        throw new IllegalArgumentException(
            "#{" + part.getExpressionString() + "} in the lock id of " + this + " is null");
      }
      texts.add(text);
    }
    return String.join("", texts);
  }
}
