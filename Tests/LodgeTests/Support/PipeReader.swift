// SPDX-License-Identifier: Apache-2.0
import Foundation

/// Reads what a program under test prints; it blocks a thread of its own and not the tests'.
enum PipeReader {
    /// The first line; nil where the pipe ended before. It closes the descriptor.
    static func firstLine(of descriptor: Int32) async -> String? {
        await read(descriptor) { more in
            var bytes: [UInt8] = []
            while true {
                if let end = bytes.firstIndex(of: UInt8(ascii: "\n")) {
                    return String(decoding: bytes[..<end], as: UTF8.self)
                }
                guard let chunk = more() else { return nil }
                bytes += chunk
            }
        }
    }

    /// Everything up to the end of the pipe. It closes the descriptor.
    static func all(of descriptor: Int32) async -> String {
        await read(descriptor) { more in
            var bytes: [UInt8] = []
            while let chunk = more() { bytes += chunk }
            return String(decoding: bytes, as: UTF8.self)
        }
    }

    private static func read<Result: Sendable>(
        _ descriptor: Int32, _ body: @escaping @Sendable (() -> [UInt8]?) -> Result
    ) async -> Result {
        await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) & ~O_NONBLOCK)
                defer { close(descriptor) }
                continuation.resume(returning: body { chunk(of: descriptor) })
            }
        }
    }

    /// What is there, at least a byte; nil at the end.
    private static func chunk(of descriptor: Int32) -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: 4096)
        // Sound: read(2) writes at most the count it is given, and the buffer outlives the call.
        let count = unsafe Foundation.read(descriptor, &buffer, buffer.count)
        return count > 0 ? Array(buffer[..<count]) : nil
    }
}
