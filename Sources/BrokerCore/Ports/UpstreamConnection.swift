// SPDX-License-Identifier: Apache-2.0
import JSONRPC

/// The way to one running generation of a server.
///
/// An upstream implements it; it belongs to that generation and is dropped with it. It is not a supervisor: starting and
/// ending the process is the upstream's business.
package protocol UpstreamConnection: AnyObject, Sendable {
    /// Writes one message and its framing without blocking.
    ///
    /// False where the server has not read so much that nothing more is held for it. Once the generation has ended the
    /// message is dropped and true answered, because the end itself is reported to the core.
    func send(_ message: MessageBytes) -> Bool
}

/// Calls back once at a point in time; one for each upstream.
package protocol DeadlineTimer: Sendable {
    /// Arranges one later call of `Upstream.deadlineReached()`; a new arrangement replaces an older one.
    func arm(at deadline: ContinuousClock.Instant)
}

/// The clock of the core, injected so that tests need none.
package typealias Now = @Sendable () -> ContinuousClock.Instant
