/**
 * Toxiproxy, found or brought along: a TCP proxy whose faults are set over HTTP.
 *
 * <p>{@link dev.holdfast.chaos.toxiproxy.ToxiproxyServers#find()} hands out a server: a running
 * one, one started from the {@code PATH}, or the {@link
 * dev.holdfast.chaos.toxiproxy.ToxiproxyServer built-in} one, which speaks the same HTTP API and
 * has the same toxics as <a href="https://github.com/Shopify/toxiproxy">Shopify's Toxiproxy
 * 2.12.0</a>. One conformance test runs against both.
 *
 * <p>The built-in server has two threads. The <em>API thread</em> serves HTTP, one request after
 * the other, owns the set of proxies and may block. The <em>I/O thread</em> owns all sockets and
 * all toxics, and never blocks; the API thread hands it tasks and waits for them. So nothing is
 * locked.
 *
 * <p>A connection has two links, one a direction. A link is a chain:
 *
 * <pre>
 *   source channel → Stage(Effect) → Stage(Effect) → ... → destination channel
 * </pre>
 *
 * <p>Chunks are pushed along it, and room is pulled: a stage passes a chunk on only when the next
 * one has room, and the source is read only when the first one has. What is in flight is thus
 * bounded.
 */
@NullMarked
package dev.holdfast.chaos.toxiproxy;

import org.jspecify.annotations.NullMarked;
