// SPDX-License-Identifier: Apache-2.0
import BrokerCore
import NIOCore
import Synchronization

/// A session's own stream to its client (the GET of Streamable HTTP), as the core sees it.
///
/// Its outlet writes, and ends it when its client is too far behind.
final class SessionStream: StreamSink, OutletOwner {
    let relay: any ServerRelay
    let session: String
    let principal: Principal
    private let outlet: EventOutlet
    private let meters: GatewayMeters

    init(
        relay: any ServerRelay, session: String, principal: Principal, outlet: EventOutlet, meters: GatewayMeters
    ) {
        self.relay = relay
        self.session = session
        self.principal = principal
        self.outlet = outlet
        self.meters = meters
        meters.streams.add(1, ordering: .relaxed)
    }

    deinit { meters.streams.subtract(1, ordering: .relaxed) }

    // MARK: StreamSink

    func deliver(_ message: MessageBytes) -> Bool { outlet.send(EventFraming.event(message)) }

    func close() { outlet.end() }

    // MARK: OutletOwner

    var endsAtShutdown: Bool { true }

    func outletWasTaken(_ outlet: EventOutlet) { relay.touch(session: session, principal: principal) }

    func outletClosed(_ outlet: EventOutlet, unwritten: Int) {
        relay.closeStream(self, session: session, principal: principal)
    }
}
