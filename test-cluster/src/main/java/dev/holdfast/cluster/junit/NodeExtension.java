package dev.holdfast.cluster.junit;

import dev.holdfast.cluster.ContainerNode;
import dev.holdfast.cluster.ElasticsearchNode;
import dev.holdfast.cluster.ElasticsearchVersion;
import dev.holdfast.cluster.Node;
import dev.holdfast.cluster.junit.HoldfastElasticsearch.Where;
import java.net.URI;
import java.util.Optional;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ConditionEvaluationResult;
import org.junit.jupiter.api.extension.ExecutionCondition;
import org.junit.jupiter.api.extension.ExtensionConfigurationException;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ExtensionContext.Namespace;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;
import org.junit.platform.commons.support.AnnotationSupport;

/** Implements {@link HoldfastElasticsearch}. The node is in the store of the annotated class. */
final class NodeExtension implements ExecutionCondition, BeforeAllCallback, ParameterResolver {

  private static final Namespace NAMESPACE = Namespace.create(NodeExtension.class);
  private static final String TESTCONTAINERS = "org.testcontainers.DockerClientFactory";

  @Override
  public ConditionEvaluationResult evaluateExecutionCondition(ExtensionContext context) {
    HoldfastElasticsearch wanted = wanted(context);
    Optional<String> reason =
        where(wanted) == Where.PROCESS
            ? ElasticsearchNode.unsupportedReason(wanted.version())
            : whyNoContainer();
    return reason
        .map(ConditionEvaluationResult::disabled)
        .orElseGet(() -> ConditionEvaluationResult.enabled("a node can run here"));
  }

  private static Optional<String> whyNoContainer() {
    try {
      Class.forName(TESTCONTAINERS);
    } catch (ClassNotFoundException e) {
      throw new ExtensionConfigurationException(
          "a node in a container needs org.testcontainers:testcontainers on the class path", e);
    }
    return ContainerNode.unsupportedReason();
  }

  @Override
  public void beforeAll(ExtensionContext context) {
    HoldfastElasticsearch wanted = wanted(context);
    // Also looks in the stores of enclosing classes, so that nested ones have the same node.
    Object unused =
        context
            .getStore(NAMESPACE)
            .computeIfAbsent(Node.class, type -> start(where(wanted), wanted.version()));
  }

  private static Node start(Where where, ElasticsearchVersion version) {
    return where == Where.PROCESS
        ? ElasticsearchNode.builder(version).start()
        : ContainerNode.builder(version).start();
  }

  @Override
  public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
    Class<?> type = parameter.getParameter().getType();
    return type == Node.class || type == URI.class;
  }

  @Override
  public Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
    Node node = context.getStore(NAMESPACE).get(Node.class, Node.class);
    if (node == null) {
      throw new ExtensionConfigurationException("the node is there from @BeforeAll on, not before");
    }
    return parameter.getParameter().getType() == URI.class ? node.httpUri() : node;
  }

  private static HoldfastElasticsearch wanted(ExtensionContext context) {
    return AnnotationSupport.findAnnotation(
            context.getRequiredTestClass(),
            HoldfastElasticsearch.class,
            context.getEnclosingTestClasses())
        .orElseThrow(
            () -> new ExtensionConfigurationException("@HoldfastElasticsearch stands nowhere"));
  }

  private static Where where(HoldfastElasticsearch wanted) {
    if (wanted.in() != Where.CONFIGURED) {
      return wanted.in();
    }
    String configured = System.getProperty(HoldfastElasticsearch.CLUSTER_PROPERTY, "process");
    return switch (configured) {
      case "process" -> Where.PROCESS;
      case "docker" -> Where.CONTAINER;
      default ->
          throw new ExtensionConfigurationException(
              HoldfastElasticsearch.CLUSTER_PROPERTY + " is process or docker, not " + configured);
    };
  }
}
