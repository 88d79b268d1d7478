// SPDX-License-Identifier: Apache-2.0
package import Logging

/// What a server needs of its broker, whatever its isolation.
package struct ServerConfiguration: Sendable {
    package var multiplexer: Multiplexer.Configuration
    package var sessions = SessionLimits()
    /// Upstreams of one server in isolation `client` or `call`: at most so many; those of `client` end after so long
    /// without use.
    package var clientUpstreams = 32
    package var clientIdle: Duration = .seconds(600)
    /// Equal upstreams of a server in isolation `pool`.
    package var replicas = 2
    /// Whether the endpoint is served without sessions; not for isolation `client`.
    package var isStateless = false

    /// Whether sessions of a shared server end with the generation that they were opened in, instead of going on over
    /// the next.
    package var sessionsEndWithGeneration = false

    package init(_ multiplexer: Multiplexer.Configuration) { self.multiplexer = multiplexer }

    package var name: String { multiplexer.server }
}

/// What servers share: signing, time, logs.
package struct ServerPorts: Sendable {
    package var supervisor: any UpstreamSupervisor
    package var sessionIDs: SessionIDs
    package var callLog: (any CallLog)?
    /// Is told when the server comes up and goes down.
    package var observer: (any ServerObserver)?
    package var logger: Logger
    package var now: Now
    /// Seconds since 1970, for what outlives the process.
    package var wallClock: @Sendable () -> UInt64
    package var random: @Sendable () -> UInt64

    package init(
        supervisor: any UpstreamSupervisor, sessionIDs: SessionIDs, callLog: (any CallLog)?, logger: Logger,
        now: @escaping Now, wallClock: @escaping @Sendable () -> UInt64,
        random: @escaping @Sendable () -> UInt64 = { UInt64.random(in: .min ... .max) }
    ) {
        self.supervisor = supervisor
        self.sessionIDs = sessionIDs
        self.callLog = callLog
        self.logger = logger
        self.now = now
        self.wallClock = wallClock
        self.random = random
    }

    func states(of server: String) -> RequestStates {
        RequestStates(server: server, signing: sessionIDs.signing, wallClock: wallClock)
    }
}
