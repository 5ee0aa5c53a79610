package dev.holdfast.badexamples;

import co.elastic.clients.elasticsearch.ElasticsearchClient;

/** The engine knows the store's interface, and no store. */
public abstract class EngineThatKnowsElasticsearch {
  abstract void ask(ElasticsearchClient client);
}
