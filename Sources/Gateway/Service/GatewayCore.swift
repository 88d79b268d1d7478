// SPDX-License-Identifier: Apache-2.0
import Logging

/// What every connection of one gateway shares; nothing in it changes while it listens.
struct GatewayCore: Sendable {
    let policy: RequestPolicy
    let routes: RouteTable
    let limits: GatewayLimits
    let meters: GatewayMeters
    let logger: Logger
    let date = ResponseDate()
    let transports = TransportSessions()
    let streams = KeptStreams()
}
