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
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Future;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.springframework.beans.factory.DisposableBean;
import org.springframework.beans.factory.InitializingBean;
import org.springframework.boot.convert.DurationStyle;
import org.springframework.core.KotlinDetector;
import org.springframework.core.ParameterNameDiscoverer;
import org.springframework.core.ReactiveAdapterRegistry;
import org.springframework.core.ResolvableType;
import org.springframework.core.annotation.MergedAnnotations;
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
import org.springframework.util.ClassUtils;

/** A method that is annotated with {@link Locked}, checked and parsed. Immutable. */
final class LockedMethod {
  /** Callbacks of the container, which it calls on the bean itself, before or after its proxy. */
  private static final List<String> CALLBACKS =
      List.of("jakarta.annotation.PostConstruct", "jakarta.annotation.PreDestroy");

  /** Results whose work begins when they are used, after the method has returned. */
  private static final Set<String> DEFERRED =
      Set.of(
          "java.util.Iterator",
          "java.util.concurrent.Callable",
          "java.util.function.Supplier",
          "java.util.stream.BaseStream",
          "kotlin.sequences.Sequence",
          "kotlinx.coroutines.Job",
          "kotlinx.coroutines.flow.Flow",
          "org.springframework.web.context.request.async.DeferredResult",
          "org.springframework.web.context.request.async.WebAsyncTask",
          "org.springframework.web.servlet.mvc.method.annotation.ResponseBodyEmitter",
          "org.springframework.web.servlet.mvc.method.annotation.StreamingResponseBody");

  /** Types of which a value may have been made for another purpose than to be called. */
  private static final List<Class<?>> FUNCTIONS = List.of(Callable.class, Supplier.class);

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
      Class<?> targetClass,
      Locked locked,
      MethodDefaults defaults,
      ParameterNameDiscoverer parameterNames,
      Function<String, String> placeholders) {
    this.method = method;
    this.skips = locked.onContention() == Locked.OnContention.SKIP;
    checkInterceptable(targetClass);
    checkResult(ResolvableType.forMethodReturnType(method, targetClass));
    this.idParts = parsed(resolved("value", locked.value(), placeholders), parameterNames);
    LockOptions changed = defaults.options();
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
    checkTogether(changed, defaults.requestTimeout());
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

  /** The error of a method that is called without its lock. */
  IllegalStateException notIntercepted(String reason) {
    return invalid(
        reason + " so that no lock would be acquired: move the method to another bean", null);
  }

  private void checkInterceptable(Class<?> targetClass) {
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
    MergedAnnotations annotations =
        MergedAnnotations.from(method, MergedAnnotations.SearchStrategy.TYPE_HIERARCHY);
    if (CALLBACKS.stream().anyMatch(annotations::isPresent)
        || isMethodOf(InitializingBean.class, targetClass)
        || isMethodOf(DisposableBean.class, targetClass)) {
      throw notIntercepted("is called by the container on the bean itself and not on its proxy,");
    }
  }

  private boolean isMethodOf(Class<?> callback, Class<?> targetClass) {
    return callback.isAssignableFrom(targetClass)
        && ClassUtils.hasMethod(callback, method.getName(), method.getParameterTypes());
  }

  private void checkResult(ResolvableType declared) {
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
    } else if (isReactive(type)) {
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
    checkNotDeferred(declared);
  }

  private void checkNotDeferred(ResolvableType declared) {
    ResolvableType part = declared;
    Class<?> type = part.resolve(Object.class);
    boolean deferred = isDeferred(type);
    while (!deferred && isWrapper(type)) {
      part = part.getGeneric(0);
      type = part.resolve(Object.class);
      deferred = isDeferred(type) || isStage(type) || isReactive(type);
    }
    if (deferred) {
      throw invalid(
          "has the result "
              + declared
              + ": work of "
              + type.getName()
              + " begins or goes on after the method has returned. Return what it results in, or a"
              + " CompletableFuture",
          null);
    }
  }

  /** Whether a result of that type is what is given to the caller in it. */
  private static boolean isWrapper(Class<?> type) {
    return type == Optional.class
        || isStage(type)
        || supertypes(type).anyMatch("org.springframework.http.HttpEntity"::equals);
  }

  private static boolean isStage(Class<?> type) {
    return CompletionStage.class.isAssignableFrom(type) || Future.class.isAssignableFrom(type);
  }

  private static boolean isReactive(Class<?> type) {
    return ReactiveAdapterRegistry.getSharedInstance().getAdapter(type) != null;
  }

  private static boolean isDeferred(Class<?> type) {
    return supertypes(type).anyMatch(DEFERRED::contains);
  }

  /** The names of a type and of all that it extends and implements, some of them repeatedly. */
  private static Stream<String> supertypes(Class<?> type) {
    Stream<Class<?>> direct =
        Stream.concat(Stream.ofNullable(type.getSuperclass()), Arrays.stream(type.getInterfaces()));
    return Stream.concat(Stream.of(type.getName()), direct.flatMap(LockedMethod::supertypes));
  }

  private boolean isFunctionOfOtherUse(Object result) {
    return method.getReturnType() != Object.class
        && FUNCTIONS.stream().anyMatch(type -> type.isInstance(result));
  }

  /** Rejects a result whose work may go on, if the declared type has not told. */
  void checkReturned(@Nullable Object result) {
    if (result != null
        && (isStage(result.getClass())
            || isReactive(result.getClass())
            || (isDeferred(result.getClass()) && !isFunctionOfOtherUse(result)))) {
      throw invalid(
          "returned a "
              + result.getClass().getName()
              + ", whose work may go on without the lock: return what it results in, or declare CompletableFuture as"
              + " the result",
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
  private void checkTogether(LockOptions changed, @Nullable Duration requestTimeout) {
    try {
      var unused = LockManager.builder(new InMemoryLockStore()).defaultOptions(changed);
    } catch (IllegalArgumentException e) {
      throw invalid("has options that contradict each other: " + e.getMessage(), e);
    }
    if (requestTimeout != null
        && requestTimeout.compareTo(ManagerSettings.longestRequestTimeout(changed)) > 0) {
      throw invalid(
          "has the ttl "
              + changed.ttl()
              + ", which must be at least three times holdfast.request-timeout, "
              + requestTimeout,
          null);
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
   * @throws IllegalArgumentException if a part of it is null, or of a type whose text may differ
   *     between processes
   */
  String lockId(EvaluationContext call) {
    List<String> texts = new ArrayList<>();
    for (Expression part : idParts) {
      texts.add(
          part instanceof LiteralExpression literal
              ? literal.getExpressionString()
              : text(part, part.getValue(call)));
    }
    return String.join("", texts);
  }

  /** The same in each process: not by a hash code, nor in the order of a set. */
  private String text(Expression part, @Nullable Object value) {
    if (value instanceof Enum<?> constant) {
      return constant.name();
    }
    if (value instanceof CharSequence
        || value instanceof Number
        || value instanceof Boolean
        || value instanceof Character
        || value instanceof UUID
        || (value != null && value.getClass().getPackageName().startsWith("java.time"))) {
      return value.toString();
    }
    throw new IllegalArgumentException(
        "#{"
            + part.getExpressionString()
            + "} in the lock id of "
            + this
            + " is "
            + (value == null
                ? "null"
                : "of type "
                    + value.getClass().getName()
                    + ", whose text may differ between processes: refer to a property of it that is"
                    + " text, a number, a boolean, an enum, a UUID or of java.time"));
  }
}
