// SPDX-License-Identifier: Apache-2.0
import Foundation

/// The lines of a descriptor to its end, read on the caller's thread. It owns the descriptor.
struct LineSource: Sequence, IteratorProtocol {
    /// Keeps the descriptor open; what it reads by itself waits for a full buffer.
    private let handle: FileHandle
    private var bytes: [UInt8] = []
    private var isOver = false

    init(_ descriptor: Int32) {
        _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) & ~O_NONBLOCK)
        handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    }

    /// The next line without its end; the last one need not have one.
    mutating func next() -> String? {
        while true {
            if let end = bytes.firstIndex(of: UInt8(ascii: "\n")) {
                defer { bytes.removeSubrange(...end) }
                return String(decoding: bytes[..<end], as: UTF8.self)
            }
            guard !isOver else { return nil }
            // A terminal whose other side is gone reports an error instead of an end.
            var chunk = [UInt8](repeating: 0, count: 4096)
            // Sound: read(2) writes at most the count it is given, and the buffer outlives the call.
            let count = unsafe Foundation.read(handle.fileDescriptor, &chunk, chunk.count)
            chunk.removeLast(chunk.count - Swift.max(0, count))
            bytes += chunk
            guard chunk.isEmpty else { continue }
            isOver = true
            if !bytes.isEmpty { bytes.append(UInt8(ascii: "\n")) }
        }
    }
}
