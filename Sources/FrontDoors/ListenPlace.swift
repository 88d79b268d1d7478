// SPDX-License-Identifier: Apache-2.0

/// Where a door's broker listens.
struct ListenPlace {
    /// Every address of this machine, which is what an empty host means to a server.
    static let everywhere = "0.0.0.0"

    var host: String
    var port: Int

    /// Whether only this machine can connect.
    var isLoopback: Bool {
        if host == "localhost" || host == "::1" { return true }
        let octets = host.split(separator: ".", omittingEmptySubsequences: false)
        return octets.count == 4 && octets[0] == "127" && octets.allSatisfy { UInt8($0) != nil }
    }

    /// As it stands in a sentence; a free port is not known before it is taken.
    var text: String { port == 0 ? host : (host.contains(":") ? "[\(host)]" : host) + ":\(port)" }
}
