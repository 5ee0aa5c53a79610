package dev.holdfast.lock.spring.boot;

import java.time.Duration;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.ScheduledExecutorService;
import org.springframework.beans.factory.BeanFactoryUtils;
import org.springframework.beans.factory.DisposableBean;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.context.ApplicationListener;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.SmartLifecycle;
import org.springframework.context.event.ContextClosedEvent;
import org.springframework.scheduling.TaskScheduler;
import org.springframework.scheduling.concurrent.ExecutorConfigurationSupport;
import org.springframework.scheduling.config.ScheduledTask;
import org.springframework.scheduling.config.ScheduledTaskHolder;
import org.springframework.scheduling.config.TaskExecutionOutcome;
import org.springframework.scheduling.config.TaskSchedulerRouter;

/**
 * Stops the scheduler that Spring makes for {@code @Scheduled} methods if it finds no bean for
 * them, as schedulers that are beans stop: no run begins any more, and those that are going on may
 * end within the timeout of the phase. Spring itself lets runs begin until beans are destroyed, and
 * interrupts them then.
 */
final class DefaultSchedulerLifecycle
    implements SmartLifecycle, ApplicationListener<ContextClosedEvent>, DisposableBean {
  /** Spring tells that a run has ended only if it is asked. */
  private static final Duration POLL_INTERVAL = Duration.ofMillis(20);

  private final ConfigurableApplicationContext application;
  private volatile boolean running;
  private volatile boolean closing;
  private volatile boolean destroyed;

  DefaultSchedulerLifecycle(ConfigurableApplicationContext application) {
    this.application = application;
  }

  @Override
  public void onApplicationEvent(ContextClosedEvent event) {
    if (event.getApplicationContext() == application) {
      closing = true;
    }
  }

  @Override
  public void start() {
    running = true;
  }

  @Override
  public void stop() {
    running = false;
  }

  @Override
  public void stop(Runnable callback) {
    stop();
    // A context that is only stopped may be started again, and cancelled tasks could not.
    Set<ScheduledTask> tasks = closing ? tasksOfDefaultScheduler() : Set.of();
    tasks.forEach(task -> task.cancel(false));
    if (tasks.stream().noneMatch(DefaultSchedulerLifecycle::isRunning)) {
      callback.run();
      return;
    }
    Thread waiting =
        new Thread(
            () -> {
              try {
                awaitEnd(tasks);
              } finally {
                callback.run();
              }
            },
            "holdfast-scheduled-methods");
    waiting.setDaemon(true);
    waiting.start();
  }

  private void awaitEnd(Set<ScheduledTask> tasks) {
    try {
      while (!destroyed && tasks.stream().anyMatch(DefaultSchedulerLifecycle::isRunning)) {
        Thread.sleep(POLL_INTERVAL.toMillis());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static boolean isRunning(ScheduledTask task) {
    return task.getTask().getLastExecutionOutcome().status() == TaskExecutionOutcome.Status.STARTED;
  }

  private Set<ScheduledTask> tasksOfDefaultScheduler() {
    ConfigurableListableBeanFactory beans = application.getBeanFactory();
    Set<ScheduledTask> tasks = new HashSet<>();
    for (String name : beans.getBeanNamesForType(ScheduledTaskHolder.class, false, false)) {
      if (beans.getSingleton(name) instanceof ScheduledTaskHolder holder) {
        tasks.addAll(holder.getScheduledTasks());
      }
    }
    return tasks.isEmpty() || hasSchedulerBean(beans) ? Set.of() : tasks;
  }

  /** As {@link TaskSchedulerRouter} looks for it. */
  private static boolean hasSchedulerBean(ConfigurableListableBeanFactory beans) {
    boolean any =
        BeanFactoryUtils.beanNamesForTypeIncludingAncestors(beans, TaskScheduler.class, true, false)
                .length
            > 0;
    Class<?> type = any ? TaskScheduler.class : ScheduledExecutorService.class;
    String named = TaskSchedulerRouter.DEFAULT_TASK_SCHEDULER_BEAN_NAME;
    return beans.getBeanProvider(type).getIfUnique() != null
        || (beans.containsBean(named) && beans.isTypeMatch(named, type));
  }

  @Override
  public boolean isRunning() {
    return running;
  }

  @Override
  public boolean isPauseable() {
    return false;
  }

  /** Beside the schedulers that are beans, so that all of them share one timeout. */
  @Override
  public int getPhase() {
    return ExecutorConfigurationSupport.DEFAULT_PHASE;
  }

  @Override
  public void destroy() {
    destroyed = true;
  }
}
