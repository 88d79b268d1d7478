// SPDX-License-Identifier: Apache-2.0
package import HTTPTransport
import LodgeConfiguration
package import Upstreams

/// Everything that decides how a remote server is put on this process's own standard streams.
package struct ConnectSettings: Sendable {
    package var url: String
    package var transport: RemoteServer.Wire = .auto
    /// Headers of every request; their values are secrets and never logged.
    package var headers: [HTTPField] = []
    package var verification: TLSVerification = .system
    /// Where proxy variables are looked up.
    package var environment: [String: String]

    package init(url: String, environment: [String: String]) {
        self.url = url
        self.environment = environment
    }

    /// Adds a bearer token, instead of an `Authorization` that was there.
    package mutating func authorize(with token: String) {
        headers.removeAll { $0.name.lowercased() == "authorization" }
        headers.append(HTTPField("Authorization", "Bearer \(token)"))
    }
}
