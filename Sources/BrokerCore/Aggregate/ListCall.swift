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
    private let source: any ListSource
    private let operation: Operation
    private let surroundings: AggregateServer.Surroundings
    private let completion: @Sendable ([ListPart]) -> Void
    private let state: Mutex<State>

    init(
        _ kind: ListKind, of members: [AggregateMember], source: any ListSource, operation: Operation,
        surroundings: AggregateServer.Surroundings, completion: @escaping @Sendable ([ListPart]) -> Void
    ) {
        self.kind = kind
        self.members = members
        self.source = source
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
            source.isDown(member)
            return finish(index, dropped: true)
        }
        ask(index, cursor: nil, pages: 1)
    }

    private func ask(_ index: Int, cursor: [UInt8]?, pages: Int) {
        source.page(kind, cursor: cursor, of: members[index], for: operation) { [self] reply in
            switch reply {
            case .answer(let answer): answered(index, answer, pages: pages)
            case .hasNone: finish(index, dropped: false)
            case .unreachable: finish(index, dropped: true)
            }
        }
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
        ask(index, cursor: next, pages: pages + 1)
    }

    private func finish(_ index: Int, dropped: Bool) {
        if dropped { source.isMissing(members[index].name) }
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

    /// Asks for the resources, then for the templates.
    static func resources(
        of members: [AggregateMember], source: any ListSource, operation: Operation,
        surroundings: AggregateServer.Surroundings,
        completion: @escaping @Sendable (_ resources: [ListPart], _ templates: [ListPart]) -> Void
    ) {
        ListCall(.resources, of: members, source: source, operation: operation, surroundings: surroundings) {
            resources in
            ListCall(.templates, of: members, source: source, operation: operation, surroundings: surroundings) {
                completion(resources, $0)
            }.start()
        }.start()
    }
}
