// SPDX-License-Identifier: Apache-2.0

/// Makes messages that are mostly valid, in all the ways in which JSON lets the same thing be written.
package struct MessageGenerator {
    package var random: SplitMix64
    /// Whether a member may stand twice in an object.
    package var allowsDuplicates = true
    /// Whether what Foundation's parser refuses or reads differently may occur: half surrogates, huge numbers.
    package var allowsOddities = true

    package init(seed: UInt64) {
        random = SplitMix64(seed: seed)
    }

    private static let topKeys = ["jsonrpc", "id", "method", "params", "result", "error", "extra"]
    private static let branchKeys = [
        "_meta", "name", "uri", "progressToken", "requestId", "level", "taskId", "cursor", "protocolVersion",
        "requestState", "resultType", "code", "arguments", "content",
    ]
    private static let metaKeys = [
        "progressToken", "io.modelcontextprotocol/protocolVersion", "io.modelcontextprotocol/logLevel",
        "io.modelcontextprotocol/subscriptionId", "traceparent",
    ]

    /// A message; one time in fifty a batch or a bare value.
    package mutating func message() -> [UInt8] {
        var text = space()
        switch random.below(50) {
        case 0: text += array(depth: 1, count: random.below(4)) { $0.object(Self.topKeys, depth: 2) }
        case 1: text += value(depth: 1)
        default: text += object(Self.topKeys, depth: 1)
        }
        return Array((text + space()).utf8)
    }

    private mutating func object(_ keys: [String], depth: Int) -> String {
        var keys = keys.shuffled(using: &random)
        keys.removeLast(random.below(keys.count))
        if allowsDuplicates, random.once(in: 40), let key = keys.first { keys.append(key) }
        var text = "{" + space()
        for (index, key) in keys.enumerated() {
            if index > 0 { text += "," + space() }
            text += spell(key) + space() + ":" + space() + member(key, depth: depth) + space()
        }
        return text + "}"
    }

    private mutating func member(_ key: String, depth: Int) -> String {
        switch key {
        case _ where random.once(in: 12): value(depth: depth)
        case "params", "result", "error": object(Self.branchKeys, depth: depth + 1)
        case "_meta": object(Self.metaKeys, depth: depth + 1)
        case "jsonrpc": random.pick([#""2.0""#, #""2\u002e0""#, "2.0", #""1.0""#])
        case "method": random.pick([#""tools/call""#, #""tools\/list""#, #""ping""#, #""\u0070ing""#, "7"])
        case "id", "requestId", "progressToken":
            random.pick(["null", "0", "17", "-3", "1.5", #""abc""#, #""a\"b""#, "[1]", "{}", "9223372036854775808"])
        default: value(depth: depth + 1)
        }
    }

    package mutating func value(depth: Int) -> String {
        if allowsOddities, random.once(in: 600) { return tower() }
        switch random.below(depth > 6 ? 5 : 8) {
        case 0: return random.pick(["true", "false", "null"])
        case 1, 2: return number()
        case 3, 4: return string()
        case 5: return array(depth: depth, count: random.below(5)) { $0.value(depth: depth + 1) }
        default: return object(["id", "a", "", "method", "ключ", "long key with spaces in it"], depth: depth + 1)
        }
    }

    private mutating func array(depth: Int, count: Int, _ element: (inout Self) -> String) -> String {
        var text = "[" + space()
        for index in 0..<count {
            if index > 0 { text += "," + space() }
            text += element(&self) + space()
        }
        return text + "]"
    }

    /// Containers inside each other, around the scanner's usual limit and around the edges of a machine word.
    private mutating func tower() -> String {
        let height = random.pick([62, 63, 64, 65, 126, 127, 128, 129, 130, 500, 506, 507, 508, 509, 510, 511, 512, 513])
        if random.once(in: 2) {
            return String(repeating: "[", count: height) + String(repeating: "]", count: height)
        }
        return String(repeating: #"{"a":["#, count: height / 2) + "1" + String(repeating: "]}", count: height / 2)
    }

    private mutating func number() -> String {
        let plain = ["0", "-0", "1", "12", "-7", "3.25", "1e3", "1E-2", "0.5e+1", "120", "2147483648"]
        let odd = ["1e400", "-1E999999", String(repeating: "9", count: 60), "0.1234567890123456789012345", "1e-9999"]
        return random.pick(allowsOddities && random.once(in: 6) ? odd : plain)
    }

    private mutating func string() -> String {
        let plain = [
            "a", "text", "é", "漢字", "😀", "\u{7F}", "\u{2028}", #"\n"#, #"\""#, #"\\"#, #"\/"#, #"\b\f\r\t"#, #"\u0041"#,
            #"\u00e9"#, #"\ud83d\uDE00"#, "{", "}", "[", "]", ",", ":", "'", "0123456789abcdef",
            "quite a long piece of plain text that fills more than one vector of sixteen, and then more than sixty-four",
        ]
        let odd = [#"\ud800"#, #"\udfff"#, #"\ude00\ud83d"#, #"\ud800\u0041"#, #"\u0000"#]
        var text = "\""
        for _ in 0..<random.below(6) { text += random.pick(allowsOddities && random.once(in: 8) ? odd : plain) }
        return text + "\""
    }

    /// A key with quotes, some of its characters escaped now and then.
    private mutating func spell(_ key: String) -> String {
        let key = random.once(in: 30) ? inAnotherCase(key) : key
        guard random.once(in: 10) else { return "\"\(key)\"" }
        var text = "\""
        for unit in key.utf16 {
            if random.once(in: 3) || unit > 0x7F {
                let digits = String(unit, radix: 16, uppercase: random.once(in: 2))
                text += #"\u"# + String(repeating: "0", count: 4 - digits.count) + digits
            } else {
                text += String(decoding: [unit], as: UTF16.self)
            }
        }
        return text + "\""
    }

    /// A name as a decoder that ignores case takes it for the same.
    private mutating func inAnotherCase(_ key: String) -> String {
        var changed = ""
        for character in key {
            switch (character, random.below(3)) {
            case ("s", 0): changed += "\u{17F}"
            case ("k", 0): changed += "\u{212A}"
            case (_, 1): changed += character.uppercased()
            default: changed.append(character)
            }
        }
        return changed
    }

    private mutating func space() -> String {
        random.once(in: 8) ? random.pick([" ", "  ", "\t", "\n", "\r\n", "\n    "]) : ""
    }
}
