// SPDX-License-Identifier: Apache-2.0

import Foundation
import JSONRPC
import JSONRPCOracle
import Testing

@Suite("Against other parsers")
struct DifferentialTests {
    @Test(
        "generated messages are read as the reference reads them", .timeLimit(.minutes(1)),
        arguments: 1...4 as ClosedRange<UInt64>)
    func generated(seed: UInt64) {
        var generator = MessageGenerator(seed: seed)
        var random = SplitMix64(seed: seed)
        for index in 0..<300 {
            let bytes = generator.message()
            if let difference = Checks.all(bytes, &random) {
                Issue.record("seed \(seed), case \(index): \(difference)\n\(bytes)")
            }
        }
    }

    @Test(
        "broken messages are judged as the reference judges them", .timeLimit(.minutes(1)),
        arguments: 1...4 as ClosedRange<UInt64>)
    func mutated(seed: UInt64) {
        var generator = MessageGenerator(seed: seed)
        var random = SplitMix64(seed: seed)
        for index in 0..<600 {
            let bytes = Mutator.mutate(generator.message(), &random)
            if let difference = Checks.all(bytes, &random) {
                Issue.record("seed \(seed), case \(index): \(difference)\n\(bytes)")
            }
        }
    }

    static let samples: [[UInt8]] = [
        #"{"jsonrpc":"2.0","id":"é-1","method":"tools/call","#
            + #""params":{"name":"a\u00e9","arguments":{"x":[1,-2.5e3,true,null,{}]}}}"#,
        #" {"result":{"content":[{"type":"text","text":"漢字 😀 \ud83d\ude00 and some more plain text"}]}, "id" : 12 } "#,
        #"{"error":{"code":-32601,"message":"no \"such\" method"},"id":null}"#,
    ].map { Array($0.utf8) }

    @Test("a message cut off at any byte is judged as the reference judges it", arguments: samples)
    func truncated(sample: [UInt8]) {
        var random = SplitMix64(seed: 1)
        for length in 0...sample.count {
            #expect(Checks.all(Array(sample[..<length]), &random) == nil, "cut at \(length)")
        }
    }

    @Test("a message with any one bit turned over is judged as the reference judges it", arguments: samples)
    func flipped(sample: [UInt8]) {
        for place in sample.indices {
            for bit in 0..<8 {
                var bytes = sample
                bytes[place] ^= 1 << UInt8(bit)
                #expect(Checks.scan(bytes) == nil, "bit \(bit) of byte \(place)")
            }
        }
    }

    @Test("Foundation's parser takes what the scanner takes and finds the same values", .timeLimit(.minutes(1)))
    func foundation() throws {
        var generator = MessageGenerator(seed: 5)
        // Where the two are known to differ: equal members, half surrogates, numbers beyond a double, great depth.
        generator.allowsDuplicates = false
        generator.allowsOddities = false
        for _ in 0..<300 {
            let bytes = generator.message()
            let envelope = try MessageScanner.scan(bytes)
            let tree = try JSONSerialization.jsonObject(with: Data(bytes), options: .fragmentsAllowed)
            guard let members = tree as? [String: Any] else {
                #expect(envelope.kind == .batch || envelope.kind == .notAnObject)
                continue
            }
            let params = members["params"] as? [String: Any]
            let meta = params?["_meta"] as? [String: Any]
            try expectSame(bytes, envelope.id, members["id"])
            try expectSame(bytes, envelope.params, members["params"])
            try expectSame(bytes, envelope.result, members["result"])
            try expectSame(bytes, envelope.error, members["error"])
            try expectSame(bytes, envelope.name, params?["name"])
            try expectSame(bytes, envelope.requestID, params?["requestId"])
            try expectSame(bytes, envelope.progressToken, meta?["progressToken"])
            let method = envelope.method.flatMap { JSONString.decode(bytes.span, contents: $0) }
            #expect(method == members["method"] as? String)
        }
    }

    private func expectSame(_ bytes: [UInt8], _ range: Range<Int>?, _ wanted: Any?) throws {
        guard let range, let wanted else {
            #expect(range == nil && wanted == nil)
            return
        }
        let found = try JSONSerialization.jsonObject(with: Data(bytes[range]), options: .fragmentsAllowed)
        // Written in one fixed way, because values of type Any do not compare.
        let written = try [found, wanted].map { try JSONSerialization.data(withJSONObject: [$0], options: .sortedKeys) }
        #expect(written[0] == written[1])
    }
}
