// SPDX-License-Identifier: Apache-2.0
package import Synchronization

/// Counts what the gateway holds right now, so that a leak shows as a number.
package final class GatewayMeters: Sendable {
    /// POSTs with requests, and requests of the 2024-11-05 transport, that are not answered, as objects alive.
    package let exchanges = Atomic<Int>(0)
    /// Sessions' own streams, and those of the 2024-11-05 transport, as objects alive.
    package let streams = Atomic<Int>(0)
    /// Bytes of events that are kept for clients that may come back.
    package let replayBytes = Atomic<Int>(0)
    /// Open connections.
    package let connections = Atomic<Int>(0)

    package init() {}
}
