package dev.holdfast.lock.spring.boot;

import dev.holdfast.lock.LockManager;
import java.lang.reflect.Method;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;
import org.springframework.aop.framework.Advised;
import org.springframework.aop.framework.AopProxyUtils;
import org.springframework.beans.factory.NoUniqueBeanDefinitionException;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.beans.factory.SmartInitializingSingleton;
import org.springframework.beans.factory.config.BeanFactoryPostProcessor;
import org.springframework.beans.factory.config.BeanPostProcessor;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.beans.factory.support.AbstractBeanDefinition;
import org.springframework.util.ClassUtils;

/**
 * Checks the {@link Locked} methods of each bean when it is created, those that no proxy would
 * intercept among them; and when all singletons are there, that each of those beans has a proxy,
 * and that there is one lock manager for them. Singletons that the container has not created, such
 * as those that a test puts in the place of a bean, are not checked.
 */
final class LockedMethodValidator implements BeanFactoryPostProcessor, SmartInitializingSingleton {
  private final ObjectProvider<LockedMethods> methods;
  private final ObjectProvider<LockManager> locks;
  private final ConfigurableListableBeanFactory beans;
  private final BooleanSupplier failFast;

  /** The beans with locked methods that the container has created, and their classes. */
  private final Map<String, Class<?>> created = new ConcurrentHashMap<>();

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

  /** Before other processors of beans, and what these depend on, are created. */
  @Override
  public void postProcessBeanFactory(ConfigurableListableBeanFactory beanFactory) {
    beanFactory.addBeanPostProcessor(
        new BeanPostProcessor() {
          @Override
          public Object postProcessBeforeInitialization(Object bean, String beanName) {
            check(bean, beanName);
            return bean;
          }
        });
  }

  private void check(Object bean, String beanName) {
    Class<?> type = LockedMethods.targetClass(bean);
    Set<Method> annotated = LockedMethods.of(type);
    if (!annotated.isEmpty()) {
      created.put(beanName, type);
    }
    for (Method method : annotated) {
      LockedMethod locked = methods.getObject().get(method, type);
      if (method.getParameterCount() == 0 && callbacks(beanName).contains(method.getName())) {
        throw locked.notIntercepted(
            "is a method for the initialization or destruction of the bean");
      }
    }
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
    created.forEach(
        (name, type) -> {
          Object bean = beans.containsBeanDefinition(name) ? beans.getSingleton(name) : null;
          if (bean != null && !isIntercepted(bean, type)) {
            throw methods
                .getObject()
                .get(LockedMethods.of(type).iterator().next(), type)
                .notIntercepted(
                    "of the bean \""
                        + name
                        + "\" has no proxy, because the bean was created too early, such as for a"
                        + " BeanPostProcessor that depends on it,");
          }
        });
    if (!created.isEmpty() || failFast.getAsBoolean()) {
      checkManager();
    }
  }

  /** What others have made of a bean, such as a proxy of another kind, is taken for granted. */
  private static boolean isIntercepted(Object bean, Class<?> type) {
    Object proxied = bean;
    while (proxied instanceof Advised advised) {
      if (Arrays.stream(advised.getAdvisors())
          .anyMatch(advisor -> advisor.getAdvice() instanceof LockedMethodInterceptor)) {
        return true;
      }
      proxied = AopProxyUtils.getSingletonTarget(proxied);
    }
    return proxied == null || ClassUtils.getUserClass(proxied) != type;
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
