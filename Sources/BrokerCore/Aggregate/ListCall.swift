// SPDX-License-Identifier: Apache-2.0
import JSONRPC
import Logging
import NIOCore
import Synchronization

/// Asks members for a list of theirs, every page of it, side by side.
///
/// A member that is down, refuses or does not answer within the limit drops out; the others are not held up. It ends
/// with its operation, and hands over what there is otherwise.
final class ListCall: Sendable {
    /// How much of one member's list is taken.
    struct Limits: Sendable {
        var pages = 200
        var entries = 10_000
        var bytes = 16 << 20
        /// For the members together.
        var time: Duration = .seconds(30)
    }

    private struct State {
        var entries: [[[UInt8]]]
        var bytes: [Int]
        /// Members whose part is not complete.
        var waiting: Set<Int>
        var dropped: Set<Int> = []
        var isDone = false
        var stopTimer: (@Sendable () -> Void)?
    }

    private let kind: ListKind
    private let members: [AggregateMember]
    private let session: AggregateSession
    private let operation: Operation
    private let surroundings: AggregateServer.Surroundings
    private let completion: @Sendable ([ListPart]) -> Void
    private let state: Mutex<State>

    init(
        _ kind: ListKind, of members: [AggregateMember], session: AggregateSession, operation: Operation,
        surroundings: AggregateServer.Surroundings, completion: @escaping @Sendable ([ListPart]) -> Void
    ) {
        self.kind = kind
        self.members = members
        self.session = session
        self.operation = operation
        self.surroundings = surroundings
        self.completion = completion
        state = Mutex(
            State(
                entries: Array(repeating: [], count: members.count), bytes: Array(repeating: 0, count: members.count),
                waiting: Set(members.indices)))
    }

    func start() {
        guard !members.isEmpty else { return complete() }
        let stop = surroundings.delays.after(surroundings.lists.time) { [weak self] in self?.timeIsUp() }
        let isDone = state.withLock { state in
            state.stopTimer = stop
            return state.isDone
        }
        if isDone { stop() }
        for index in members.indices { begin(index) }
    }

    private func begin(_ index: Int) {
        let member = members[index]
        guard member.relay.isReady else {
            session.isMissing(member.name)
            // Whoever comes next is a new attempt for a server that lives and refused the last one.
            if session.openSession(of: member) == nil { session.withSession(of: member) { _ in } }
            return finish(index, dropped: true)
        }
        ask(index, cursor: nil, pages: 1, mayReopen: true)
    }

    private func ask(_ index: Int, cursor: [UInt8]?, pages: Int, mayReopen: Bool) {
        session.withSession(of: members[index]) { [self] opening in
            guard !operation.isOver else { return }
            guard case .open(let id) = opening else { return finish(index, dropped: true) }
            ask(index, cursor: cursor, pages: pages, mayReopen: mayReopen, in: id)
        }
    }

    private func ask(_ index: Int, cursor: [UInt8]?, pages: Int, mayReopen: Bool, in id: String) {
        let member = members[index]
        if session.greeting(of: member)?.has(kind.capability) == false { return finish(index, dropped: false) }
        let params = cursor.map { Array(#"{"cursor":"#.utf8) + $0 + [UInt8(ascii: "}")] }
        let request = MessageBytes(
            bytes: MessageBuilder.request(id: operation.id, method: kind.method, params: params))
        guard let message = ClientMessage(own: request, session: id, principal: session.principal) else {
            return finish(index, dropped: true)
        }
        let admission = member.relay.receive(message, sink: AnswerSink { self.answered(index, $0.bytes, pages: pages) })
        guard operation.keep(admission) != nil else { return }
        session.tellChanges(of: session.lost(id, of: member.name))
        guard mayReopen, cursor == nil else { return finish(index, dropped: true) }
        ask(index, cursor: nil, pages: 1, mayReopen: false)
    }

    private func answered(_ index: Int, _ answer: MessageBytes, pages: Int) {
        guard let page = ListPage(answer, of: kind) else {
            return finish(index, dropped: !ListPage.isUnknownMethod(answer))
        }
        let limits = surroundings.lists
        let isCut = state.withLock { state in
            guard state.waiting.contains(index) else { return false }
            let room = max(0, limits.entries - state.entries[index].count)
            state.entries[index] += page.entries.prefix(room)
            state.bytes[index] += page.entries.reduce(0) { $0 + $1.count }
            return page.entries.count > room || state.bytes[index] >= limits.bytes
        }
        let next = page.next
        if isCut || next != nil && pages >= limits.pages {
            surroundings.logger.warning(
                "list of a server is cut, it has too many pages or entries",
                metadata: ["server": "\(members[index].name)", "method": "\(kind.method)", "pages": "\(pages)"])
            return finish(index, dropped: false)
        }
        guard let next else { return finish(index, dropped: false) }
        guard !operation.isOver else { return }
        ask(index, cursor: next, pages: pages + 1, mayReopen: false)
    }

    private func finish(_ index: Int, dropped: Bool) {
        if dropped { session.isMissing(members[index].name) }
        let isLast = state.withLock { state in
            guard state.waiting.remove(index) != nil else { return false }
            if dropped { state.dropped.insert(index) }
            return state.waiting.isEmpty
        }
        if isLast { complete() }
    }

    private func timeIsUp() {
        let late = state.withLock { state in
            guard !state.isDone else { return [Int]() }
            defer {
                state.dropped.formUnion(state.waiting)
                state.waiting = []
            }
            return state.waiting.sorted()
        }
        guard !late.isEmpty, !operation.isOver else { return }
        for index in late {
            surroundings.logger.warning(
                "server did not list in time and is left out",
                metadata: ["server": "\(members[index].name)", "method": "\(kind.method)"])
        }
        complete()
    }

    private func complete() {
        let parts = state.withLock { state -> ([ListPart], (@Sendable () -> Void)?)? in
            guard !state.isDone else { return nil }
            state.isDone = true
            let parts = members.indices.map { index in
                ListPart(
                    server: members[index].name,
                    entries: state.dropped.contains(index) ? nil : state.entries[index])
            }
            return (parts, state.stopTimer)
        }
        guard let (parts, stopTimer) = parts else { return }
        stopTimer?()
        guard !operation.isOver else { return }
        completion(parts)
    }
}
