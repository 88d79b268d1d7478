// SPDX-License-Identifier: Apache-2.0
import JSONRPC
import MCPProtocol
import NIOCore

/// Results of lists and reads that may be given again (2026-07-28, caching).
///
/// A result is given again to the principal that got it, and to others only where its server calls it public; within the
/// time that its server gave, and not after a change that it was told of. It belongs to one generation of the server.
/// Requests that were asked for input have no place in it. Bounded: what does not fit is not kept.
struct ResultCache: Sendable {
    /// Where a result that is on its way will be kept.
    struct Place: Hashable, Sendable {
        let key: Key
        let epoch: UInt64
    }

    struct Key: Hashable, Sendable {
        let method: ModernMethod
        /// The cursor of a page, or the URI of a resource, raw.
        let what: [UInt8]
        /// What else the request says in its parameters, `_meta` left out; such requests are not kept at all.
        let principal: String
    }

    private struct Kept: Sendable {
        let result: [UInt8]
        let until: ContinuousClock.Instant
        let isPublic: Bool
    }

    private static let entries = 256
    private static let bytesOfOne = 1 << 20
    private static let bytesOfAll = 8 << 20

    private var kept: [Key: Kept] = [:]
    private var bytes = 0
    /// Counts changes, so that a result that was asked for before one is not kept after it.
    private var epoch: UInt64 = 0

    var count: Int { kept.count }

    /// Where the result of a request could be kept; nil for one that must not be.
    func place(for request: ModernRequest) -> Place? {
        guard request.method.isCacheable, request.method != .discover, request.state == nil,
            let key = Key(request, principal: request.principal.name)
        else { return nil }
        return Place(key: key, epoch: epoch)
    }

    func result(for request: ModernRequest, now: ContinuousClock.Instant) -> [UInt8]? {
        guard !kept.isEmpty, request.method.isCacheable, request.state == nil else { return nil }
        guard let own = Key(request, principal: request.principal.name) else { return nil }
        if let found = kept[own], now < found.until { return found.result }
        // A public result is kept under nobody's name.
        guard let found = kept[own.forEverybody], found.isPublic, now < found.until else { return nil }
        return found.result
    }

    /// Keeps a result that was asked for from this place.
    mutating func keep(
        _ result: [UInt8], at place: Place, caching: ModernResult.Caching, now: ContinuousClock.Instant
    ) {
        guard place.epoch == epoch, caching.milliseconds > 0, result.count <= Self.bytesOfOne else { return }
        let isPublic = caching.scope == .isPublic
        let key = isPublic ? place.key.forEverybody : place.key
        remove(key)
        if kept.count >= Self.entries || bytes + result.count > Self.bytesOfAll {
            for key in kept.filter({ $0.value.until <= now }).map(\.key) { remove(key) }
        }
        guard kept.count < Self.entries, bytes + result.count <= Self.bytesOfAll else { return }
        kept[key] = Kept(
            result: result, until: now.advanced(by: .milliseconds(min(caching.milliseconds, 86_400_000))),
            isPublic: isPublic)
        bytes += result.count
    }

    /// Forgets a list that has changed.
    mutating func forget(_ list: ListenFilter.List) {
        epoch += 1
        for key in kept.keys.filter({ $0.method.list == list }) { remove(key) }
    }

    mutating func forget(resource uri: String) {
        epoch += 1
        var raw: [UInt8] = []
        JSONString.encode(uri, into: &raw)
        for key in kept.keys.filter({ $0.method == .readResource && $0.what == raw }) { remove(key) }
    }

    mutating func forgetAll() {
        epoch += 1
        kept = [:]
        bytes = 0
    }

    private mutating func remove(_ key: Key) {
        if let old = kept.removeValue(forKey: key) { bytes -= old.result.count }
    }
}

extension ResultCache.Key {
    /// The key of a request; nil where its parameters say more than what a key holds.
    fileprivate init?(_ request: ModernRequest, principal: String) {
        let buffer = request.message.bytes
        let bytes = buffer.readableBytesUInt8Span
        let envelope = request.message.envelope
        var what: [UInt8] = []
        var isPlain = true
        if let params = envelope.params {
            JSONMembers.forEach(in: bytes, object: params) { _, name, value in
                switch JSONString.decode(bytes, contents: name) {
                case "_meta": break
                case "cursor" where request.method != .readResource, "uri" where request.method == .readResource:
                    guard let text = JSONString.decode(bytes, value) else {
                        isPlain = false
                        return
                    }
                    JSONString.encode(text, into: &what)
                default: isPlain = false
                }
            }
        }
        guard isPlain else { return nil }
        self.init(method: request.method, what: what, principal: principal)
    }

    /// The same for a result that anybody may be given. No principal's name is empty.
    fileprivate var forEverybody: Self { Self(method: method, what: what, principal: "") }
}
