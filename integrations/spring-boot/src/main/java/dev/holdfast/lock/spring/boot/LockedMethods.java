package dev.holdfast.lock.spring.boot;

import java.lang.reflect.Method;
import java.util.Arrays;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.springframework.aop.framework.AopProxyUtils;
import org.springframework.aop.support.AopUtils;
import org.springframework.beans.factory.config.ConfigurableBeanFactory;
import org.springframework.context.expression.BeanFactoryResolver;
import org.springframework.context.expression.MethodBasedEvaluationContext;
import org.springframework.core.DefaultParameterNameDiscoverer;
import org.springframework.core.MethodClassKey;
import org.springframework.core.MethodIntrospector;
import org.springframework.core.ParameterNameDiscoverer;
import org.springframework.core.ResolvableType;
import org.springframework.core.annotation.AnnotatedElementUtils;
import org.springframework.core.annotation.AnnotationUtils;
import org.springframework.util.ClassUtils;

/** The methods of an application's beans that are annotated with {@link Locked}. Thread-safe. */
final class LockedMethods {
  private final MethodDefaults defaults;
  private final ConfigurableBeanFactory beans;
  private final ParameterNameDiscoverer parameterNames = new DefaultParameterNameDiscoverer();
  private final Map<MethodClassKey, LockedMethod> parsed = new ConcurrentHashMap<>();

  LockedMethods(MethodDefaults defaults, ConfigurableBeanFactory beans) {
    this.defaults = defaults;
    this.beans = beans;
  }

  /** Returns the class that the application wrote, of a bean that may be proxied. */
  static Class<?> targetClass(Object bean) {
    return ClassUtils.getUserClass(AopProxyUtils.ultimateTargetClass(bean));
  }

  /**
   * Returns the annotation of a method as it is called on objects of that class: of the method that
   * runs, of what it overrides, or of a method of one of the class's interfaces that it implements;
   * null if there is none.
   */
  static @Nullable Locked annotation(Method method, Class<?> targetClass) {
    if (!AnnotationUtils.isCandidateClass(targetClass, Locked.class)) {
      return null;
    }
    Method specific = AopUtils.getMostSpecificMethod(method, targetClass);
    Locked locked = annotation(specific);
    if (locked == null && !specific.equals(method)) {
      locked = annotation(method);
    }
    return locked == null ? annotationOfInterface(specific, targetClass) : locked;
  }

  private static @Nullable Locked annotation(Method method) {
    return AnnotatedElementUtils.findMergedAnnotation(method, Locked.class);
  }

  /** Such as for a method that is inherited from a class that does not know the interface. */
  private static @Nullable Locked annotationOfInterface(Method method, Class<?> targetClass) {
    for (Class<?> type : ClassUtils.getAllInterfacesForClassAsSet(targetClass)) {
      for (Method declared : type.getMethods()) {
        if (isImplementedBy(method, declared, targetClass)) {
          Locked locked = annotation(declared);
          if (locked != null) {
            return locked;
          }
        }
      }
    }
    return null;
  }

  private static boolean isImplementedBy(Method method, Method declared, Class<?> targetClass) {
    if (!declared.getName().equals(method.getName())
        || declared.getParameterCount() != method.getParameterCount()) {
      return false;
    }
    return Arrays.equals(
        parameterTypes(declared, targetClass), parameterTypes(method, targetClass));
  }

  private static Class<?>[] parameterTypes(Method method, Class<?> targetClass) {
    Class<?>[] types = new Class<?>[method.getParameterCount()];
    for (int i = 0; i < types.length; i++) {
      types[i] =
          ResolvableType.forMethodParameter(method, i, targetClass)
              .resolve(method.getParameterTypes()[i]);
    }
    return types;
  }

  /** Returns the annotated methods of a class, those that no proxy would intercept among them. */
  static Set<Method> of(Class<?> type) {
    if (!AnnotationUtils.isCandidateClass(type, Locked.class)) {
      return Set.of();
    }
    return MethodIntrospector.selectMethods(
            type,
            (MethodIntrospector.MetadataLookup<@Nullable Boolean>)
                method -> annotation(method, type) == null ? null : true)
        .keySet();
  }

  /**
   * Returns an annotated method as it is called on objects of that class.
   *
   * @throws IllegalStateException if it is not annotated, or cannot run under a lock
   */
  LockedMethod get(Method method, Class<?> targetClass) {
    return parsed.computeIfAbsent(
        new MethodClassKey(method, targetClass), key -> parse(method, targetClass));
  }

  private LockedMethod parse(Method method, Class<?> targetClass) {
    Locked locked = annotation(method, targetClass);
    if (locked == null) {
      throw new IllegalStateException(method + " is not annotated with @Locked");
    }
    return new LockedMethod(
        AopUtils.getMostSpecificMethod(method, targetClass),
        targetClass,
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
