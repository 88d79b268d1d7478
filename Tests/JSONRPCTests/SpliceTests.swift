// SPDX-License-Identifier: Apache-2.0

import JSONRPC
import Testing

@Suite("Splice")
struct SpliceTests {
    private let message = Array(#" {"id":1,"params":{"_meta":{"progressToken":"x"},"name":"n"}} "#.utf8)

    @Test("pieces come in the order of the message, whichever was planned first")
    func order() throws {
        let envelope = try MessageScanner.scan(message)
        for tokenFirst in [true, false] {
            var splice = Splice(envelope.value)
            if tokenFirst { splice.replace(envelope.progressToken, with: .token) }
            splice.replace(envelope.id, with: .id)
            if !tokenFirst { splice.replace(envelope.progressToken, with: .token) }
            var pieces: [Splice.Piece] = []
            splice.forEachPiece { pieces.append($0) }
            #expect(
                pieces == [
                    .original(1..<7), .replacement(.id), .original(8..<44), .replacement(.token), .original(47..<61),
                ])
            #expect(splice.keptCount == 6 + 36 + 14)
        }
    }

    @Test("four parts can be replaced in any order of planning")
    func permutations() {
        let bytes = Array("0123456789".utf8)
        let plan: [(Range<Int>, Splice.Slot)] = [(0..<1, .id), (1..<3, .token), (5..<5, .name), (8..<10, .uri)]
        for shift in 0..<4 {
            for order in [[0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1]] {
                var splice = Splice(0..<10)
                for index in order { splice.replace(plan[(index + shift) % 4].0, with: plan[(index + shift) % 4].1) }
                let result = splice.bytes(of: bytes.span) { slot in
                    switch slot {
                    case .id: Array("I".utf8)
                    case .token: Array("TTT".utf8)
                    case .name: Array("N".utf8)
                    default: []
                    }
                }
                #expect(String(decoding: result, as: UTF8.self) == "ITTT34N567")
            }
        }
    }

    @Test("a part that the message does not have is not replaced")
    func absent() {
        var splice = Splice(0..<message.count)
        splice.replace(nil, with: .id)
        #expect(splice.bytes(of: message.span) { _ in [0] } == message)
    }

    @Test("an error of the closure comes out as it went in")
    func errors() {
        let splice = Splice(0..<message.count)
        #expect(throws: ScanError(.empty, at: 5)) {
            try splice.forEachPiece { _ throws(ScanError) in throw ScanError(.empty, at: 5) }
        }
    }

    @Test("blanking line breaks moves nothing and leaves the message the same JSON")
    func lineBreaks() throws {
        var bytes = Array("\n{\"id\":\r\n\"a\\n\"}\n".utf8)
        let before = try MessageScanner.scan(bytes)
        LineBreaks.blank(&bytes)
        #expect(String(decoding: bytes, as: UTF8.self) == " {\"id\":  \"a\\n\"} ")
        let after = try MessageScanner.scan(bytes)
        #expect(after.id == before.id && !after.hasLineBreaks)
    }
}
