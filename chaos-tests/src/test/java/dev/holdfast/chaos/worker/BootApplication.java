package dev.holdfast.chaos.worker;

import dev.holdfast.lock.spring.boot.LockManagerBuilderCustomizer;
import java.util.List;
import java.util.Map;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.SpringBootConfiguration;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.logging.LoggingSystem;
import org.springframework.context.ApplicationContextInitializer;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.support.GenericApplicationContext;

/** An application of Spring Boot, with the lock manager that is configured in it automatically. */
@SpringBootConfiguration(proxyBeanMethods = false)
@EnableAutoConfiguration
public class BootApplication {

  /** Starts one; closing it closes its lock manager. */
  static ConfigurableApplicationContext start(
      WorkerSpec.Names names, List<String> urls, LockManagerBuilderCustomizer customizer) {
    // The worker's own, not Spring Boot's, says what is logged.
    System.setProperty(LoggingSystem.SYSTEM_PROPERTY, LoggingSystem.NONE);
    SpringApplication application = new SpringApplication(BootApplication.class);
    application.setDefaultProperties(
        Map.of(
            "holdfast.uris", String.join(",", urls),
            "holdfast.index", names.lockAlias(),
            "spring.main.banner-mode", "off",
            // The worker ends it, when its clients have ended.
            "spring.main.register-shutdown-hook", "false",
            "spring.jmx.enabled", "false"));
    application.addInitializers(
        (ApplicationContextInitializer<GenericApplicationContext>)
            context -> context.registerBean(LockManagerBuilderCustomizer.class, () -> customizer));
    return application.run();
  }
}
