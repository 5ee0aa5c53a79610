package dev.holdfast.lock.spring.boot;

import dev.holdfast.lock.CallObserver;
import dev.holdfast.lock.LockListener;
import dev.holdfast.lock.LockManager;
import dev.holdfast.lock.elasticsearch.ElasticsearchLockStore;
import dev.holdfast.lock.micrometer.HoldfastMetrics;
import dev.holdfast.lock.micrometer.HoldfastObservations;
import dev.holdfast.lock.micrometer.LockObservationConvention;
import dev.holdfast.lock.store.LockStore;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.observation.ObservationRegistry;
import java.lang.reflect.Method;
import org.springframework.aop.Advisor;
import org.springframework.aop.config.AopConfigUtils;
import org.springframework.aop.support.DefaultPointcutAdvisor;
import org.springframework.aop.support.StaticMethodMatcherPointcut;
import org.springframework.beans.factory.BeanFactory;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.beans.factory.config.BeanDefinition;
import org.springframework.beans.factory.config.ConfigurableBeanFactory;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.beans.factory.support.BeanDefinitionRegistry;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnSingleCandidate;
import org.springframework.boot.autoconfigure.condition.SearchStrategy;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.boot.context.properties.bind.Binder;
import org.springframework.context.ApplicationContext;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;
import org.springframework.context.annotation.ImportBeanDefinitionRegistrar;
import org.springframework.context.annotation.Lazy;
import org.springframework.context.annotation.Role;
import org.springframework.core.env.Environment;
import org.springframework.core.type.AnnotationMetadata;
import org.springframework.util.function.SingletonSupplier;

/**
 * Auto-configuration of a {@link LockStore}, a {@link LockManager}, and of methods that are {@link
 * Locked}. Beans of the application take precedence.
 */
@AutoConfiguration(
    afterName = {
      "org.springframework.boot.elasticsearch.autoconfigure.ElasticsearchClientAutoConfiguration",
      "org.springframework.boot.micrometer.metrics.autoconfigure.CompositeMeterRegistryAutoConfiguration",
      "org.springframework.boot.micrometer.metrics.autoconfigure.export.simple.SimpleMetricsExportAutoConfiguration",
      "org.springframework.boot.micrometer.observation.autoconfigure.ObservationAutoConfiguration"
    })
@EnableConfigurationProperties(HoldfastProperties.class)
public final class HoldfastAutoConfiguration {
  /** Made by Spring Boot. */
  HoldfastAutoConfiguration() {}

  @Configuration(proxyBeanMethods = false)
  @ConditionalOnMissingBean({LockStore.class, LockManager.class})
  static class StoreConfiguration {
    @Bean(destroyMethod = "close")
    ElasticsearchLockStore holdfastLockStore(
        HoldfastProperties properties,
        BeanFactory beans,
        ObjectProvider<LockStoreBuilderCustomizer> customizers) {
      ElasticsearchLockStore.Builder builder = new StoreSettings(properties, beans).builder();
      customizers.orderedStream().forEach(customizer -> customizer.customize(builder));
      return builder.build();
    }
  }

  @Bean(destroyMethod = "close")
  @ConditionalOnMissingBean
  LockManager holdfastLockManager(
      LockStore store,
      HoldfastProperties properties,
      ObjectProvider<LockListener> listeners,
      ObjectProvider<CallObserver> observer,
      ObjectProvider<LockManagerBuilderCustomizer> customizers) {
    LockManager.Builder builder = LockManager.builder(store);
    ManagerSettings.apply(properties, builder);
    listeners.orderedStream().forEach(builder::listener);
    observer.ifUnique(builder::callObserver);
    customizers.orderedStream().forEach(customizer -> customizer.customize(builder));
    return builder.build();
  }

  /**
   * Not in a class of its own, whose condition would be evaluated before the manager is there. A
   * manager of a parent context is checked there.
   */
  @Bean
  @Lazy(false)
  @ConditionalOnSingleCandidate(value = LockManager.class, search = SearchStrategy.CURRENT)
  LockManagerLifecycle holdfastLockManagerLifecycle(
      LockManager locks,
      ObjectProvider<LockStore> store,
      HoldfastProperties properties,
      ApplicationContext application) {
    return new LockManagerLifecycle(
        locks,
        store.getIfUnique(),
        properties.failFast() ? properties.defaults().options() : null,
        application);
  }

  // --- Methods

  @Configuration(proxyBeanMethods = false)
  @Import(AutoProxyRegistrar.class)
  @Role(BeanDefinition.ROLE_INFRASTRUCTURE)
  static class LockedMethodConfiguration {
    @Bean
    @Role(BeanDefinition.ROLE_INFRASTRUCTURE)
    static LockedMethods holdfastLockedMethods(
        HoldfastProperties properties, ConfigurableBeanFactory beans) {
      return new LockedMethods(MethodDefaults.of(properties), beans);
    }

    @Bean
    @Lazy(false)
    @Role(BeanDefinition.ROLE_INFRASTRUCTURE)
    static DestructionOrder holdfastDestructionOrder(ConfigurableApplicationContext application) {
      return new DestructionOrder(application);
    }

    @Bean
    @Lazy(false)
    @Role(BeanDefinition.ROLE_INFRASTRUCTURE)
    static DefaultSchedulerLifecycle holdfastDefaultSchedulerLifecycle(
        ConfigurableApplicationContext application) {
      return new DefaultSchedulerLifecycle(application);
    }

    @Bean
    @Role(BeanDefinition.ROLE_INFRASTRUCTURE)
    static LockedMethodValidator holdfastLockedMethodValidator(
        ObjectProvider<LockedMethods> methods,
        ObjectProvider<LockManager> locks,
        ObjectProvider<HoldfastProperties> properties,
        ConfigurableListableBeanFactory beans) {
      return new LockedMethodValidator(
          methods, locks, beans, () -> properties.getObject().failFast());
    }

    /** Does not need the lock manager before the first call: advisors are created early. */
    @Bean
    @Role(BeanDefinition.ROLE_INFRASTRUCTURE)
    static Advisor holdfastLockedMethodAdvisor(
        ObjectProvider<LockManager> locks,
        ObjectProvider<LockedMethods> methods,
        Environment environment) {
      DefaultPointcutAdvisor advisor =
          new DefaultPointcutAdvisor(
              new LockedPointcut(),
              new LockedMethodInterceptor(
                  SingletonSupplier.of(locks::getObject),
                  SingletonSupplier.of(methods::getObject)));
      advisor.setOrder(
          Binder.get(environment)
              .bind("holdfast.locked.order", Integer.class)
              .orElse(HoldfastProperties.LockedMethods.DEFAULT_ORDER));
      return advisor;
    }
  }

  private static final class LockedPointcut extends StaticMethodMatcherPointcut {
    @Override
    public boolean matches(Method method, Class<?> targetClass) {
      return LockedMethods.annotation(method, targetClass) != null;
    }
  }

  /** Makes proxies also where the application has switched off {@code spring.aop.auto}. */
  static final class AutoProxyRegistrar implements ImportBeanDefinitionRegistrar {
    @Override
    public void registerBeanDefinitions(
        AnnotationMetadata importing, BeanDefinitionRegistry registry) {
      AopConfigUtils.registerAutoProxyCreatorIfNecessary(registry);
    }
  }

  // --- Metrics and observations

  @Configuration(proxyBeanMethods = false)
  @ConditionalOnClass(MeterRegistry.class)
  @ConditionalOnBean(MeterRegistry.class)
  static class MetricsConfiguration {
    /** A listener, and a binder, which Spring Boot binds to each registry. */
    @Bean
    @ConditionalOnMissingBean
    HoldfastMetrics holdfastMetrics() {
      return HoldfastMetrics.builder().build();
    }
  }

  @Configuration(proxyBeanMethods = false)
  @ConditionalOnClass(ObservationRegistry.class)
  @ConditionalOnBean(ObservationRegistry.class)
  static class ObservationConfiguration {
    @Bean
    @ConditionalOnMissingBean(CallObserver.class)
    HoldfastObservations holdfastObservations(
        ObservationRegistry registry, ObjectProvider<LockObservationConvention> convention) {
      LockObservationConvention unique = convention.getIfUnique();
      return unique == null
          ? new HoldfastObservations(registry)
          : new HoldfastObservations(registry, unique);
    }
  }
}
