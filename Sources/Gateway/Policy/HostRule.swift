// SPDX-License-Identifier: Apache-2.0

/// Which `Host` a request may name, so that a web page cannot reach the broker through a name of its own (DNS
/// rebinding).
///
/// It is not authentication, and it does not look at the address a client came from.
package struct HostRule: Sendable, Hashable {
    /// One allowed host: with a port, only that one; without, any.
    private struct Entry: Sendable, Hashable {
        var name: String
        var port: String?
    }

    private let entries: [Entry]
    private let allowsAny: Bool

    /// This machine under its own names, on any port.
    package static let loopback = HostRule(allowing: [])
    /// Every host, for front doors whose predecessor checked none.
    package static let any = HostRule(entries: [], allowsAny: true)

    /// The loopback names and these: `example.com` on any port, `example.com:8443` on that one.
    package init(allowing hosts: [String]) {
        entries = hosts.map { host in
            let (name, port) = Self.split(host)
            return Entry(name: String(name), port: port.map(String.init))
        }
        allowsAny = false
    }

    private init(entries: [Entry], allowsAny: Bool) {
        self.entries = entries
        self.allowsAny = allowsAny
    }

    package func allows(_ host: String) -> Bool {
        if allowsAny { return true }
        let (name, port) = Self.split(host)
        if let port, !Self.isPort(port) { return false }
        if Self.isLoopback(name.utf8) { return true }
        return entries.contains { entry in
            ASCIIText.equals(entry.name.utf8, ignoringCaseOf: name.utf8)
                && (entry.port == nil || entry.port == port.map(String.init))
        }
    }

    static func isLoopback(_ name: Substring.UTF8View) -> Bool {
        ASCIIText.equals(name, lowercase: "127.0.0.1") || ASCIIText.equals(name, lowercase: "localhost")
            || ASCIIText.equals(name, lowercase: "[::1]")
    }

    /// Parts a host from its port; the colons of an IPv6 address stay inside its brackets.
    static func split(_ host: String) -> (name: Substring, port: Substring?) {
        let whole = host[...]
        guard let colon = whole.utf8.lastIndex(of: UInt8(ascii: ":")) else { return (whole, nil) }
        if let bracket = whole.utf8.lastIndex(of: UInt8(ascii: "]")), bracket > colon { return (whole, nil) }
        return (whole[..<colon], whole[whole.utf8.index(after: colon)...])
    }

    static func isPort(_ text: Substring) -> Bool {
        (1...5).contains(text.utf8.count) && text.utf8.allSatisfy { (0x30...0x39).contains($0) }
    }
}
