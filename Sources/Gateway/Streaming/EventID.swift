// SPDX-License-Identifier: Apache-2.0

/// The name of one event stream of a session; random, so that no stream of any time has another's.
struct StreamName: Hashable, Sendable {
    enum Kind: Character, Sendable {
        /// A session's own stream, opened by a GET.
        case own = "g"
        /// The answer to a POST.
        case answer = "p"
    }

    let kind: Kind
    let number: UInt64

    init(_ kind: Kind, number: UInt64 = .random(in: .min ... .max)) {
        self.kind = kind
        self.number = number
    }
}

/// The id of one event, which says its stream (MCP 2025-11-25, transports, resumability and redelivery).
///
/// Number 0 is the priming event; messages count from 1.
struct EventID: Hashable, Sendable, CustomStringConvertible {
    let stream: StreamName
    let number: Int

    init(_ stream: StreamName, _ number: Int) {
        self.stream = stream
        self.number = number
    }

    /// Reads a `Last-Event-ID`; nil where it is none of ours.
    init?(_ text: String) {
        let parts = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, let first = parts[0].first, let kind = StreamName.Kind(rawValue: first),
            let name = UInt64(parts[0].dropFirst(), radix: 16), let number = Int(parts[1]), number >= 0
        else { return nil }
        self.init(StreamName(kind, number: name), number)
    }

    var description: String { "\(stream.kind.rawValue)\(String(stream.number, radix: 16)).\(number)" }
}
