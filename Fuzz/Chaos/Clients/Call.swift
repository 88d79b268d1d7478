// SPDX-License-Identifier: Apache-2.0

import FixtureKit

/// What a call asks the server to do.
enum CalledTool: CaseIterable {
    /// Answers with the label.
    case echo
    /// Answers with `hit`, a number that only the server knows, and the label.
    case hit
    /// Sends notifications with the label, then answers with it.
    case progress
    /// Never answers.
    case hang
}

/// One call of one client; the bytes of its request and of its answers follow from it.
struct Call {
    var client: Int
    /// The number of the call among its client's.
    var sequence: Int
    var tool: CalledTool
    /// Notifications before the answer; of `progress` only.
    var steps = 0
    var sent: ContinuousClock.Instant = .now

    /// What every client uses for ids and progress tokens, at the same time.
    private static let ids = ["1", "2", #""1""#, "3", #""call""#, "-5", "9007199254740993", #""\u0041\/""#]
        .map { Array($0.utf8) }

    /// The id, which is the progress token too.
    var id: [UInt8] { Self.ids[sequence % Self.ids.count] }
}

/// The text that a call sends and wants to see again: `client-0017 call-0000000042`.
enum Label {
    private static let client = Array("client-".utf8)
    private static let call = Array(" call-".utf8)
    private static let digits = 4

    static func append(_ call: Call, to bytes: inout [UInt8]) {
        bytes.append(contentsOf: client)
        append(call.client, digits: digits, to: &bytes)
        bytes.append(contentsOf: Self.call)
        append(call.sequence, digits: 10, to: &bytes)
    }

    /// The first client named in the bytes that is not this one. A name that is cut off at the end proves nothing.
    static func stranger(in bytes: [UInt8], to own: Int) -> Int? {
        var at = 0
        while let start = bytes.firstIndex(of: client[0], from: at) {
            at = start + 1
            let name = start + client.count
            guard name + digits <= bytes.count, bytes[start..<name].elementsEqual(client) else { continue }
            let number = bytes[name..<(name + digits)].reduce(0) { $0 * 10 + Int($1) - Int(UInt8(ascii: "0")) }
            if number != own { return number }
        }
        return nil
    }

    private static func append(_ number: Int, digits: Int, to bytes: inout [UInt8]) {
        var divisor = 1
        for _ in 1..<digits { divisor *= 10 }
        while divisor > 0 {
            bytes.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: number / divisor % 10))
            divisor /= 10
        }
    }
}

extension [UInt8] {
    mutating func append(_ text: StaticString) {
        // A literal's bytes live for ever.
        unsafe append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    mutating func append(decimal number: Int) { append(contentsOf: String(number).utf8) }
}
