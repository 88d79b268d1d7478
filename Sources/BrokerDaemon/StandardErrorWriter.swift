// SPDX-License-Identifier: Apache-2.0
import Dispatch
import Foundation
import Synchronization

/// Writes to standard error on a thread of its own, so that nobody waits for a reader that does not read.
///
/// It is one for the process, as standard error is. It holds at most 1 MiB; what does not fit is dropped and counted.
package final class StandardErrorWriter: Sendable {
    package static let shared = StandardErrorWriter()
    /// In bytes.
    private static let limit = 1 << 20

    private struct State {
        var waiting: [UInt8] = []
        var dropped = 0
        var isWriting = false
    }

    private let state = Mutex(State())
    private let queue = DispatchQueue(label: "lodge.standard-error")

    /// Takes whole lines to write.
    ///
    /// - Returns: how many calls were dropped before this one, told once, with the first that fits again.
    package func write(_ lines: [UInt8]) -> Int {
        let (mustStart, dropped) = state.withLock { state -> (Bool, Int) in
            guard state.waiting.count + lines.count <= Self.limit else {
                state.dropped += 1
                return (false, 0)
            }
            state.waiting += lines
            defer { (state.isWriting, state.dropped) = (true, 0) }
            return (!state.isWriting, state.dropped)
        }
        if mustStart { queue.async { self.drain() } }
        return dropped
    }

    /// Waits until everything is written, but no longer than a second: the end must not wait for the reader either.
    package func flush() {
        let written = DispatchSemaphore(value: 0)
        queue.async { written.signal() }
        _ = written.wait(timeout: .now() + .seconds(1))
    }

    private func drain() {
        while true {
            let bytes = state.withLock { state in
                defer { state.waiting = [] }
                state.isWriting = !state.waiting.isEmpty
                return state.waiting
            }
            if bytes.isEmpty { return }
            // Nothing can be done about a log that cannot be written; the relay goes on.
            try? FileHandle.standardError.write(contentsOf: Data(bytes))
        }
    }
}
