package dev.holdfast.lock.spring.boot;

import dev.holdfast.lock.LockManager;
import java.lang.reflect.Method;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Objects;
import java.util.Set;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.springframework.aop.SpringProxy;
import org.springframework.aop.framework.Advised;
import org.springframework.aop.framework.AopProxyUtils;
import org.springframework.beans.factory.NoUniqueBeanDefinitionException;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.beans.factory.SmartInitializingSingleton;
import org.springframework.beans.factory.config.BeanPostProcessor;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.beans.factory.support.AbstractBeanDefinition;

/**
 * Checks the {@link Locked} methods of each bean when it is created, those that no proxy would
 * intercept among them; and when all singletons are there, that each of those methods is
 * intercepted, and by which lock manager.
 */
final class LockedMethodValidator implements BeanPostProcessor, SmartInitializingSingleton {
  private final ObjectProvider<LockedMethods> methods;
  private final ObjectProvider<LockManager> locks;
  private final ConfigurableListableBeanFactory beans;
  private final BooleanSupplier failFast;

  LockedMethodValidator(
      ObjectProvider<LockedMethods> methods,
      ObjectProvider<LockManager> locks,
      ConfigurableListableBeanFactory beans,
      BooleanSupplier failFast) {
    this.methods = methods;
    this.locks = locks;
    this.beans = beans;
    this.failFast = failFast;
  }

  @Override
  public @Nullable Object postProcessBeforeInitialization(Object bean, String beanName) {
    Class<?> type = LockedMethods.targetClass(bean);
    for (Method method : LockedMethods.of(type)) {
      LockedMethod locked = methods.getObject().get(method, type);
      if (method.getParameterCount() == 0 && callbacks(beanName).contains(method.getName())) {
        throw locked.notIntercepted(
            "is a method for the initialization or destruction of the bean");
      }
    }
    return bean;
  }

  private Set<String> callbacks(String beanName) {
    if (!beans.containsBeanDefinition(beanName)
        || !(beans.getMergedBeanDefinition(beanName) instanceof AbstractBeanDefinition bean)) {
      return Set.of();
    }
    Set<String> names = new HashSet<>();
    String[] initMethods = bean.getInitMethodNames();
    if (initMethods != null) {
      names.addAll(Arrays.asList(initMethods));
    }
    String[] destroyMethods = bean.getDestroyMethodNames();
    if (destroyMethods != null) {
      names.addAll(Arrays.asList(destroyMethods));
    }
    return names;
  }

  @Override
  public void afterSingletonsInstantiated() {
    boolean any = false;
    for (String name : beans.getBeanDefinitionNames()) {
      Object bean = beans.getSingleton(name);
      any |= bean != null && checkIntercepted(name, bean);
    }
    if (any || failFast.getAsBoolean()) {
      checkManager();
    }
  }

  /** Returns whether the bean has locked methods at all. */
  private boolean checkIntercepted(String name, Object bean) {
    Class<?> type = LockedMethods.targetClass(bean);
    Set<Method> annotated = LockedMethods.of(type);
    for (Method method : annotated) {
      LockedMethod locked = methods.getObject().get(method, type);
      if (!isIntercepted(bean)) {
        throw locked.notIntercepted(
            "of the bean \""
                + name
                + "\" has no proxy, because the bean was created too early, such as for a"
                + " BeanPostProcessor that depends on it,");
      }
    }
    return !annotated.isEmpty();
  }

  /** A proxy that does not show its advice is taken for granted. */
  private static boolean isIntercepted(Object bean) {
    Object proxied = bean;
    while (proxied instanceof Advised advised) {
      if (Arrays.stream(advised.getAdvisors())
          .anyMatch(advisor -> advisor.getAdvice() instanceof LockedMethodInterceptor)) {
        return true;
      }
      proxied = AopProxyUtils.getSingletonTarget(proxied);
    }
    return proxied == null || proxied instanceof SpringProxy;
  }

  private void checkManager() {
    try {
      var unused = locks.getIfAvailable();
    } catch (NoUniqueBeanDefinitionException e) {
      throw new IllegalStateException(
          "@Locked methods and holdfast.fail-fast need one lock manager, but there are the beans "
              + Objects.requireNonNull(e.getBeanNamesFound()).stream()
                  .sorted()
                  .collect(Collectors.joining(", "))
              + ": mark one of them as @Primary",
          e);
    }
  }
}
