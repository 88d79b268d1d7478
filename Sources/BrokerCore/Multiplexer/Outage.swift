// SPDX-License-Identifier: Apache-2.0
package import JSONRPC
import MCPProtocol

/// How a generation of a server ended, or why there is none.
package struct Ending: Sendable, Equatable {
    package enum Cause: Sendable, Equatable {
        case exited(code: Int32)
        case signaled(number: Int32, name: String)
        /// The process ended, and something else collected its status.
        case unknown
        /// The process could not be started; the text says why and what mends it.
        case notStarted(String)
        /// The process runs, but did not get through the handshake.
        case handshake(String)
        /// The server closed its output and lives.
        case closedOutput
        /// Lodge stopped it, at a person's wish or because Lodge itself ends.
        case stopped
    }

    package var cause: Cause
    /// The last lines of its stderr, redacted, oldest first.
    package var stderrTail: [String]

    package init(_ cause: Cause, stderrTail: [String] = []) {
        self.cause = cause
        self.stderrTail = stderrTail
    }

    /// What happened, as the middle of a sentence.
    package var text: String {
        switch cause {
        case .exited(let code): "ended with exit status \(code)"
        case .signaled(let number, let name): "was ended by signal \(number) (\(name))"
        case .unknown: "ended with a status that nobody knows"
        case .notStarted(let reason): "could not be started: \(reason)"
        case .handshake(let reason): "did not finish its handshake: \(reason)"
        case .closedOutput: "closed its output"
        case .stopped: "was stopped"
        }
    }

    /// The stable word for programs.
    package var reason: String {
        switch cause {
        case .exited, .signaled, .unknown: "exited"
        case .notStarted: "not-started"
        case .handshake: "handshake-failed"
        case .closedOutput: "closed-output"
        case .stopped: "stopped"
        }
    }
}

/// Why Lodge itself answers a call instead of the server: the error, and the `data` that goes with it.
///
/// The code is -32000 for legacy clients and -32603 for modern ones (docs/http.md, refusals); `retryAfter` stands only where the call never reached the server.
package struct CallFailure: Error, Sendable, Equatable {
    package static let code = -32000

    package var server: String
    package var reason: String
    package var message: String
    package var hint: String
    package var ending: Ending?
    package var retryAfter: Duration?
    /// Whether the server gave no answer and had not ended with the call: it is down, starting, slow or deaf.
    var isOutage = false

    /// For `Retry-After`, whole seconds and at least one.
    var secondsToRetry: Int { max(1, retryAfter.map { Int(($0.milliseconds + 999) / 1000) } ?? 1) }

    /// The JSON-RPC error for a call with this id. The tail of stderr enters only where the caller asks for it,
    /// because it may tell of other clients' calls.
    package func answer(id: RawID, code: Int = CallFailure.code, withTail: Bool = false) -> MessageBytes {
        var data: [JSONValue.Member] = [
            .init("server", .string(server)), .init("reason", .string(reason)), .init("hint", .string(hint)),
        ]
        switch ending?.cause {
        case .exited(let code): data.append(.init("exitCode", .number(.init(Int64(code)))))
        case .signaled(_, let name): data.append(.init("signal", .string(name)))
        default: break
        }
        if let retryAfter { data.append(.init("retryAfterMs", .number(.init(retryAfter.milliseconds)))) }
        if withTail, let tail = ending?.stderrTail, !tail.isEmpty {
            data.append(.init("stderrTail", .array(tail.map { .string($0) })))
        }
        return LodgeMessage.error(id: id, code: code, message: message, data: .object(data))
    }
}

extension CallFailure {
    /// The answer to a call, in the words of its client's era.
    func answer(to call: PendingCall, withTail: Bool) -> Answer {
        guard call.modern != nil else { return .message(answer(id: call.id, withTail: withTail)) }
        return modernAnswer(id: call.id, withTail: withTail)
    }

    /// The answer to a modern call; its code is one that JSON-RPC has for a fault of the server.
    func modernAnswer(id: RawID, withTail: Bool) -> Answer {
        .failed(answer(id: id, code: ErrorCode.internalError, withTail: withTail), code: ErrorCode.internalError)
    }

    /// The server ended while it had the call.
    static func ended(server: String, _ ending: Ending) -> CallFailure {
        CallFailure(
            server: server, reason: ending.reason,
            message: "server '\(server)' \(ending.text) before it answered",
            hint: "the call may have taken effect; check before calling again", ending: ending, retryAfter: nil)
    }

    /// The server is down and the call never reached it.
    static func down(server: String, _ ending: Ending, retryAfter: Duration?) -> CallFailure {
        let again = retryAfter == nil ? "it is not started again" : "it is being started again"
        return CallFailure(
            server: server, reason: ending.reason, message: "server '\(server)' \(ending.text); \(again)",
            hint: "the call did not reach the server; look at the server's log, then call again",
            ending: ending, retryAfter: retryAfter, isOutage: true)
    }

    static func timedOut(server: String, after: Duration, absolute: Bool) -> CallFailure {
        let rule = absolute ? "in all" : "without progress"
        return CallFailure(
            server: server, reason: "timed-out",
            message: "server '\(server)' did not answer within \(after.text) \(rule)",
            hint: "the server was told to cancel the call; --call-timeout sets the limit", ending: nil, retryAfter: nil,
            isOutage: true)
    }

    /// The client was asked for something that the call needs, and did not answer.
    static func unansweredQuestion(server: String, after: Duration) -> CallFailure {
        CallFailure(
            server: server, reason: "unanswered",
            message: "the client did not answer what server '\(server)' asked it within \(after.text)",
            hint: "the call waits with the client and not with the server; --call-timeout sets the limit",
            ending: nil, retryAfter: nil)
    }

    static func stillStarting(server: String, after: Duration) -> CallFailure {
        CallFailure(
            server: server, reason: "starting", message: "server '\(server)' was still starting after \(after.text)",
            hint: "the call did not reach the server; call again", ending: nil, retryAfter: .seconds(1),
            isOutage: true)
    }

    static func notReading(server: String) -> CallFailure {
        CallFailure(
            server: server, reason: "not-reading", message: "server '\(server)' does not read its input",
            hint: "the call did not reach the server; restart the server", ending: nil, retryAfter: .seconds(1),
            isOutage: true)
    }

    /// The server lives but refused Lodge's handshake, and the call never reached it.
    static func handshakeFailed(server: String, _ failure: String) -> CallFailure {
        let ending = Ending(.handshake(failure))
        return CallFailure(
            server: server, reason: ending.reason, message: "server '\(server)' \(ending.text)",
            hint: "the call did not reach the server; look at the server's log, then call again",
            ending: ending, retryAfter: nil, isOutage: true)
    }

    static func unusable(server: String, _ problem: String) -> CallFailure {
        CallFailure(
            server: server, reason: "unusable-answer", message: "server '\(server)' answered with \(problem)",
            hint: "the answer was dropped; this is a fault of the server", ending: nil, retryAfter: nil)
    }

    static func cancelled(server: String) -> CallFailure {
        CallFailure(
            server: server, reason: "cancelled", message: "the call was cancelled by its client",
            hint: "call again if you want the answer after all", ending: nil, retryAfter: nil)
    }

    static func sessionEnded(server: String) -> CallFailure {
        CallFailure(
            server: server, reason: "session-ended", message: "the session with server '\(server)' was ended",
            hint: "initialize a new session", ending: nil, retryAfter: nil)
    }
}

extension Duration {
    /// Whole milliseconds, never negative.
    package var milliseconds: Int64 {
        let (seconds, attoseconds) = components
        return max(0, seconds * 1000 + attoseconds / 1_000_000_000_000_000)
    }

    /// Seconds for a sentence: `300 s`, `0.25 s`.
    package var text: String {
        let milliseconds = milliseconds
        guard milliseconds % 1000 != 0 else { return "\(milliseconds / 1000) s" }
        let fraction = String(1000 + milliseconds % 1000).dropFirst()
        return "\(milliseconds / 1000).\(fraction.reversed().drop { $0 == "0" }.reversed().map(String.init).joined()) s"
    }
}
