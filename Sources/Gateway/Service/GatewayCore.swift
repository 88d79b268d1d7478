// SPDX-License-Identifier: Apache-2.0
import Logging

/// What every connection of one gateway shares; nothing in it changes while it listens.
struct GatewayCore: Sendable {
    let policy: RequestPolicy
    let routes: RouteTable
    let limits: GatewayLimits
    let meters: GatewayMeters
    let logger: Logger
    /// The version of lodge, as `/metrics` names it.
    var version = ""
    /// When the gateway was made, in seconds since 1970.
    var started: UInt64 = 0
    var process: @Sendable () -> ProcessFigures = { ProcessFigures() }
    /// The value of `Access-Control-Expose-Headers`.
    var exposedHeaders = "Mcp-Session-Id"
    var healthIsReadiness = false
    var readsLeniently = false
    let date = ResponseDate()
    let transports = TransportSessions()
    let streams = KeptStreams()
}
