// SPDX-License-Identifier: Apache-2.0
import ArgumentParser

/// A host and a port, as `--listen` takes them.
struct ListenAddress: ExpressibleByArgument, Hashable {
    var host: String
    var port: Int

    init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    /// Takes `HOST:PORT`, `[IPV6]:PORT` or `PORT`.
    init?(argument: String) {
        let host: Substring
        let port: Substring
        if let colon = argument.lastIndex(of: ":") {
            host = argument[..<colon]
            port = argument[argument.index(after: colon)...]
        } else {
            (host, port) = ("127.0.0.1", argument[...])
        }
        guard let number = UInt16(port) else { return nil }
        if host.hasPrefix("["), host.hasSuffix("]") {
            self.host = String(host.dropFirst().dropLast())
        } else {
            guard !host.contains(":") else { return nil }
            self.host = host.isEmpty ? "0.0.0.0" : String(host)
        }
        self.port = Int(number)
    }

    /// What help shows for it, written as the flag takes it.
    var defaultValueDescription: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }

    /// Whether only this machine can connect.
    var isLoopback: Bool {
        host == "localhost" || host == "::1"
            || (host.hasPrefix("127.") && octets.count == 4 && octets.allSatisfy { UInt8($0) != nil })
    }

    private var octets: [Substring] { host.split(separator: ".", omittingEmptySubsequences: false) }
}
