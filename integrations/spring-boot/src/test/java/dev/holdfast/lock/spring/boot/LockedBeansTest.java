package dev.holdfast.lock.spring.boot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import dev.holdfast.lock.LockManager;
import dev.holdfast.lock.LockOptions;
import dev.holdfast.lock.memory.InMemoryLockStore;
import dev.holdfast.lock.store.LockStore;
import jakarta.annotation.PostConstruct;
import jakarta.annotation.PreDestroy;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import kotlin.sequences.Sequence;
import kotlinx.coroutines.Deferred;
import kotlinx.coroutines.flow.Flow;
import org.aopalliance.intercept.MethodInterceptor;
import org.aopalliance.intercept.MethodInvocation;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.aop.Advisor;
import org.springframework.aop.Pointcut;
import org.springframework.aop.interceptor.ExposeInvocationInterceptor;
import org.springframework.aop.support.DefaultPointcutAdvisor;
import org.springframework.aop.support.NameMatchMethodPointcut;
import org.springframework.beans.factory.DisposableBean;
import org.springframework.beans.factory.InitializingBean;
import org.springframework.beans.factory.config.BeanDefinition;
import org.springframework.beans.factory.config.BeanPostProcessor;
import org.springframework.beans.factory.support.DefaultListableBeanFactory;
import org.springframework.beans.factory.support.RootBeanDefinition;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.autoconfigure.aop.AopAutoConfiguration;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Role;
import org.springframework.core.Ordered;
import org.springframework.core.PriorityOrdered;
import org.springframework.http.ResponseEntity;
import org.springframework.web.context.request.async.DeferredResult;
import org.springframework.web.context.request.async.WebAsyncTask;
import org.springframework.web.servlet.mvc.method.annotation.SseEmitter;
import org.springframework.web.servlet.mvc.method.annotation.StreamingResponseBody;

/** Which beans' methods are {@link Locked}, and what the application is told if they cannot be. */
@Timeout(120)
class LockedBeansTest {
  private final InMemoryLockStore store = new InMemoryLockStore();

  private final ApplicationContextRunner runner =
      new ApplicationContextRunner()
          .withConfiguration(
              AutoConfigurations.of(AopAutoConfiguration.class, HoldfastAutoConfiguration.class))
          .withBean(LockStore.class, () -> store);

  // --- Where the annotation is found

  interface Plain {
    boolean run();
  }

  static class OnTheClass implements Plain {
    @Locked("a")
    @Override
    public boolean run() {
      return isLocked("a");
    }
  }

  interface OfInterface<T> {
    @Locked("a")
    boolean run(T value);
  }

  static class KnowsNoInterface {
    public boolean run(String value) {
      return isLocked("a");
    }
  }

  static class Inheriting extends KnowsNoInterface implements OfInterface<String> {}

  private static boolean isLocked(String lockId) {
    try {
      return LockAssert.assertLocked(lockId).isHeld();
    } catch (IllegalStateException e) {
      return false;
    }
  }

  @Test
  void annotationOnTheClass_underAProxyOfItsInterfaces_isFound() {
    runner
        .withBean(Plain.class, OnTheClass::new)
        .withPropertyValues("spring.aop.proxy-target-class=false")
        .run(
            context -> {
              Plain bean = context.getBean(Plain.class);
              assertThat(Proxy.isProxyClass(bean.getClass())).isTrue();
              assertThat(bean.run()).isTrue();
            });
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  @SuppressWarnings("unchecked")
  void annotationOnAnInterface_whoseMethodASuperclassImplements_isFound(boolean classes) {
    runner
        .withBean("inheriting", Inheriting.class)
        .withPropertyValues("spring.aop.proxy-target-class=" + classes)
        .run(
            context ->
                assertThat(((OfInterface<String>) context.getBean("inheriting")).run("")).isTrue());
    runner
        .withBean(Inheriting.class)
        .run(
            context -> {
              KnowsNoInterface bean = context.getBean(Inheriting.class);
              assertThat(bean.run("")).isTrue();
            });
  }

  // --- Methods that are called without a proxy

  static class AfterConstruction {
    @PostConstruct
    @Locked("a")
    public void begin() {}
  }

  static class BeforeDestruction {
    @PreDestroy
    @Locked("a")
    public void end() {}
  }

  static class Initializing implements InitializingBean {
    @Locked("a")
    @Override
    public void afterPropertiesSet() {}
  }

  static class Disposable implements DisposableBean {
    @Locked("a")
    @Override
    public void destroy() {}
  }

  static class Named {
    @Locked("a")
    public void begin() {}
  }

  @Configuration(proxyBeanMethods = false)
  static class NamedConfiguration {
    @Bean(initMethod = "begin")
    Named named() {
      return new Named();
    }
  }

  static class Early {
    @Locked("a")
    public void run() {}
  }

  /** Created, and {@link Early} with it, before there are proxies. */
  static class EarlyProcessor implements BeanPostProcessor, PriorityOrdered {
    final Early early;

    EarlyProcessor(Early early) {
      this.early = early;
    }

    @Override
    public int getOrder() {
      return Ordered.HIGHEST_PRECEDENCE;
    }
  }

  @Configuration(proxyBeanMethods = false)
  static class EarlyConfiguration {
    @Bean
    static Early early() {
      return new Early();
    }

    @Bean
    static EarlyProcessor earlyProcessor(Early early) {
      return new EarlyProcessor(early);
    }
  }

  static Stream<Arguments> withoutProxy() {
    return Stream.of(
        Arguments.of(AfterConstruction.class, "AfterConstruction.begin()"),
        Arguments.of(BeforeDestruction.class, "BeforeDestruction.end()"),
        Arguments.of(Initializing.class, "Initializing.afterPropertiesSet()"),
        Arguments.of(Disposable.class, "Disposable.destroy()"),
        Arguments.of(NamedConfiguration.class, "Named.begin()"),
        Arguments.of(EarlyConfiguration.class, "Early.run() of the bean \"early\" has no proxy"));
  }

  @ParameterizedTest
  @MethodSource("withoutProxy")
  void start_withAMethodThatIsCalledWithoutItsLock_namesIt(Class<?> type, String method) {
    runner
        .withUserConfiguration(type)
        .run(
            context ->
                assertThat(context.getStartupFailure())
                    .hasStackTraceContaining(method)
                    .hasStackTraceContaining("no lock would be acquired"));
  }

  /** As for {@code @MockitoBean} and {@code @TestBean}. */
  @Test
  void singletonThatATestPutsInThePlaceOfABean_isNotChecked() {
    runner
        .withInitializer(
            context -> {
              DefaultListableBeanFactory beans =
                  (DefaultListableBeanFactory) context.getBeanFactory();
              beans.registerBeanDefinition("early", new RootBeanDefinition(Early.class));
              beans.registerSingleton("early", new Early());
            })
        .run(context -> assertThat(context).hasNotFailed());
  }

  record Wrapper(Plain inner) implements Plain {
    @Override
    public boolean run() {
      return inner.run();
    }
  }

  static class Wrapping implements BeanPostProcessor {
    @Override
    public Object postProcessAfterInitialization(Object bean, String beanName) {
      return bean instanceof OnTheClass ? new Wrapper((Plain) bean) : bean;
    }
  }

  /** Another kind of proxy in front of the bean's own. */
  @Test
  void beanThatIsWrapped_isNotChecked() {
    runner
        .withBean("plain", Plain.class, OnTheClass::new)
        .withBean(Wrapping.class)
        .withPropertyValues("spring.aop.proxy-target-class=true")
        .run(context -> assertThat(context.getBean("plain", Plain.class).run()).isTrue());
  }

  // --- Results whose work begins later

  static class OfCallable {
    @Locked("a")
    public Callable<String> later() {
      return () -> "";
    }
  }

  static class OfSupplier {
    @Locked("a")
    public Supplier<String> later() {
      return () -> "";
    }
  }

  static class OfStream {
    @Locked("a")
    public IntStream later() {
      return IntStream.of();
    }
  }

  static class OfIterator {
    @Locked("a")
    public Iterator<String> later() {
      return List.<String>of().iterator();
    }
  }

  static class OfOptional {
    @Locked("a")
    public Optional<Stream<String>> later() {
      return Optional.empty();
    }
  }

  static class OfStage {
    @Locked("a")
    public CompletableFuture<CompletableFuture<String>> later() {
      return new CompletableFuture<>();
    }
  }

  static class OfDeferredResult {
    @Locked("a")
    public DeferredResult<String> later() {
      return new DeferredResult<>();
    }
  }

  static class OfWebAsyncTask {
    @Locked("a")
    public WebAsyncTask<String> later() {
      return new WebAsyncTask<>(() -> "");
    }
  }

  static class OfEmitter {
    @Locked("a")
    public SseEmitter later() {
      return new SseEmitter();
    }
  }

  static class OfStreamingBody {
    @Locked("a")
    public StreamingResponseBody later() {
      return out -> {};
    }
  }

  static class OfResponse {
    @Locked("a")
    public ResponseEntity<StreamingResponseBody> later() {
      return ResponseEntity.ok(out -> {});
    }
  }

  static class OfSequence {
    @Locked("a")
    public Sequence<String> later() {
      return List.<String>of()::iterator;
    }
  }

  static class OfCoroutine {
    @Locked("a")
    public @Nullable Deferred<String> later() {
      return null;
    }
  }

  static class OfFlow {
    @Locked("a")
    public @Nullable Flow<String> later() {
      return null;
    }
  }

  @ParameterizedTest
  @ValueSource(
      classes = {
        OfCallable.class,
        OfSupplier.class,
        OfStream.class,
        OfIterator.class,
        OfOptional.class,
        OfStage.class,
        OfDeferredResult.class,
        OfWebAsyncTask.class,
        OfEmitter.class,
        OfStreamingBody.class,
        OfResponse.class,
        OfSequence.class,
        OfCoroutine.class,
        OfFlow.class
      })
  void start_withAResultWhoseWorkBeginsLater_namesTheMethod(Class<?> type) {
    runner
        .withBean(type)
        .run(
            context ->
                assertThat(context.getStartupFailure())
                    .hasStackTraceContaining(type.getSimpleName() + ".later()")
                    .hasStackTraceContaining("after the method has returned"));
  }

  static class Undeclared {
    @Locked("a")
    public Object stream() {
      return Stream.of();
    }

    @Locked("a")
    public Object callable() {
      Callable<String> later = () -> "";
      return later;
    }

    @Locked("a")
    public List<String> list() {
      return List.of("a");
    }
  }

  @Test
  void result_whoseWorkBeginsLater_isAnErrorIfItIsNotDeclared() {
    runner
        .withBean(Undeclared.class)
        .run(
            context -> {
              Undeclared bean = context.getBean(Undeclared.class);
              assertThatIllegalStateException()
                  .isThrownBy(bean::stream)
                  .withMessageContaining("Undeclared.stream()");
              assertThatIllegalStateException()
                  .isThrownBy(bean::callable)
                  .withMessageContaining("Undeclared.callable()");
              assertThat(bean.list()).containsExactly("a");
            });
  }

  // --- Which manager

  static class Job {
    @Locked("job")
    public boolean run() {
      return isLocked("job");
    }
  }

  @Configuration(proxyBeanMethods = false)
  static class TwoManagers {
    @Bean
    LockManager one() {
      return LockManager.create(new InMemoryLockStore());
    }

    @Bean
    LockManager two() {
      return LockManager.create(new InMemoryLockStore());
    }
  }

  @Test
  void start_withTwoManagers_namesThemIfOneIsNeeded() {
    ApplicationContextRunner two = runner.withUserConfiguration(TwoManagers.class);
    two.run(context -> assertThat(context).hasNotFailed());
    for (ApplicationContextRunner needed :
        List.of(two.withBean(Job.class), two.withPropertyValues("holdfast.fail-fast=true"))) {
      needed.run(
          context ->
              assertThat(context.getStartupFailure())
                  .hasStackTraceContaining("one, two: mark one of them as @Primary"));
    }
    two.withBean(
            "three",
            LockManager.class,
            () -> LockManager.create(store),
            definition -> definition.setPrimary(true))
        .withBean(Job.class)
        .run(context -> assertThat(context.getBean(Job.class).run()).isTrue());
  }

  // --- Options

  static class WithTtl {
    @Locked(value = "a", ttl = "9s")
    public void run() {}
  }

  @Test
  void start_withARequestTimeoutThatIsTooLongForATtl_namesBoth() {
    runner
        .withPropertyValues("holdfast.request-timeout=11s")
        .run(
            context ->
                assertThat(context.getStartupFailure())
                    .hasStackTraceContaining("holdfast.request-timeout")
                    .hasStackTraceContaining("a third of holdfast.defaults.ttl"));
    runner
        .withPropertyValues("holdfast.request-timeout=4s")
        .withBean(WithTtl.class)
        .run(
            context ->
                assertThat(context.getStartupFailure())
                    .hasStackTraceContaining("WithTtl.run()")
                    .hasStackTraceContaining("three times holdfast.request-timeout"));
    runner
        .withPropertyValues("holdfast.request-timeout=3s")
        .withBean(WithTtl.class)
        .run(context -> assertThat(context).hasNotFailed());
  }

  static class OfTtl {
    final LockManager locks;

    OfTtl(LockManager locks) {
      this.locks = locks;
    }

    @Locked("a")
    public Duration ttl() {
      return locks.find("a").orElseThrow().ttl();
    }
  }

  /** Options of the application are for its own calls. */
  @Test
  void lockOptionsOfTheApplication_doNotReplaceTheDefaults() {
    runner
        .withBean("one", LockOptions.class, LockOptions::defaults)
        .withBean("two", LockOptions.class, LockOptions::defaults)
        .withBean(OfTtl.class)
        .withPropertyValues("holdfast.defaults.ttl=7s")
        .run(
            context ->
                assertThat(context.getBean(OfTtl.class).ttl()).isEqualTo(Duration.ofSeconds(7)));
  }

  // --- Other advice

  static class Stages {
    @Locked("a")
    public CompletableFuture<Boolean> run() {
      return CompletableFuture.completedFuture(isLocked("a"));
    }
  }

  /** As that of AspectJ, which finds its call by the thread. */
  static class AspectLike implements MethodInterceptor {
    @Override
    public @Nullable Object invoke(MethodInvocation call) throws Throwable {
      assertThat(ExposeInvocationInterceptor.currentInvocation().getMethod())
          .isEqualTo(call.getMethod());
      return call.proceed();
    }
  }

  @Configuration(proxyBeanMethods = false)
  static class Aspects {
    @Bean
    @Role(BeanDefinition.ROLE_INFRASTRUCTURE)
    static Advisor exposing() {
      DefaultPointcutAdvisor advisor =
          new DefaultPointcutAdvisor(ofStages(), ExposeInvocationInterceptor.INSTANCE);
      advisor.setOrder(Ordered.HIGHEST_PRECEDENCE);
      return advisor;
    }

    @Bean
    @Role(BeanDefinition.ROLE_INFRASTRUCTURE)
    static Advisor aspectLike() {
      return new DefaultPointcutAdvisor(ofStages(), new AspectLike());
    }

    private static Pointcut ofStages() {
      NameMatchMethodPointcut run = new NameMatchMethodPointcut();
      run.setMappedName("run");
      run.setClassFilter(Stages.class::isAssignableFrom);
      return run;
    }
  }

  @Test
  void aspects_ofAMethodThatReturnsAStage_findTheirCall() {
    runner
        .withUserConfiguration(Aspects.class)
        .withBean(Stages.class)
        .run(context -> assertThat(context.getBean(Stages.class).run().get()).isTrue());
  }
}
