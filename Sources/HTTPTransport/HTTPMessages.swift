// SPDX-License-Identifier: Apache-2.0
package import NIOCore

/// One header field of a request.
package struct HTTPField: Hashable, Sendable {
    package var name: String
    package var value: String

    package init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }

    /// Whether a request can carry it: a token as name, and no control character in the value (RFC 9110 section 5).
    package var isValid: Bool {
        !name.isEmpty && name.utf8.allSatisfy(Self.isTokenByte)
            && value.utf8.allSatisfy { $0 == 0x09 || ($0 >= 0x20 && $0 != 0x7F) }
    }

    private static func isTokenByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "a")...UInt8(ascii: "z"):
            true
        default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
    }
}

/// A request as it is to be sent; what it says of MCP, if anything, is in its fields and its body.
package struct HTTPRequest: Sendable {
    package enum Method: String, Sendable {
        case get = "GET"
        case post = "POST"
        case delete = "DELETE"
    }

    package var method: Method
    package var address: WebAddress
    package var fields: [HTTPField]
    package var body: ByteBuffer?
    /// Called once, when the body was handed to an open connection: a request that starts later comes later.
    package var sent: @Sendable () -> Void

    package init(
        _ method: Method, _ address: WebAddress, fields: [HTTPField] = [], body: ByteBuffer? = nil,
        sent: @escaping @Sendable () -> Void = {}
    ) {
        self.method = method
        self.address = address
        self.fields = fields
        self.body = body
        self.sent = sent
    }
}

/// The head of a response, and its body as it arrives.
///
/// Whoever has one reads its body to the end or cancels the task; until then it holds a connection.
package struct HTTPResponse: Sendable {
    package let status: Int
    package let body: HTTPBody
    private let fields: [HTTPField]

    init(status: Int, fields: [HTTPField], body: HTTPBody) {
        self.status = status
        self.fields = fields
        self.body = body
    }

    /// The first value of a field.
    package subscript(name: String) -> String? {
        fields.first { $0.name.lowercased() == name.lowercased() }?.value
    }

    /// The media type in lower case, without parameters.
    package var mediaType: String? {
        guard let value = self["Content-Type"] else { return nil }
        return value.prefix { $0 != ";" }.lowercased().filter { $0 != " " && $0 != "\t" }
    }

    package var isSuccess: Bool { (200..<300).contains(status) }
}

/// Why there was no response, or no whole one.
package struct HTTPTransportError: Error, Hashable, Sendable {
    package enum Reason: Hashable, Sendable {
        /// No connection came about: the request reached nobody.
        case unreachable
        /// The connection broke; whether the request was acted upon is not known.
        case broken
        /// A redirect that is not followed.
        case redirected
        /// The task that waited was cancelled.
        case cancelled
        /// The settings cannot be used.
        case unusableSettings
    }

    package let reason: Reason
    /// A clause that says what happened.
    package let message: String

    package init(_ reason: Reason, _ message: String) {
        self.reason = reason
        self.message = message
    }
}
