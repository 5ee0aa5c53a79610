package dev.holdfast.lock.spring.boot;

import java.lang.reflect.Method;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.beans.factory.config.BeanPostProcessor;
import org.springframework.core.MethodIntrospector;
import org.springframework.core.annotation.AnnotationUtils;
import org.springframework.util.ClassUtils;

/**
 * Checks the {@link Locked} methods of each bean when it is created, those that no proxy would
 * intercept among them.
 */
final class LockedMethodValidator implements BeanPostProcessor {
  private final ObjectProvider<LockedMethods> methods;

  LockedMethodValidator(ObjectProvider<LockedMethods> methods) {
    this.methods = methods;
  }

  @Override
  public @Nullable Object postProcessBeforeInitialization(Object bean, String beanName) {
    Class<?> type = ClassUtils.getUserClass(bean);
    if (AnnotationUtils.isCandidateClass(type, Locked.class)) {
      Set<Method> annotated =
          MethodIntrospector.selectMethods(
                  type,
                  (MethodIntrospector.MetadataLookup<@Nullable Boolean>)
                      method -> LockedMethods.annotation(method) == null ? null : true)
              .keySet();
      annotated.forEach(method -> methods.getObject().get(method, type));
    }
    return bean;
  }
}
