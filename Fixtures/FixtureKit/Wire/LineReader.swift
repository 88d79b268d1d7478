// SPDX-License-Identifier: Apache-2.0

/// Cuts what comes in at a descriptor into lines, of any length.
///
/// It blocks the calling thread. A last line without a line feed is given out too.
package struct LineReader: ~Copyable {
    private let descriptor: Descriptor
    private var buffer: [UInt8] = []
    /// Where the next line starts.
    private var start = 0
    /// Up to where no line feed was found, so that a long line is not searched again and again.
    private var searched = 0
    private var isAtEnd = false

    package init(_ descriptor: Descriptor) { self.descriptor = descriptor }

    /// Whether a whole line waits, so that `next` would not block.
    package var hasLine: Bool { buffer.firstIndex(of: 0x0A, from: searched) != nil }

    /// The next line without its line feed, or nil at the end of the input.
    package mutating func next() throws(SystemError) -> [UInt8]? {
        while true {
            if let end = buffer.firstIndex(of: 0x0A, from: searched) {
                defer {
                    start = end + 1
                    searched = start
                }
                return Array(buffer[start..<end])
            }
            searched = buffer.count
            guard !isAtEnd else { return takeRest() }
            dropGivenOut()
            // Long lines are read in growing steps, so that the buffer is moved seldom.
            isAtEnd = try descriptor.read(atMost: max(65_536, buffer.count), into: &buffer) == 0
        }
    }

    private mutating func takeRest() -> [UInt8]? {
        guard start < buffer.count else { return nil }
        defer { start = buffer.count }
        return Array(buffer[start...])
    }

    private mutating func dropGivenOut() {
        guard start > 0 else { return }
        buffer.removeFirst(start)
        searched -= start
        start = 0
    }
}
