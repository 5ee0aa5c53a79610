package dev.holdfast.lock.spring.boot;

import dev.holdfast.lock.LockOptions;
import java.lang.reflect.Method;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.springframework.aop.support.AopUtils;
import org.springframework.beans.factory.config.ConfigurableBeanFactory;
import org.springframework.context.expression.BeanFactoryResolver;
import org.springframework.context.expression.MethodBasedEvaluationContext;
import org.springframework.core.DefaultParameterNameDiscoverer;
import org.springframework.core.MethodClassKey;
import org.springframework.core.ParameterNameDiscoverer;
import org.springframework.core.annotation.AnnotatedElementUtils;

/** The methods of an application's beans that are annotated with {@link Locked}. Thread-safe. */
final class LockedMethods {
  private final LockOptions defaults;
  private final ConfigurableBeanFactory beans;
  private final ParameterNameDiscoverer parameterNames = new DefaultParameterNameDiscoverer();
  private final Map<MethodClassKey, LockedMethod> parsed = new ConcurrentHashMap<>();

  LockedMethods(LockOptions defaults, ConfigurableBeanFactory beans) {
    this.defaults = defaults;
    this.beans = beans;
  }

  /** Returns the annotation of a method, or of what it overrides; null if there is none. */
  static @Nullable Locked annotation(Method method) {
    return AnnotatedElementUtils.findMergedAnnotation(method, Locked.class);
  }

  /**
   * Returns an annotated method as it is called on objects of that class.
   *
   * @throws IllegalStateException if it is not annotated, or cannot run under a lock
   */
  LockedMethod get(Method method, Class<?> targetClass) {
    return parsed.computeIfAbsent(
        new MethodClassKey(method, targetClass),
        key -> parse(AopUtils.getMostSpecificMethod(method, targetClass)));
  }

  private LockedMethod parse(Method method) {
    Locked locked = annotation(method);
    if (locked == null) {
      throw new IllegalStateException(method + " is not annotated with @Locked");
    }
    return new LockedMethod(
        method,
        locked,
        defaults,
        parameterNames,
        text -> String.valueOf(beans.resolveEmbeddedValue(text)));
  }

  String lockId(LockedMethod locked, Object target, Method method, @Nullable Object[] arguments) {
    MethodBasedEvaluationContext call =
        new MethodBasedEvaluationContext(
            target,
            AopUtils.getMostSpecificMethod(method, AopUtils.getTargetClass(target)),
            arguments,
            parameterNames);
    call.setBeanResolver(new BeanFactoryResolver(beans));
    return locked.lockId(call);
  }
}
