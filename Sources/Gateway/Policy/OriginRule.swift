// SPDX-License-Identifier: Apache-2.0

/// Which web pages may send requests, by the `Origin` that their browser names (MCP transports, security warning).
///
/// A request without an origin comes from no web page and is not judged. Pages of this machine may send; only pages of
/// an origin that was allowed by name may also read what is answered.
package struct OriginRule: Sendable, Hashable {
    package enum Verdict: Sendable, Hashable {
        case refused
        /// The request is taken, but the browser is not told to show the answer to the page.
        case allowed
        /// The request is taken, and the page may read the answer (CORS).
        case allowedByName
    }

    private let named: [String]
    private let allowsAny: Bool

    /// Pages of this machine, on any port.
    package static let loopback = OriginRule(allowing: [])

    /// The pages of this machine and of these origins (`https://example.com`); `*` is every origin.
    package init(allowing origins: [String]) {
        allowsAny = origins.contains("*")
        named = origins.filter { $0 != "*" }
    }

    package func verdict(on origin: String) -> Verdict {
        if allowsAny || named.contains(where: { ASCIIText.equals($0.utf8, ignoringCaseOf: origin.utf8) }) {
            return .allowedByName
        }
        return Self.isLoopback(origin) ? .allowed : .refused
    }

    private static func isLoopback(_ origin: String) -> Bool {
        guard let separator = origin.firstRange(of: "://") else { return false }
        let scheme = origin[..<separator.lowerBound].utf8
        guard ASCIIText.equals(scheme, lowercase: "http") || ASCIIText.equals(scheme, lowercase: "https") else {
            return false
        }
        let (name, port) = HostRule.split(String(origin[separator.upperBound...]))
        return HostRule.isLoopback(name.utf8) && (port.map(HostRule.isPort) ?? true)
    }
}
