// SPDX-License-Identifier: Apache-2.0
package import JSONRPC

/// What a result lacks to be one of the modern era, as insertions into its bytes (2026-07-28, base protocol, caching).
///
/// Every result says its type and should say whose it is; a cacheable one says for how long and for whom it is good. A
/// server of the legacy era knows of none of this, one of the modern era may have left some out.
package struct ModernResult: Sendable {
    /// How long a result is good and for whom.
    package struct Caching: Hashable, Sendable {
        package enum Scope: String, Hashable, Sendable {
            case isPublic = "public"
            case isPrivate = "private"
        }

        package var milliseconds: Int64
        package var scope: Scope

        package init(milliseconds: Int64, scope: Scope) {
            self.milliseconds = milliseconds
            self.scope = scope
        }

        /// Good for nothing but this one answer, which is right for whatever nobody vouches for.
        package static let never = Caching(milliseconds: 0, scope: .isPrivate)
    }

    /// What results say of their server; made once for many of them.
    package struct Signature: Sendable {
        /// The member of `_meta`, raw; empty where the server is nameless.
        fileprivate let member: [UInt8]
        /// What most results lack: their type and all of `_meta`.
        fileprivate let usual: [UInt8]

        package init(serverInfo: JSONValue?) {
            member = serverInfo.map { Array("\"\(MetaKey.serverInfo)\":".utf8) + $0.serialized } ?? []
            usual = ModernResult.complete + (member.isEmpty ? [] : ModernResult.meta(holding: member))
        }
    }

    private static let complete = Array(#""resultType":"complete","#.utf8)

    private static func meta(holding member: [UInt8]) -> [UInt8] {
        Array(#""_meta":{"#.utf8) + member + Array("},".utf8)
    }

    /// Inserted behind the opening brace of the result.
    package private(set) var head: [UInt8] = []
    package private(set) var headPlace: Range<Int>
    /// Inserted behind the opening brace of the result's `_meta`; empty where that lacks nothing.
    package private(set) var meta: [UInt8] = []
    package private(set) var metaPlace: Range<Int>?
    /// The raw value of `resultType` that is none of this era, where a legacy server wrote one.
    package private(set) var foreignType: Range<Int>?

    /// Looks at the result of a scanned response; nil where that is no object, which no method answers with.
    ///
    /// - Parameters:
    ///   - caching: for a cacheable result that says nothing of it; nil for all others.
    ///   - isModern: whether the server knows what `resultType` means.
    package init?(
        _ envelope: Envelope, in bytes: Span<UInt8>, caching: Caching?, signature: Signature, isModern: Bool
    ) {
        guard let result = envelope.result, bytes[result.lowerBound] == UInt8(ascii: "{") else { return nil }
        headPlace = result.lowerBound + 1..<result.lowerBound + 1
        if envelope.resultType == nil, envelope.resultMeta == nil {
            head = signature.usual
        } else {
            if let type = envelope.resultType {
                if !isModern, JSONString.decode(bytes, type) != "complete" { foreignType = type }
            } else {
                head = Self.complete
            }
            if !signature.member.isEmpty { sign(with: signature.member, envelope.resultMeta, in: bytes) }
        }
        if let caching { add(caching, in: bytes, result: result) }
        if !head.isEmpty, Self.isEmptyObject(bytes, result) { head.removeLast() }
    }

    private mutating func add(_ caching: Caching, in bytes: Span<UInt8>, result: Range<Int>) {
        if JSONMembers.find("ttlMs", in: bytes, object: result) == .absent {
            head += Array("\"ttlMs\":\(caching.milliseconds),".utf8)
        }
        if JSONMembers.find("cacheScope", in: bytes, object: result) == .absent {
            head += Array("\"cacheScope\":\"\(caching.scope.rawValue)\",".utf8)
        }
    }

    private mutating func sign(with member: [UInt8], _ meta: Range<Int>?, in bytes: Span<UInt8>) {
        guard let meta else {
            head += Self.meta(holding: member)
            return
        }
        guard bytes[meta.lowerBound] == UInt8(ascii: "{"),
            JSONMembers.find("io.modelcontextprotocol/serverInfo", in: bytes, object: meta) == .absent
        else { return }
        metaPlace = meta.lowerBound + 1..<meta.lowerBound + 1
        self.meta = member + (Self.isEmptyObject(bytes, meta) ? [] : [UInt8(ascii: ",")])
    }

    private static func isEmptyObject(_ bytes: Span<UInt8>, _ object: Range<Int>) -> Bool {
        var place = object.lowerBound + 1
        while place < object.upperBound {
            switch bytes[place] {
            case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\n"), UInt8(ascii: "\r"): place += 1
            case let byte: return byte == UInt8(ascii: "}")
            }
        }
        return true
    }
}
