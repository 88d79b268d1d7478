// SPDX-License-Identifier: Apache-2.0
import Dispatch
import Foundation
import JSONRPC
import NIOCore
import Synchronization
import Upstreams

/// The lines of standard input, read on a thread of its own, whatever the input is: a pipe, a file, a terminal.
///
/// It is one for the process and can be read once. It reads ahead by a little and then waits for its reader.
final class StandardInputLines: Sendable {
    /// How far it reads ahead, in bytes.
    private static let ahead = 1 << 20

    private let limit: Int
    private let stream = AsyncStream<RemoteLine>.makeStream()
    private let waiting = Mutex(0)
    private let taken = DispatchSemaphore(value: 0)

    /// Set when the input has ended, even if nobody took its last lines yet.
    let ended = Arrival<Void>()

    init(limit: Int) { self.limit = limit }

    /// Starts to read. The thread ends with the input, or with the process.
    func start() {
        Thread.detachNewThread { self.read() }
    }

    /// The lines in their order; a line is held until the next one is asked for.
    var lines: Lines { Lines(input: self) }

    struct Lines: AsyncSequence, Sendable {
        typealias Element = RemoteLine
        typealias Failure = Never

        let input: StandardInputLines

        struct Iterator: AsyncIteratorProtocol {
            let input: StandardInputLines
            var stream: AsyncStream<RemoteLine>.Iterator
            var held = 0

            mutating func next(isolation actor: isolated (any Actor)?) async -> RemoteLine? {
                input.release(held)
                let line = await stream.next(isolation: actor)
                held = line?.size ?? 0
                return line
            }
        }

        func makeAsyncIterator() -> Iterator {
            Iterator(input: input, stream: input.stream.stream.makeAsyncIterator())
        }
    }

    private func release(_ size: Int) {
        guard size > 0 else { return }
        waiting.withLock { $0 -= size }
        taken.signal()
    }

    private func put(_ line: RemoteLine) {
        let isFull = waiting.withLock { waiting in
            waiting += line.size
            return waiting > Self.ahead
        }
        stream.continuation.yield(line)
        if isFull { while waiting.withLock({ $0 > Self.ahead }) { taken.wait() } }
    }

    private func read() {
        var framer = LineFramer(limit: limit)
        var partial: [UInt8] = []
        var oversize: OversizeScanner?
        func passBy(_ bytes: Span<UInt8>) {
            var scanner = oversize ?? OversizeScanner()
            scanner.consume(partial.span)
            partial = []
            scanner.consume(bytes)
            oversize = scanner
        }
        while let chunk = Self.chunk() {
            var offset = 0
            while let part = framer.next(in: chunk.span, from: &offset) {
                switch part {
                case .line(let range):
                    partial += chunk[range]
                    put(.line(ByteBuffer(bytes: partial)))
                    partial = []
                case .fragment(let range): partial += chunk[range]
                case .overflow(let range): passBy(chunk.span.extracting(range))
                case .overflowEnd(let range):
                    passBy(chunk.span.extracting(range))
                    if let findings = oversize?.finish() { put(.tooLong(findings)) }
                    oversize = nil
                }
            }
        }
        // A last line without its end counts if it is whole.
        if (try? MessageScanner.scan(partial)) != nil { put(.line(ByteBuffer(bytes: partial))) }
        stream.continuation.finish()
        ended.set()
    }

    /// What is there, at least a byte; nil at the end.
    private static func chunk() -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            // Sound: read(2) writes at most the count it is given, and the buffer outlives the call.
            let count = unsafe Foundation.read(STDIN_FILENO, &buffer, buffer.count)
            if count > 0 { return Array(buffer[..<count]) }
            guard count < 0, errno == EINTR || errno == EAGAIN else { return nil }
            // Whoever shares the descriptor made it non-blocking.
            var wanted = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
            // Sound: the value lives until the call returns.
            _ = unsafe poll(&wanted, 1, -1)
        }
    }
}

extension RemoteLine {
    /// What it counts for in memory, in bytes; never 0.
    fileprivate var size: Int {
        switch self {
        case .line(let bytes): max(1, bytes.readableBytes)
        case .tooLong: 1
        }
    }
}
