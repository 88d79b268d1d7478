// SPDX-License-Identifier: Apache-2.0
import Foundation

/// The address of something that is reached by HTTP: an absolute http or https URL.
///
/// It holds no user name and no password, since it is logged and stands in process lists. Fragments are dropped.
package struct WebAddress: Hashable, Sendable, CustomStringConvertible {
    /// Why a text is no address that Lodge can use.
    package struct Problem: Error, Hashable, Sendable {
        package let message: String
    }

    /// As it stands in a request.
    let text: String
    package let scheme: String
    /// In lower case, without the brackets of an IPv6 address.
    package let host: String
    package let port: Int
    private let path: String

    package init(_ text: String) throws(Problem) {
        guard let parts = URLComponents(string: text), let scheme = parts.scheme?.lowercased() else {
            throw Problem(message: "'\(text)' is no URL; write it as https://HOST/PATH")
        }
        try self.init(parts, scheme: scheme)
    }

    private init(_ given: URLComponents, scheme: String) throws(Problem) {
        var parts = given
        guard scheme == "http" || scheme == "https" else {
            throw Problem(message: "a URL of the scheme '\(scheme)' cannot be used; write http:// or https://")
        }
        guard let host = parts.host, !host.isEmpty else {
            throw Problem(message: "the URL names no host; write it as \(scheme)://HOST/PATH")
        }
        guard parts.user == nil, parts.password == nil else {
            throw Problem(
                message: "the URL holds a user name or a password, which others can see; "
                    + "leave them out and use --token-env or --header-env")
        }
        parts.fragment = nil
        parts.scheme = scheme
        self.scheme = scheme
        self.host = host.lowercased().trimmingCharacters(in: CharacterSet(charactersIn: "[]"))
        guard (0...65535).contains(parts.port ?? 0) else {
            throw Problem(message: "the URL has a port that there is not; use one up to 65535")
        }
        port = parts.port ?? (scheme == "https" ? 443 : 80)
        if parts.percentEncodedPath.isEmpty { parts.percentEncodedPath = "/" }
        path = parts.percentEncodedPath
        guard let text = parts.string else {
            throw Problem(message: "the URL cannot be used; write it as \(scheme)://HOST/PATH")
        }
        self.text = text
    }

    /// What a reference means that was found at this address (RFC 3986 section 5); nil where it means no address.
    package func resolving(_ reference: String) -> WebAddress? {
        guard let base = URL(string: text), let url = URL(string: reference, relativeTo: base) else { return nil }
        return try? WebAddress(url.absoluteString)
    }

    /// Whether both have the same scheme, host and port (RFC 6454 section 5).
    package func hasSameOrigin(as other: WebAddress) -> Bool { origin == other.origin }

    package var origin: String {
        "\(scheme)://\(host.contains(":") ? "[\(host)]" : host):\(port)"
    }

    /// Whether the last part of its path is this one; a slash at the end does not count.
    package func pathEnds(with name: String) -> Bool {
        path.split(separator: "/").last.map(String.init) == name
    }

    /// Without its query, which may hold a key.
    package var description: String { "\(origin)\(path)" }
}
