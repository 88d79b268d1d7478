// SPDX-License-Identifier: Apache-2.0

import CProcessShim
import Dispatch
import Glibc
import Synchronization

/// Drains the standard error of one child for as long as anybody can write to it.
///
/// The child is never blocked by what becomes of its lines: they are read at once and dropped by count when there are
/// too many. It owns its descriptor. All reading happens on the child's queue, on which the sink is called as well, in
/// order and outside the lock.
final class StandardErrorReader: Sendable {
    private struct State: ~Copyable {
        var log = StandardErrorLog()
        /// Nil once the stream has ended, or its reading was ended.
        var descriptor: OwnedDescriptor?
        var token: ReadinessLoop.Token?
        var hasSummaryTimer = false
        var closeHandlers: [@Sendable () -> Void] = []

        init(descriptor: consuming OwnedDescriptor) { self.descriptor = consume descriptor }
    }

    /// In bytes, for one read; a pipe holds 64 KiB by default (pipe(7)).
    private static let chunkSize = 64 * 1024
    /// Reads in a row before other events of the child get their turn.
    private static let readsInARow = 4

    private let queue: DispatchQueue
    private let sink: @Sendable (String) -> Void
    private let now: @Sendable () -> Duration
    private let state: Mutex<State>

    init(
        owning descriptor: consuming OwnedDescriptor, queue: DispatchQueue,
        now: @escaping @Sendable () -> Duration = MonotonicTime.now, sink: @escaping @Sendable (String) -> Void
    ) {
        descriptor.makeNonblocking()
        state = Mutex(State(descriptor: descriptor))
        self.queue = queue
        self.sink = sink
        self.now = now
    }

    /// Starts to read. Call it once.
    func start() {
        guard let number = descriptor else { return }
        let token = ReadinessLoop.shared.add(number, queue: queue) { [self] token in
            // It can be called before `add` has answered, and the end of the stream must know what to remove.
            state.withLock { $0.token = token }
            readSome()
            // Once the reading has ended, the token is removed and this does nothing.
            ReadinessLoop.shared.arm(token)
        }
        state.withLock { $0.token = token }
    }

    /// The last lines, oldest first.
    var tail: [String] { state.withLock { $0.log.tail.lines } }

    /// Reads what a child that has ended left in the pipe. Call it on the queue.
    ///
    /// What the child wrote is there by now, so this waits for nothing, even if another process still holds the pipe.
    func drainLastWords() {
        guard let number = descriptor else { return }
        var left = cps_readable_bytes(number)
        while left > 0 {
            let count = readChunk()
            guard count > 0 else { break }
            left -= Int32(count)
        }
        guard descriptor != nil else { return }
        deliver { log, _ in log.flush() }
    }

    /// Closes at the end of the stream, at the latest after `limit`, and then calls `done` on the queue.
    func finish(within limit: Duration, done: @escaping @Sendable () -> Void) {
        let hasEnded = state.withLock { state in
            if state.descriptor == nil { return true }
            state.closeHandlers.append(done)
            return false
        }
        guard !hasEnded else { return queue.async(execute: done) }
        queue.asyncAfter(deadline: .now() + limit.dispatchInterval) { [self] in endReading() }
    }

    /// It is closed on the queue only, so on the queue it stays what it is.
    private var descriptor: Int32? { state.withLock { $0.descriptor?.number } }

    private func readSome() {
        for _ in 0..<Self.readsInARow {
            guard readChunk() == Self.chunkSize else { return }
        }
    }

    /// Answers the number of bytes read; 0 at the end of the stream and when there is nothing now.
    private func readChunk() -> Int {
        guard let number = descriptor else { return 0 }
        var result = 0
        // Sound: the buffer is initialised up to the count that read(2) answers.
        let chunk = unsafe [UInt8](unsafeUninitializedCapacity: Self.chunkSize) { buffer, count in
            repeat {
                result = unsafe read(number, buffer.baseAddress, Self.chunkSize)
            } while result < 0 && errno == EINTR
            count = max(0, result)
        }
        if result > 0 {
            deliver { log, now in log.take(chunk, at: now) }
        } else if result == 0 || (errno != EAGAIN && errno != EWOULDBLOCK) {
            endReading()
        }
        return max(0, result)
    }

    private func endReading() {
        guard descriptor != nil else { return }
        deliver { log, now in log.finish(at: now) }
        let handlers = state.withLock { state in
            // Out of the loop before the number can be another file's.
            if let token = state.token { ReadinessLoop.shared.remove(token) }
            state.descriptor = nil
            defer { state.closeHandlers = [] }
            return state.closeHandlers
        }
        for handler in handlers { handler() }
    }

    private func deliver(_ step: (inout StandardErrorLog, Duration) -> [String]) {
        let now = now()
        let (lines, timer) = state.withLock { state in
            let lines = step(&state.log, now)
            guard let due = state.log.summaryDue, !state.hasSummaryTimer else { return (lines, nil as Duration?) }
            state.hasSummaryTimer = true
            return (lines, due - now)
        }
        for line in lines { sink(line) }
        guard let timer else { return }
        // A flood that just stops would else leave its count untold.
        queue.asyncAfter(deadline: .now() + timer.dispatchInterval) { [self] in
            state.withLock { $0.hasSummaryTimer = false }
            deliver { log, now in log.summary(at: now).map { [$0] } ?? [] }
        }
    }
}
