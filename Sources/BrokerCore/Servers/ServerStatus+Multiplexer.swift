// SPDX-License-Identifier: Apache-2.0
import JSONRPC
import MCPProtocol
import NIOCore

extension ServerStatus {
    /// Takes over what one upstream says of itself.
    mutating func take(_ multiplexer: borrowing Multiplexer) {
        switch multiplexer.phase {
        case .idle: state = "starting"
        case .starting: state = multiplexer.counters.generations > 1 ? "restarting" : "starting"
        case .ready: state = "running"
        case .down(let ending, let retry):
            state = retry != nil ? "restarting" : ending.cause == .stopped ? "stopped" : "failed"
            lastEnding = ending.text
        }
        ready = multiplexer.isReady
        callsInFlight = multiplexer.callsInFlight
        restarts = max(0, multiplexer.counters.generations - 1)
        lateAnswers = multiplexer.counters.lateAnswers
        unknownAnswers = multiplexer.counters.unknownAnswers
        requests = multiplexer.counters.requests
        outcomes = multiplexer.counters.outcomes
        (serverInfo, protocolVersion) = multiplexer.serverIdentity
    }

    /// Adds what one upstream beside the home says of itself.
    mutating func add(_ multiplexer: borrowing Multiplexer) {
        if multiplexer.isRunning { upstreams += 1 }
        callsInFlight += multiplexer.callsInFlight
        restarts += max(0, multiplexer.counters.generations - 1)
        add(multiplexer.counters)
    }

    /// Adds what upstreams counted, which run or are gone.
    mutating func add(_ counters: Multiplexer.Counters) {
        lateAnswers += counters.lateAnswers
        unknownAnswers += counters.unknownAnswers
        requests += counters.requests
        outcomes.add(counters.outcomes)
    }
}

extension Multiplexer {
    /// Who the server says it is, and in which revision it speaks; nil before its handshake.
    var serverIdentity: (JSONValue?, String?) {
        guard let initialized,
            let result = try? JSONValue.parse(initialized.result.readableBytesUInt8Span)
        else { return (nil, nil) }
        return (result["serverInfo"], configuration.era == .modern ? ModernRevision.newest : initialized.version)
    }

    /// How the last generation ended; that it was stopped, where none has ended yet.
    var ending: Ending {
        if case .down(let ending, _) = phase { ending } else { Ending(.stopped) }
    }

    /// The sessions that wait for an answer.
    var sessionsInFlight: Set<SessionKey> { Set(pending.values.map(\.session)) }

    var isRunning: Bool {
        switch phase {
        case .starting, .ready: true
        case .idle, .down: false
        }
    }
}

extension Multiplexer.Counters {
    mutating func add(_ other: Self) {
        generations += other.generations
        lateAnswers += other.lateAnswers
        unknownAnswers += other.unknownAnswers
        requests += other.requests
        outcomes.add(other.outcomes)
    }
}
