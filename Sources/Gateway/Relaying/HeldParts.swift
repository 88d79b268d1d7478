// SPDX-License-Identifier: Apache-2.0
import NIOCore
import NIOHTTP1

/// The parts of later requests on a connection, held while an earlier one is being answered.
struct HeldParts {
    // Most connections never hold any, so nothing is set aside for them.
    private var parts = CircularBuffer<HTTPServerRequestPart>(initialCapacity: 1)
    /// An estimate: heads count with a fixed size, because theirs is bounded by the parser.
    private(set) var bytes = 0

    var first: HTTPServerRequestPart? { parts.first }
    var isEmpty: Bool { parts.isEmpty }

    mutating func append(_ part: HTTPServerRequestPart) {
        parts.append(part)
        bytes += Self.size(of: part)
    }

    mutating func popFirst() -> HTTPServerRequestPart? {
        guard let part = parts.popFirst() else { return nil }
        bytes -= Self.size(of: part)
        return part
    }

    mutating func removeAll() {
        parts.removeAll()
        bytes = 0
    }

    private static func size(of part: HTTPServerRequestPart) -> Int {
        switch part {
        case .head: 512
        case .body(let body): body.readableBytes + 64
        case .end: 64
        }
    }
}
