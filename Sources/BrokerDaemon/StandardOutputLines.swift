// SPDX-License-Identifier: Apache-2.0
import Dispatch
import Foundation
import NIOCore
import Synchronization
import Upstreams

/// Writes messages to standard output, each as a line, on a thread of its own.
///
/// It is one for the process. Who writes waits until the line is written, so nothing piles up where the client reads
/// slowly; after ``finish(within:)`` nobody waits for a client that does not read.
final class StandardOutputLines: RemoteOutput {
    /// Nobody reads any more, or it is over.
    struct Closed: Error {}

    /// As much as a pipe that has room takes without waiting, in bytes (PIPE_BUF).
    private static let portion = 4096
    /// How often a wait for room looks whether it is over, in milliseconds.
    private static let look: Int32 = 50

    private let queue = DispatchQueue(label: "lodge.standard-output")
    private let deadline = Mutex<ContinuousClock.Instant?>(nil)

    func write(_ message: ByteBuffer) async throws {
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            queue.async { continuation.resume(with: Result { try self.writeLine(message) }) }
        }
    }

    func finish(within limit: Duration) {
        deadline.withLock { $0 = $0 ?? .now + limit }
    }

    private func writeLine(_ message: ByteBuffer) throws(Closed) {
        var rest = message
        // A large message is not copied for its line feed.
        while let portion = rest.readSlice(length: min(rest.readableBytes, Self.portion)), portion.readableBytes > 0 {
            var part = Array(portion.readableBytesView)
            if rest.readableBytes == 0 { part.append(UInt8(ascii: "\n")) }
            try writeAll(part)
        }
    }

    private func writeAll(_ bytes: [UInt8]) throws(Closed) {
        var written = 0
        while written < bytes.count {
            if let deadline = deadline.withLock({ $0 }), deadline < .now { throw Closed() }
            var wanted = pollfd(fd: STDOUT_FILENO, events: Int16(POLLOUT), revents: 0)
            // Sound: the value lives until the call returns.
            let ready = unsafe poll(&wanted, 1, Self.look)
            if ready == 0 || (ready < 0 && errno == EINTR) { continue }
            // Sound: write(2) reads at most the count it is given, and the bytes outlive the call.
            let count = unsafe bytes.withUnsafeBytes { buffer in
                unsafe Foundation.write(
                    STDOUT_FILENO, buffer.baseAddress?.advanced(by: written), buffer.count - written)
            }
            guard count >= 0 || errno == EINTR || errno == EAGAIN else { throw Closed() }
            written += max(0, count)
        }
    }
}
