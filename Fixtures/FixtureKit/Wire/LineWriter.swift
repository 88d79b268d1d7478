// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Writes whole lines to a descriptor, one after the other, from any thread.
///
/// Once the reader is gone every further line is dropped: a fixture then ends at the end of its input and not with a
/// complaint. A full pipe blocks the caller.
package final class LineWriter: Sendable {
    private let descriptor: Descriptor
    /// What stands around a line on the wire; normally one line feed behind it.
    private let framing: @Sendable ([UInt8]) -> [UInt8]
    private let isBroken = Mutex(false)

    package init(
        _ descriptor: Descriptor,
        framing: @escaping @Sendable ([UInt8]) -> [UInt8] = { $0 + [0x0A] }
    ) {
        self.descriptor = descriptor
        self.framing = framing
    }

    package func write(_ message: JSONValue) { write(line: message.bytes) }

    /// Writes messages as lines that nothing comes between.
    package func write(_ messages: [JSONValue]) { write(raw: messages.flatMap { framing($0.bytes) }) }

    /// Writes bytes as one line, whatever they are.
    package func write(line: [UInt8]) { write(raw: framing(line)) }

    /// Writes bytes as they are, in one piece.
    package func write(raw bytes: [UInt8]) {
        isBroken.withLock { isBroken in
            guard !isBroken else { return }
            do throws(SystemError) { try descriptor.write(bytes) } catch { isBroken = true }
        }
    }

    /// Closes the descriptor; lines from now on are dropped.
    package func close() {
        isBroken.withLock { isBroken in
            isBroken = true
            descriptor.close()
        }
    }
}
