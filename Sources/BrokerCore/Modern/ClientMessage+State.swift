// SPDX-License-Identifier: Apache-2.0
import JSONRPC
import NIOCore

extension ClientMessage {
    /// The same request with the state that its server gave, in place of the sealed one that the client brought.
    ///
    /// - Parameter inner: a raw string; nil takes the member out.
    func continuing(with inner: [UInt8]?) -> ClientMessage? {
        guard let sealed = envelope.requestState, let params = envelope.params else { return self }
        let buffer = bytes
        let span = buffer.readableBytesUInt8Span
        var place = sealed
        if inner == nil {
            var member: Range<Int>?
            var isLast = true
            JSONMembers.forEach(in: span, object: params) { whole, _, value in
                if member != nil { isLast = false }
                if value == sealed { member = whole }
            }
            guard let member else { return nil }
            place = Self.withComma(member, isLast: isLast, in: span)
        }
        var rewritten = Array(copying: span.extracting(0..<place.lowerBound))
        rewritten += inner ?? []
        rewritten += Array(copying: span.extracting(place.upperBound..<span.count))
        guard let envelope = try? MessageScanner.scan(rewritten) else { return nil }
        return ClientMessage(
            bytes: ByteBuffer(bytes: rewritten), envelope: envelope, session: session, principal: principal,
            isStateless: isStateless, servers: servers, parameterFields: parameterFields)
    }

    /// A member with the comma that parts it from its neighbour: the one behind it, else the one before.
    private static func withComma(_ member: Range<Int>, isLast: Bool, in bytes: Span<UInt8>) -> Range<Int> {
        var (start, end) = (member.lowerBound, member.upperBound)
        if isLast {
            var place = start - 1
            while place >= 0, bytes[place] != UInt8(ascii: ","), bytes[place] != UInt8(ascii: "{") { place -= 1 }
            if place >= 0, bytes[place] == UInt8(ascii: ",") { start = place }
        } else {
            while end < bytes.count, bytes[end] != UInt8(ascii: ",") { end += 1 }
            end += 1
        }
        return start..<end
    }
}
