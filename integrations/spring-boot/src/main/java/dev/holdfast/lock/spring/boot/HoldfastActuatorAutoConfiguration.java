package dev.holdfast.lock.spring.boot;

import dev.holdfast.lock.LockManager;
import org.springframework.boot.actuate.autoconfigure.endpoint.condition.ConditionalOnAvailableEndpoint;
import org.springframework.boot.actuate.endpoint.annotation.Endpoint;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnSingleCandidate;
import org.springframework.boot.health.autoconfigure.contributor.ConditionalOnEnabledHealthIndicator;
import org.springframework.boot.health.contributor.HealthIndicator;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/** Auto-configuration of the health indicator and the endpoint, where the application has them. */
@AutoConfiguration(after = HoldfastAutoConfiguration.class)
public final class HoldfastActuatorAutoConfiguration {
  /** Made by Spring Boot. */
  HoldfastActuatorAutoConfiguration() {}

  @Configuration(proxyBeanMethods = false)
  @ConditionalOnClass({HealthIndicator.class, ConditionalOnEnabledHealthIndicator.class})
  @ConditionalOnSingleCandidate(LockManager.class)
  @ConditionalOnEnabledHealthIndicator("holdfast")
  static class HealthConfiguration {
    @Bean
    @ConditionalOnMissingBean(name = "holdfastHealthIndicator")
    HealthIndicator holdfastHealthIndicator(LockManager locks) {
      return new HoldfastHealthIndicator(locks);
    }
  }

  @Configuration(proxyBeanMethods = false)
  @ConditionalOnClass({Endpoint.class, ConditionalOnAvailableEndpoint.class})
  @ConditionalOnSingleCandidate(LockManager.class)
  static class EndpointConfiguration {
    @Bean
    @ConditionalOnAvailableEndpoint(endpoint = LocksEndpoint.class)
    @ConditionalOnMissingBean
    LocksEndpoint holdfastLocksEndpoint(LockManager locks) {
      return new LocksEndpoint(locks);
    }
  }
}
