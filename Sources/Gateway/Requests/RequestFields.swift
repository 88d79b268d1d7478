// SPDX-License-Identifier: Apache-2.0
package import BrokerCore
package import NIOHTTP1

/// The header fields that the gateway acts on, found in one pass over a request's head.
package struct RequestFields: Sendable {
    /// A header of which a request may have one only, because two readers could choose differently.
    package enum Single: String, Sendable, Hashable {
        case host = "Host"
        case origin = "Origin"
        case authorization = "Authorization"
        case contentType = "Content-Type"
        case session = "Mcp-Session-Id"
        case protocolVersion = "MCP-Protocol-Version"
        case lastEventID = "Last-Event-ID"
    }

    /// Which of the ``HeaderCopies`` came more than once: to whom that matters depends on the body.
    package struct Repeated: OptionSet, Sendable, Hashable {
        package let rawValue: UInt8

        package init(rawValue: UInt8) { self.rawValue = rawValue }

        static let version = Self(rawValue: 1)
        static let method = Self(rawValue: 2)
        static let name = Self(rawValue: 4)

        init(_ header: HeaderCopies.Header) {
            self =
                switch header {
                case .version: .version
                case .method: .method
                case .name: .name
                }
        }
    }

    package private(set) var host: String?
    package private(set) var origin: String?
    package private(set) var authorization: String?
    package private(set) var contentType: String?
    package private(set) var session: String?
    package private(set) var protocolVersion: String?
    /// `Mcp-Method` and `Mcp-Name`, and the `Mcp-Param-*` fields.
    package private(set) var method: String?
    package private(set) var name: String?
    package private(set) var parameters: [ParameterField] = []
    package private(set) var repeatedCopies: Repeated = []
    package private(set) var lastEventID: String?
    /// The body's length, where it was announced.
    package private(set) var contentLength: Int?
    /// The forms of an answer that the client takes; nil without an `Accept` header.
    package private(set) var accepted: MediaTypes?
    /// Whether the body is compressed or otherwise encoded.
    package private(set) var isEncoded = false
    package private(set) var expectsContinue = false
    /// Whether something other than `100-continue` is expected.
    package private(set) var expectsUnknown = false
    /// Whether the client wants another protocol on this connection, after which the parser reads no more requests.
    package private(set) var wantsUpgrade = false
    /// The first header that came more than once and must not.
    package private(set) var repeated: Single?

    package init(_ headers: HTTPHeaders) {
        for (name, written) in headers {
            let value = ASCIIText.trimmed(written)
            let bytes = name.utf8
            switch bytes.count {
            case 4 where ASCIIText.equals(bytes, lowercase: "host"): host = only(host, value, .host)
            case 6 where ASCIIText.equals(bytes, lowercase: "origin"): origin = only(origin, value, .origin)
            case 6 where ASCIIText.equals(bytes, lowercase: "accept"):
                accepted = (accepted ?? []).union(MediaTypes(accept: value))
            case 6 where ASCIIText.equals(bytes, lowercase: "expect"): expect(value)
            case 7 where ASCIIText.equals(bytes, lowercase: "upgrade"): wantsUpgrade = true
            case 8 where ASCIIText.equals(bytes, lowercase: "mcp-name"): self.name = copy(self.name, value, .name)
            case 10 where ASCIIText.equals(bytes, lowercase: "mcp-method"): method = copy(method, value, .method)
            case 12 where ASCIIText.equals(bytes, lowercase: "content-type"):
                contentType = only(contentType, value, .contentType)
            case 13 where ASCIIText.equals(bytes, lowercase: "authorization"):
                authorization = only(authorization, value, .authorization)
            case 13 where ASCIIText.equals(bytes, lowercase: "last-event-id"):
                lastEventID = only(lastEventID, value, .lastEventID)
            case 14 where ASCIIText.equals(bytes, lowercase: "content-length"): contentLength = Int(value)
            case 14 where ASCIIText.equals(bytes, lowercase: "mcp-session-id"): session = only(session, value, .session)
            case 16 where ASCIIText.equals(bytes, lowercase: "content-encoding"):
                isEncoded = isEncoded || !ASCIIText.equals(value.utf8, lowercase: "identity")
            case 20 where ASCIIText.equals(bytes, lowercase: "mcp-protocol-version"):
                protocolVersion = copy(protocolVersion, value, .version)
            case 11... where ASCIIText.equals(bytes.prefix(10), lowercase: "mcp-param-"):
                parameters.append(ParameterField(name: name.lowercased(), value: value))
            default: break
            }
        }
    }

    private mutating func copy(_ earlier: String?, _ value: String, _ copy: Repeated) -> String {
        if earlier != nil { repeatedCopies.insert(copy) }
        return value
    }

    private mutating func expect(_ value: String) {
        if ASCIIText.equals(value.utf8, lowercase: "100-continue") {
            expectsContinue = true
        } else {
            expectsUnknown = true
        }
    }

    private mutating func only(_ earlier: String?, _ value: String, _ single: Single) -> String {
        if earlier != nil, repeated == nil { repeated = single }
        return value
    }

    /// Whether a session id is of the form that a server may mint: visible ASCII (MCP transports, session management).
    package static func isSessionID(_ text: String) -> Bool {
        (1...256).contains(text.utf8.count) && text.utf8.allSatisfy { (0x21...0x7E).contains($0) }
    }
}
