// SPDX-License-Identifier: Apache-2.0
import Foundation

/// The proxy that requests to one origin go through.
package struct ForwardProxy: Hashable, Sendable {
    package enum Kind: Hashable, Sendable { case http, socks }

    package let kind: Kind
    package let host: String
    package let port: Int
    /// User name and password for the proxy itself.
    package let user: String?
    package let password: String?

    /// What the variables of an environment name for an address; nil where it is reached without a proxy.
    ///
    /// Read are `http_proxy`, `https_proxy` and `all_proxy` for the scheme and `no_proxy` for exceptions, in lower case
    /// first, then in capitals, as curl and Python do.
    package static func named(
        for address: WebAddress, in environment: [String: String]
    ) throws(HTTPTransportError) -> ForwardProxy? {
        func value(_ name: String) -> String? {
            [name, name.uppercased()].compactMap { environment[$0] }.first { !$0.isEmpty }
        }
        guard !isExempt(address, value("no_proxy") ?? "") else { return nil }
        let variable = "\(address.scheme)_proxy"
        guard let text = value(variable) ?? value("all_proxy") else { return nil }
        return try ForwardProxy(text, variable: variable)
    }

    private init(_ text: String, variable: String) throws(HTTPTransportError) {
        let whole = text.contains("://") ? text : "http://\(text)"
        guard let parts = URLComponents(string: whole), let host = parts.host, !host.isEmpty else {
            throw HTTPTransportError(
                .unusableSettings, "the proxy in \(variable) is no URL; write it as http://HOST:PORT")
        }
        switch parts.scheme?.lowercased() {
        case "http": kind = .http
        case "socks5", "socks5h", "socks": kind = .socks
        default:
            throw HTTPTransportError(
                .unusableSettings,
                "the proxy in \(variable) is of the kind '\(parts.scheme ?? "")', which cannot be used; "
                    + "name one with http:// or socks5://")
        }
        self.host = host.trimmingCharacters(in: CharacterSet(charactersIn: "[]"))
        port = parts.port ?? (kind == .http ? 80 : 1080)
        user = parts.user
        password = parts.password
    }

    private static func isExempt(_ address: WebAddress, _ list: String) -> Bool {
        list.split { $0 == "," || $0 == " " }.contains { entry in
            var name = entry.lowercased()
            if name == "*" { return true }
            if name.hasPrefix("[") {
                name = name.replacing("[", with: "").replacing("]", with: "")
            } else if let colon = name.lastIndex(of: ":"), name.firstIndex(of: ":") == colon {
                guard Int(name[name.index(after: colon)...]) == address.port else { return false }
                name = String(name[..<colon])
            }
            if name.hasPrefix("*.") { name.removeFirst() }
            if name.hasPrefix(".") { name.removeFirst() }
            return !name.isEmpty && (address.host == name || address.host.hasSuffix("." + name))
        }
    }
}
