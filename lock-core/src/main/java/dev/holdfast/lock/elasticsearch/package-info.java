/**
 * Locks on Elasticsearch: {@link dev.holdfast.lock.elasticsearch.ElasticsearchLockStore} keeps the
 * records, {@link dev.holdfast.lock.elasticsearch.FencedElasticsearchWriter} writes what they
 * protect.
 */
@NullMarked
package dev.holdfast.lock.elasticsearch;

import org.jspecify.annotations.NullMarked;
