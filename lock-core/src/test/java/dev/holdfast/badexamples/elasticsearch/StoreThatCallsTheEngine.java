package dev.holdfast.badexamples.elasticsearch;

import dev.holdfast.badexamples.EngineThatKnowsElasticsearch;

/** A store is called by the engine, not the other way round. */
public interface StoreThatCallsTheEngine {
  EngineThatKnowsElasticsearch engine();
}
