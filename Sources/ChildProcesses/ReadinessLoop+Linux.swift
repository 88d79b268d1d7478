// SPDX-License-Identifier: Apache-2.0

import CProcessShim
import Dispatch
import Glibc
import Synchronization

/// Tells when descriptors become readable, for all children on one thread.
///
/// It reads nothing and owns no descriptor. Dispatch's own sources are not used: on Linux they can touch freed memory
/// when descriptors come and go quickly (swift-corelibs-libdispatch issue 949), which is what children's do.
///
/// 1. The kernel holds a token, not a pointer; an event for a token that was removed meanwhile is nobody's.
/// 2. A handler may be called in vain; it finds out by a read that does not block.
final class ReadinessLoop: Sendable {
    /// One watched descriptor. Remove it before the descriptor is closed.
    struct Token: Hashable, Sendable {
        fileprivate var number: UInt64
    }

    static let shared = ReadinessLoop()

    private struct Entry {
        var descriptor: Int32
        var queue: DispatchQueue
        var handler: @Sendable (Token) -> Void
        /// The kernel took it. If it did not, for lack of memory, the handler is called from time to time instead.
        var isWatched: Bool
    }
    private struct State {
        /// Never closed once made, since the loop lasts as long as the process.
        var epoll: Int32?
        var entries: [UInt64: Entry] = [:]
        var nextToken: UInt64 = 1
    }
    /// How often a descriptor is looked at that the kernel does not watch.
    private static let pollInterval: DispatchTimeInterval = .milliseconds(20)
    private let state = Mutex(State())

    /// Starts the loop if it does not run; answers an errno if no descriptor is free for it.
    func prepare() -> Int32? {
        state.withLock { state in
            guard state.epoll == nil else { return nil }
            let epoll = cps_epoll_create()
            guard epoll >= 0 else { return -epoll }
            state.epoll = epoll
            // A thread of its own, which waits for as long as the process lives.
            DispatchQueue(label: "lodge.readiness").async { [self] in run(epoll) }
            return nil
        }
    }

    /// Calls `handler` on `queue` once there is something to read, an end or an exit; `arm` asks for the next time.
    @discardableResult
    func add(_ descriptor: Int32, queue: DispatchQueue, handler: @escaping @Sendable (Token) -> Void) -> Token {
        let problem = prepare()
        let (token, isWatched) = state.withLock { state in
            let number = state.nextToken
            state.nextToken += 1
            let isWatched = problem == nil && state.epoll.map { cps_epoll_add($0, descriptor, number) == 0 } ?? false
            state.entries[number] = Entry(
                descriptor: descriptor, queue: queue, handler: handler, isWatched: isWatched)
            return (Token(number: number), isWatched)
        }
        if !isWatched { arm(token) }
        return token
    }

    /// Asks to be told again. Does nothing for a token that was removed.
    func arm(_ token: Token) {
        let polled = state.withLock { state -> Entry? in
            guard let entry = state.entries[token.number] else { return nil }
            if entry.isWatched, let epoll = state.epoll {
                // Under the lock, so that the descriptor is not removed and closed in between.
                return cps_epoll_arm(epoll, entry.descriptor, token.number) == 0 ? nil : entry
            }
            return entry
        }
        guard let polled else { return }
        polled.queue.asyncAfter(deadline: .now() + Self.pollInterval) { [self] in
            if state.withLock({ $0.entries[token.number] != nil }) { polled.handler(token) }
        }
    }

    /// Ends the watch; false if it had ended. The handler can be called once more if it was on its way.
    @discardableResult
    func remove(_ token: Token) -> Bool {
        state.withLock { state in
            guard let entry = state.entries.removeValue(forKey: token.number) else { return false }
            if entry.isWatched, let epoll = state.epoll { cps_epoll_remove(epoll, entry.descriptor) }
            return true
        }
    }

    private func run(_ epoll: Int32) {
        var tokens = [UInt64](repeating: 0, count: 64)
        while true {
            // Sound: at most 64 tokens are written, into an array of that size.
            let count = unsafe tokens.withUnsafeMutableBufferPointer { buffer in
                unsafe cps_epoll_wait(epoll, buffer.baseAddress, Int32(buffer.count))
            }
            for token in tokens.prefix(max(0, Int(count))) {
                guard let entry = state.withLock({ $0.entries[token] }) else { continue }
                entry.queue.async { entry.handler(Token(number: token)) }
            }
        }
    }
}
