// SPDX-License-Identifier: Apache-2.0

import JSONRPC

/// What must hold of any bytes whatever; each check answers nil, or what did not hold.
package enum Checks {
    /// Runs every check on one message.
    package static func all(_ bytes: [UInt8], _ random: inout SplitMix64) -> String? {
        scan(bytes) ?? batch(bytes) ?? values(bytes) ?? splice(bytes)
            ?? oversize(bytes, chunk: 1 + random.below(bytes.count + 1))
            ?? lines(bytes, limit: random.below(bytes.count + 2), chunk: 1 + random.below(bytes.count + 1))
    }

    /// The scanner and the reference agree on what is JSON and on where everything stands.
    package static func scan(_ bytes: [UInt8], maximumDepth: Int = 512) -> String? {
        let wanted = ReferenceEnvelope.of(bytes, maximumDepth: maximumDepth)
        let found: ReferenceEnvelope
        do {
            found = .envelope(try MessageScanner.scan(bytes, maximumDepth: maximumDepth))
        } catch {
            guard (0...bytes.count).contains(error.offset) else {
                return "offset \(error.offset) is outside the message"
            }
            if case .duplicateMember = error.reason { found = .ambiguous } else { found = .refused }
        }
        // A message can be both; the scanner reports what it meets first.
        if wanted == .refused, found == .ambiguous { return nil }
        return wanted == found ? nil : "scan: \(found), but the reference has \(wanted)"
    }

    /// The elements of a batch stand where the reference has them.
    package static func batch(_ bytes: [UInt8]) -> String? {
        let found = try? MessageScanner.batchElements(of: bytes.span)
        var wanted: [Range<Int>]?
        if case .array(let elements) = ReferenceParser.parse(bytes)?.form { wanted = elements.map(\.range) }
        return found == wanted ? nil : "batch: \(String(describing: found)), not \(String(describing: wanted))"
    }

    /// A tree is built from just what is JSON, holds the same strings, and survives being written and read again.
    package static func values(_ bytes: [UInt8]) -> String? {
        let reference = ReferenceParser.parse(bytes, maximumDepth: 100)
        guard let value = try? JSONValue.parse(bytes, maximumDepth: 100) else {
            return reference == nil ? nil : "tree: refused what is JSON"
        }
        guard let reference else { return "tree: built from what is not JSON" }
        guard equal(value, reference, bytes) else { return "tree: differs from the reference" }
        return (try? JSONValue.parse(value.serialized)) == value ? nil : "tree: changed by writing and reading"
    }

    private static func equal(_ value: JSONValue, _ node: ReferenceParser.Node, _ bytes: [UInt8]) -> Bool {
        switch (value, node.form) {
        case (.null, .null), (.bool, .boolean): true
        case (.number(let number), .number): Array(number.text.utf8) == Array(bytes[node.range])
        case (.string(let text), .string(let units)): same(text, units)
        case (.array(let elements), .array(let nodes)):
            elements.count == nodes.count && zip(elements, nodes).allSatisfy { equal($0, $1, bytes) }
        case (.object(let members), .object(let nodes)):
            members.count == nodes.count
                && zip(members, nodes).allSatisfy { same($0.name, $1.key) && equal($0.value, $1.value, bytes) }
        default: false
        }
    }

    private static func same(_ text: String, _ units: [UInt16]) -> Bool {
        text.utf8.elementsEqual(String(decoding: units, as: UTF16.self).utf8)
    }

    /// A splice changes the id and the token, and nothing else.
    package static func splice(_ bytes: [UInt8]) -> String? {
        guard let envelope = try? MessageScanner.scan(bytes) else { return nil }
        let id = DecimalBytes(-1_234_567_890).array
        let token = Array(#""té""#.utf8)
        var splice = Splice(0..<bytes.count)
        splice.replace(envelope.progressToken, with: .token)
        splice.replace(envelope.id, with: .id)
        let spliced = splice.bytes(of: bytes.span) { $0 == .id ? id : token }

        var wanted = bytes
        let edits = [(envelope.id, id), (envelope.progressToken, token)].compactMap { range, new in
            range.map { ($0, new) }
        }
        for (range, new) in edits.sorted(by: { $0.0.lowerBound > $1.0.lowerBound }) {
            wanted.replaceSubrange(range, with: new)
        }
        guard spliced == wanted else { return "splice: other bytes than by replacing one after the other" }

        guard let after = try? MessageScanner.scan(spliced) else { return "splice: the result is not a message" }
        if let range = after.id, Array(spliced[range]) != id { return "splice: the id is not the new one" }
        if let range = after.progressToken, Array(spliced[range]) != token {
            return "splice: the token is not the new one"
        }
        for part in [\Envelope.method, \.result, \.error, \.requestID, \.name, \.uri, \.paramsProgressToken] {
            let old = envelope[keyPath: part].map { bytes[$0] }
            guard old == after[keyPath: part].map({ spliced[$0] }) else { return "splice: another part has changed" }
        }
        return nil
    }
}
