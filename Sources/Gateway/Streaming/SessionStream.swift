// SPDX-License-Identifier: Apache-2.0
import BrokerCore
import Synchronization

/// A session's own stream to its client (the GET of Streamable HTTP), as the core sees it.
///
/// The core has it for as long as the ``EventStream`` is read or kept, over several connections.
final class SessionStream: StreamSink, EventStreamOwner {
    private let relay: any ServerRelay
    private let session: String
    private let principal: Principal
    private let events: EventStream
    private let core: GatewayCore

    init(
        relay: any ServerRelay, session: String, principal: Principal, events: EventStream, core: GatewayCore
    ) {
        self.relay = relay
        self.session = session
        self.principal = principal
        self.events = events
        self.core = core
        core.meters.streams.add(1, ordering: .relaxed)
    }

    deinit { core.meters.streams.subtract(1, ordering: .relaxed) }

    // MARK: StreamSink

    func deliver(_ message: MessageBytes) -> Bool { events.add(message) }

    func close() {
        events.end()
        // A newer stream has taken its place, or the session has ended and everything of it with it.
        if relay.protocolVersion(session: session, principal: principal) == nil {
            core.streams.forget(session: session)
        }
    }

    // MARK: EventStreamOwner

    var endsAtShutdown: Bool { true }

    func streamIsRead(_ isRead: Bool) {}

    func streamWasTaken() { relay.touch(session: session, principal: principal) }

    func streamWasGivenUp(unseen: [MessageBytes], since time: ContinuousClock.Instant) {
        relay.closeStream(self, session: session, principal: principal)
    }
}
