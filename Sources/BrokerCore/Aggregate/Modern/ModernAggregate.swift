// SPDX-License-Identifier: Apache-2.0
import JSONRPC
import MCPProtocol
import NIOCore
import Synchronization

/// The side of an aggregate that modern clients see: requests that stand alone, and clients that listen.
///
/// It opens no session with a member. A request for one member goes there as it came, but for the prefix of a name;
/// what a member asks for, and the state with it, is the member's own and comes back to it with the same name.
final class ModernAggregate: Sendable {
    let known = PrincipalResources()
    let surroundings: AggregateServer.Surroundings
    let version: String
    private let reader = ModernReader(states: nil)
    private let listeners = Mutex<[ObjectIdentifier: AggregateListener]>([:])

    /// - Parameter version: Lodge's own, which clients are told.
    init(version: String, surroundings: AggregateServer.Surroundings) {
        self.version = version
        self.surroundings = surroundings
    }

    var listening: Int { listeners.withLock { $0.count } }

    /// - Parameter members: those that the client's grant reaches.
    func receive(_ message: ClientMessage, members: [AggregateMember], sink: any CallSink) -> Admission {
        let message = message.session == nil ? message : message.addressed(to: nil)
        switch reader.read(message) {
        case .failure(let error): sink.finish(error.answer(id: message.requestID))
        case .success(let request):
            guard let caller = ModernCaller(message) else { break }
            return ModernAggregateRequest(
                request: request, caller: caller, members: members, sink: sink, aggregate: self
            ).admit()
        }
        return .pending(CallTicket {})
    }

    // MARK: Listeners

    /// Has a client listen until it leaves.
    ///
    /// - Returns: the listener, and the operation that ends with it.
    func listener(_ caller: ModernCaller, _ wanted: ListenFilter, sink: any CallSink) -> (AggregateListener, Operation)
    {
        let operation = Operation(id: caller.id, sink: sink) { [weak self] operation in
            self?.listeners.withLock { $0.removeValue(forKey: ObjectIdentifier(operation)) }?.end()
        }
        let listener = AggregateListener(
            caller, wanted, operation: operation, known: known, delays: surroundings.delays)
        listeners.withLock { $0[ObjectIdentifier(operation)] = listener }
        return (listener, operation)
    }

    private var all: [AggregateListener] { listeners.withLock { Array($0.values) } }

    func added(_ member: AggregateMember) {
        known.outdate()
        for listener in all { listener.added(member) }
    }

    func removed(_ member: AggregateMember) {
        known.forget(member.name)
        for listener in all { listener.removed(member.name) }
    }

    func cameUp(_ member: String) {
        known.outdate()
        for listener in all { listener.cameUp(member) }
    }

    func wentDown(_ member: String) {
        for listener in all { listener.wentDown(member) }
    }
}
