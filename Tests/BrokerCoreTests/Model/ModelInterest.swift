// SPDX-License-Identifier: Apache-2.0
import BrokerCore

/// Which sessions of the model subscribe to which resource, as far as that can be told from what clients saw.
struct ModelInterest {
    enum Certainty: Equatable { case certain, none, open }

    private struct Key: Hashable {
        let session: UInt64
        let uri: String
    }

    private struct Wish {
        let joins: Bool
        let sink: RecordingSink
    }

    private var known: [Key: Certainty] = [:]
    private var wishes: [Key: Wish] = [:]

    mutating func noted(_ session: UInt64, uri: String, joins: Bool, sink: RecordingSink) {
        let key = Key(session: session, uri: uri)
        wishes[key] = Wish(joins: joins, sink: sink)
        known[key] = .open
    }

    mutating func forget(_ session: UInt64) {
        known = known.filter { $0.key.session != session }
        wishes = wishes.filter { $0.key.session != session }
    }

    /// Looks at what became of the last wish of each session; only an agreed one says something.
    mutating func settle() {
        for (key, wish) in wishes {
            guard let answer = wish.sink.bodies.first else { continue }
            wishes[key] = nil
            if !answer.contains(#""error""#) { known[key] = wish.joins ? .certain : Certainty.none }
        }
    }

    func of(_ session: UInt64, uri: String) -> Certainty {
        known[Key(session: session, uri: uri)] ?? Certainty.none
    }
}
