// SPDX-License-Identifier: Apache-2.0
package import JSONRPC

/// A modern server's answers as a legacy client gets them.
package enum LegacyResult {
    /// The member `resultType` and one comma beside it, which the legacy era does not know; nil where it is not there.
    ///
    /// What else is new in a result may stay: every revision allows further members.
    package static func typeMember(_ envelope: Envelope, in bytes: Span<UInt8>) -> Range<Int>? {
        guard let value = envelope.resultType, let result = envelope.result else { return nil }
        func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D }
        var start = value.lowerBound - 1
        while start > result.lowerBound, bytes[start] != UInt8(ascii: ":") { start -= 1 }
        while start > result.lowerBound, bytes[start] != UInt8(ascii: "\"") { start -= 1 }
        start -= 1
        // No spelling of the name has a quote in it.
        while start > result.lowerBound, bytes[start] != UInt8(ascii: "\"") { start -= 1 }
        var end = value.upperBound
        while end < result.upperBound, isSpace(bytes[end]) { end += 1 }
        if bytes[end] == UInt8(ascii: ",") { return start..<end + 1 }
        var before = start - 1
        while before > result.lowerBound, isSpace(bytes[before]) { before -= 1 }
        return (bytes[before] == UInt8(ascii: ",") ? before : start)..<value.upperBound
    }

    /// The code that a legacy client gets for an error of a modern server.
    ///
    /// - Parameters:
    ///   - isRead: whether the request was `resources/read`.
    ///   - namesResource: whether the error's data has the URI of a resource.
    package static func errorCode(_ code: Int, isRead: Bool, namesResource: Bool) -> Int {
        switch code {
        case ErrorCode.invalidParams where isRead && namesResource: ErrorCode.resourceNotFound
        case ErrorCode.headerMismatch, ErrorCode.missingClientCapability, ErrorCode.unsupportedVersion:
            ErrorCode.invalidRequest
        default: code
        }
    }
}
