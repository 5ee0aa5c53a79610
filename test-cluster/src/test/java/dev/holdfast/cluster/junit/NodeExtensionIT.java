package dev.holdfast.cluster.junit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.cluster.ContainerNode;
import dev.holdfast.cluster.ElasticsearchNode;
import dev.holdfast.cluster.Node;
import dev.holdfast.cluster.junit.HoldfastElasticsearch.Where;
import java.net.URI;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The extension as users have it: in a process, in a container, and where it is told to. */
@Tag("slow")
class NodeExtensionIT {

  /** The contract of each use of the extension. */
  abstract static class Contract {

    final URI ofConstructor;

    Contract(URI elasticsearch) {
      this.ofConstructor = elasticsearch;
    }

    @Test
    void parameters_ofConstructorAndMethod_areOneNodeThatAnswers(Node node) {
      node.awaitUp();
      assertThat(node.httpUri()).isEqualTo(ofConstructor);
    }
  }

  @Nested
  @HoldfastElasticsearch(in = Where.PROCESS)
  class InAProcess extends Contract {

    InAProcess(URI elasticsearch) {
      super(elasticsearch);
    }

    @Test
    void node_isAProcess(Node node) {
      assertThat(node).isInstanceOf(ElasticsearchNode.class);
    }

    @Nested
    class Inside {

      @Test
      void node_ofANestedClass_isThatOfTheEnclosing(URI elasticsearch) {
        assertThat(elasticsearch).isEqualTo(InAProcess.this.ofConstructor);
      }
    }
  }

  @Nested
  @HoldfastElasticsearch(in = Where.CONTAINER)
  class InAContainer extends Contract {

    InAContainer(URI elasticsearch) {
      super(elasticsearch);
    }

    @Test
    void node_isAContainer(Node node) {
      assertThat(node).isInstanceOf(ContainerNode.class);
    }
  }

  @Nested
  @HoldfastElasticsearch
  class WhereTold extends Contract {

    WhereTold(URI elasticsearch) {
      super(elasticsearch);
    }

    @Test
    void node_isWhereTheSystemPropertySays(Node node) {
      assertThat(node)
          .isInstanceOf(
              "docker".equals(System.getProperty(HoldfastElasticsearch.CLUSTER_PROPERTY))
                  ? ContainerNode.class
                  : ElasticsearchNode.class);
    }
  }
}
