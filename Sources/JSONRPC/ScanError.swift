// SPDX-License-Identifier: Apache-2.0

/// Says why a message was refused, and at which byte.
package struct ScanError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What was wrong with the message.
    package enum Reason: Hashable, Sendable {
        /// Nothing, or nothing but white space.
        case empty
        /// The bytes break the grammar of RFC 8259.
        case notJSON
        /// The bytes end where the grammar wants more.
        case truncated
        /// A string holds bytes that RFC 3629 does not allow.
        case invalidUTF8
        /// More arrays and objects inside each other than `limit`.
        case tooDeep(limit: Int)
        /// A member that routing depends on stands in the message twice.
        case duplicateMember(Member)
        /// More bytes than an ``Envelope`` can point into.
        case tooLong
        /// A single message where a batch was asked for.
        case notABatch
    }

    package let reason: Reason
    /// Where the scan stopped, counted from the first byte of the message.
    package let offset: Int

    package init(_ reason: Reason, at offset: Int) {
        self.reason = reason
        self.offset = offset
    }

    package var description: String {
        switch reason {
        case .empty: "the message is empty"
        case .notJSON: "the message is not JSON (byte \(offset))"
        case .truncated: "the message ends in the middle of a value (byte \(offset))"
        case .invalidUTF8: "the message is not UTF-8 (byte \(offset))"
        case .tooDeep(let limit): "the message is nested deeper than \(limit) levels (byte \(offset))"
        case .duplicateMember(let member): "the message has the member '\(member.path)' twice (byte \(offset))"
        case .tooLong: "the message is longer than \(Stretch.longestMessage) bytes"
        case .notABatch: "the message is not a batch (byte \(offset))"
        }
    }
}
