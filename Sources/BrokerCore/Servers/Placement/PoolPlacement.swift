// SPDX-License-Identifier: Apache-2.0
import JSONRPC
import MCPProtocol
import Synchronization

/// Equal upstreams beside the home, each started again by itself (isolation `pool`).
///
/// A replica that ends fails its own calls and is left out until it is back. Nothing is declared to any of them, and
/// nothing that a client sets reaches any but the home.
final class PoolPlacement: CallPlacement, Upstream.Owner {
    private let ports: ServerPorts
    private let others = LateValue<[Upstream]>()
    /// Calls that were given to a replica and are not in its table yet, by replica; so that calls that come at one
    /// time do not all see the same one idle.
    private let entering: Mutex<[Int]>

    /// - Parameter replicas: how many upstreams there are with the home.
    init(_ configuration: Multiplexer.Configuration, replicas: Int, ports: ServerPorts) {
        self.ports = ports
        entering = Mutex(Array(repeating: 0, count: max(1, replicas)))
        others.set(
            (1..<max(1, replicas)).map { number in
                var configuration = configuration
                // What modern servers ask has to be told apart among all replicas; others may ask nothing.
                if configuration.era == .modern { configuration.firstTicket = Ticket(number) << 40 }
                return Upstream(configuration, owner: self, ports: ports)
            })
    }

    func start() {
        for upstream in upstreams(of: nil) { ports.supervisor.start(upstream, restarts: true) }
    }

    func stop() {
        for upstream in upstreams(of: nil) { ports.supervisor.stop(upstream) }
    }

    func enter(
        _ caller: Caller, home: Upstream, sink: any CallSink, _ body: (Upstream, any CallSink) -> Ticket?
    ) -> CallTicket? {
        let all = [home] + upstreams(of: nil)
        let index = entering.withLock { entering in
            let loads = all.indices.map { index in
                all[index].inspect { multiplexer in
                    ReplicaChoice.Load(
                        isReady: multiplexer.isReady, calls: multiplexer.callsInFlight + entering[index])
                }
            }
            let index = ReplicaChoice.index(among: loads)
            entering[index] += 1
            return index
        }
        defer { entering.withLock { $0[index] -= 1 } }
        let upstream = all[index]
        if upstream !== home { upstream.sessionOpened(caller.session, caller.declaration) }
        return enter(at: upstream, session: caller.session, sink: sink, body)
    }

    func enter(
        at upstream: Upstream, session: SessionKey, sink: any CallSink, _ body: (Upstream, any CallSink) -> Ticket?
    ) -> CallTicket {
        guard let ticket = body(upstream, sink) else { return CallTicket {} }
        return CallTicket { upstream.withdraw(ticket, of: session) }
    }

    /// Replicas are there for good.
    func sweep() {}

    /// Any replica may have calls of any session.
    func upstreams(of _: SessionKey?) -> [Upstream] { others.value ?? [] }

    var past: Multiplexer.Counters { Multiplexer.Counters() }

    // MARK: Upstream.Owner

    /// No client initializes here; one that did would get the answer and no session.
    func open(_ call: InitializeCall, answer: MessageBytes, version _: String, upstream _: Upstream) {
        call.sink.finish(.message(answer))
    }

    func handshakeEnded(failure _: String?, upstream _: Upstream) {}
    func generationEnded(_: Ending, upstream _: Upstream) {}
}
