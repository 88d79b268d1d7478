// SPDX-License-Identifier: Apache-2.0
import JSONRPC
import MCPProtocol
import NIOCore
import Secrets

/// What a `requestState` of ours says: where a request goes on, for whom, and until when.
///
/// It is not encrypted and holds nothing that its client may not know: what a modern server put into its own state, it
/// gave to that client itself.
struct RequestState: Hashable, Sendable {
    enum Course: Hashable, Sendable {
        /// A call that a legacy server has not finished, under its ticket; `round` counts how often it was asked about.
        case suspended(Ticket, round: UInt32)
        /// The state that a modern server gave with its result; nil where it gave none.
        case server([UInt8]?)
    }

    /// The number of the upstream that goes on with it.
    let upstream: UInt64
    let course: Course
}

/// Seals and opens the states of one server's requests (2026-07-28, multi round-trip requests, server requirements).
///
/// A state is bound to its server, its principal, the request that it was given for, and a time; to anybody else, for
/// any other request, changed, or too late it is not a state at all. That it is used once is not this type's business.
struct RequestStates: Sendable {
    /// How long a client may take to answer.
    static let lifetime: UInt64 = 600

    private static let version: UInt8 = 2

    private let server: String
    private let signing: any SessionSigning
    private let wallClock: @Sendable () -> UInt64

    init(server: String, signing: any SessionSigning, wallClock: @escaping @Sendable () -> UInt64) {
        self.server = server
        self.signing = signing
        self.wallClock = wallClock
    }

    func seal(_ state: RequestState, principal: Principal, request: ClientMessage) -> String {
        var bytes: [UInt8] = [Self.version]
        bytes += signing.keyID.prefix(4)
        bytes.appendBigEndian(StableDigest.of(server.utf8))
        bytes.appendBigEndian(StableDigest.of(principal.name.utf8))
        bytes.appendBigEndian(wallClock() + Self.lifetime)
        bytes.appendBigEndian(state.upstream)
        switch state.course {
        case .suspended(let ticket, let round):
            bytes.append(0)
            bytes.appendBigEndian(UInt64(bitPattern: ticket))
            bytes.appendBigEndian(UInt64(round))
        case .server(nil): bytes.append(1)
        case .server(let inner?):
            bytes.append(2)
            bytes += inner
        }
        return Base64URL.encode(signature(of: bytes, for: request) + bytes)
    }

    /// Reads a state; nil unless it was sealed with this key for this principal and this request, and is still good.
    func open(_ text: String, principal: Principal, request: ClientMessage) -> RequestState? {
        guard let all = Base64URL.decode(text) else { return nil }
        let length = signing.signature(of: []).count
        guard all.count > length + 37 else { return nil }
        let bytes = Array(all.dropFirst(length))
        guard signing.isSignature(Array(all.prefix(length)), of: Self.signed(bytes, for: request)) else { return nil }
        guard bytes[0] == Self.version, Array(bytes[1..<5]) == Array(signing.keyID.prefix(4)),
            bytes.bigEndian(at: 5) == StableDigest.of(server.utf8),
            bytes.bigEndian(at: 13) == StableDigest.of(principal.name.utf8), bytes.bigEndian(at: 21) > wallClock()
        else { return nil }
        let upstream = bytes.bigEndian(at: 29)
        switch bytes[37] {
        case 0 where bytes.count == 54:
            let round = UInt32(truncatingIfNeeded: bytes.bigEndian(at: 46))
            return RequestState(
                upstream: upstream,
                course: .suspended(Ticket(bitPattern: bytes.bigEndian(at: 38)), round: round))
        case 1: return RequestState(upstream: upstream, course: .server(nil))
        case 2: return RequestState(upstream: upstream, course: .server(Array(bytes.dropFirst(38))))
        default: return nil
        }
    }

    private func signature(of bytes: [UInt8], for request: ClientMessage) -> [UInt8] {
        signing.signature(of: Self.signed(bytes, for: request))
    }

    /// The length goes first, so that no byte of the one can be taken for one of the other.
    private static func signed(_ bytes: [UInt8], for request: ClientMessage) -> [UInt8] {
        var signed: [UInt8] = []
        signed.appendBigEndian(UInt64(bytes.count))
        return signed + bytes + identity(of: request)
    }

    /// What a retry has to have in common with the request that it repeats: the method and everything that it asks for.
    ///
    /// The order of members and their spelling may differ, as they do between two serializations.
    private static func identity(of request: ClientMessage) -> [UInt8] {
        let buffer = request.bytes
        let bytes = buffer.readableBytesUInt8Span
        var identity: [UInt8] = []
        if let method = request.envelope.method, let name = JSONString.decode(bytes, contents: method) {
            identity += Array(name.utf8)
        }
        identity.append(0)
        guard let params = request.envelope.params else { return identity }
        let changing: Set<String> = ["_meta", "inputResponses", "requestState"]
        var members: [(name: [UInt8], value: [UInt8])] = []
        JSONMembers.forEach(in: bytes, object: params) { _, name, value in
            let text = JSONString.decode(bytes, contents: name)
            if let text, changing.contains(text) { return }
            let raw = bytes.extracting(value)
            // What is nested too deeply to be read has to be repeated as it was written.
            let written = (try? JSONValue.parse(raw))?.sorted.serialized ?? Array(copying: raw)
            members.append((text.map { Array($0.utf8) } ?? Array(copying: bytes.extracting(name)), written))
        }
        for member in members.sorted(by: { $0.name.lexicographicallyPrecedes($1.name) }) {
            for part in [member.name, member.value] {
                identity.appendBigEndian(UInt64(part.count))
                identity += part
            }
        }
        return identity
    }
}

extension JSONValue {
    /// The same with the members of every object in the order of their names.
    fileprivate var sorted: JSONValue {
        switch self {
        case .object(let members):
            .object(
                members.map { Member($0.name, $0.value.sorted) }.sorted { $0.name < $1.name })
        case .array(let elements): .array(elements.map(\.sorted))
        case .null, .bool, .number, .string: self
        }
    }
}
