package dev.holdfast.lock.spring.boot;

import co.elastic.clients.elasticsearch.ElasticsearchClient;
import co.elastic.clients.transport.rest5_client.low_level.Rest5Client;
import dev.holdfast.lock.CallObserver;
import dev.holdfast.lock.LockListener;
import dev.holdfast.lock.LockManager;
import dev.holdfast.lock.store.LockStore;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Collection;
import java.util.Deque;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Executor;
import org.springframework.beans.factory.BeanFactoryUtils;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.context.ApplicationListener;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.event.ContextClosedEvent;
import org.springframework.scheduling.TaskScheduler;
import org.springframework.scheduling.config.ScheduledTaskHolder;
import org.springframework.util.ClassUtils;

/**
 * Has the beans that may run locked methods destroyed before the lock managers of the same context:
 * executors and schedulers, which may wait for their tasks when they are destroyed, and the beans
 * with such methods. Their order of destruction is otherwise that of their creation, reversed.
 *
 * <p>When the context begins to close, because all dependencies are known then. Dependencies that
 * are declared before would also decide the order of creation, and could be cycles.
 */
final class DestructionOrder implements ApplicationListener<ContextClosedEvent> {
  /** Types that are not on each class path. */
  private static final List<String> OPTIONAL_EXECUTORS =
      List.of("org.springframework.scheduling.quartz.SchedulerFactoryBean", "org.quartz.Scheduler");

  /** What a lock manager uses without a dependency that the bean factory knows of. */
  private static final List<Class<?>> USED_BY_MANAGERS =
      List.of(
          LockStore.class,
          ElasticsearchClient.class,
          Rest5Client.class,
          LockListener.class,
          CallObserver.class,
          LockManagerBuilderCustomizer.class,
          LockStoreBuilderCustomizer.class);

  private final ConfigurableApplicationContext application;

  DestructionOrder(ConfigurableApplicationContext application) {
    this.application = application;
  }

  @Override
  public void onApplicationEvent(ContextClosedEvent event) {
    if (event.getApplicationContext() != application) {
      return;
    }
    ConfigurableListableBeanFactory beans = application.getBeanFactory();
    Set<String> managers = names(beans, LockManager.class);
    Set<String> users = users(beans);
    for (String manager : managers) {
      Set<String> used = usedBy(manager, beans);
      for (String user : users) {
        if (!used.contains(user)) {
          beans.registerDependentBean(manager, user);
        }
      }
    }
  }

  /** Executors first, so that their last tasks find the beans that they need. */
  private Set<String> users(ConfigurableListableBeanFactory beans) {
    Set<String> users = names(beans, Executor.class);
    users.addAll(names(beans, TaskScheduler.class));
    // It destroys the scheduler that Spring makes if no bean is one.
    users.addAll(names(beans, ScheduledTaskHolder.class));
    for (String type : OPTIONAL_EXECUTORS) {
      ClassLoader loader = beans.getBeanClassLoader();
      if (ClassUtils.isPresent(type, loader)) {
        users.addAll(names(beans, ClassUtils.resolveClassName(type, loader)));
      }
    }
    for (String name : beans.getSingletonNames()) {
      Object bean = beans.getSingleton(name);
      if (bean != null && !LockedMethods.of(LockedMethods.targetClass(bean)).isEmpty()) {
        users.add(name);
      }
    }
    return users;
  }

  /** All beans that must outlive a manager, itself among them. */
  private static Set<String> usedBy(String manager, ConfigurableListableBeanFactory beans) {
    Deque<String> unvisited = new ArrayDeque<>(List.of(manager));
    for (Class<?> type : USED_BY_MANAGERS) {
      unvisited.addAll(names(beans, type));
    }
    Set<String> used = new HashSet<>();
    while (!unvisited.isEmpty()) {
      String name = unvisited.pop();
      if (used.add(name)) {
        unvisited.addAll(transformed(Arrays.asList(beans.getDependenciesForBean(name))));
      }
    }
    return used;
  }

  private static Set<String> names(ConfigurableListableBeanFactory beans, Class<?> type) {
    return transformed(Arrays.asList(beans.getBeanNamesForType(type, false, false)));
  }

  /** A factory bean is destroyed under the name of what it makes. */
  private static Set<String> transformed(Collection<String> names) {
    Set<String> transformed = new LinkedHashSet<>();
    names.forEach(name -> transformed.add(BeanFactoryUtils.transformedBeanName(name)));
    return transformed;
  }
}
