// SPDX-License-Identifier: Apache-2.0

/// mcp-proxy as a client: its flags and its one variable, as a ``ConnectRequest``.
struct MCPProxyClient {
    private let arguments: MCPProxyArguments
    private let environment: [String: String]

    init(_ arguments: MCPProxyArguments, environment: [String: String]) {
        self.arguments = arguments
        self.environment = environment
    }

    func request(to url: String) throws(DoorRefusal) -> ConnectRequest {
        try refuseOtherCredentials()
        let written = arguments.values[.transport] ?? ConnectRequest.Transport.serverSentEvents.rawValue
        guard let transport = ConnectRequest.Transport(rawValue: written) else {
            throw MCPProxyArguments.usage("--transport '\(written)' is not known; use sse or streamablehttp")
        }
        return ConnectRequest(url: url, transport: transport, headers: headers, verification: verification)
    }

    /// Later ones replace earlier ones; the variable replaces them all.
    private var headers: [ConnectRequest.Header] {
        var given = arguments.headers
        if let token = environment["API_ACCESS_TOKEN"], !token.isEmpty {
            given.append((name: "Authorization", value: "Bearer \(token)"))
        }
        var headers: [ConnectRequest.Header] = []
        for (name, value) in given {
            headers.removeAll { $0.name.lowercased() == name.lowercased() }
            headers.append(ConnectRequest.Header(name: name, value: value))
        }
        return headers
    }

    private var verification: ConnectRequest.Verification {
        guard let written = arguments.values[.verifySSL] else { return .standard }
        switch written.lowercased() {
        case "1", "true", "yes", "on": return .standard
        case "0", "false", "no", "off": return .off
        default: return .authorities(file: written)
        }
    }

    /// Refuses what would have to fetch a token or answer a challenge.
    private func refuseOtherCredentials() throws(DoorRefusal) {
        let others: [MCPProxyArguments.Flag] = [.clientID, .clientSecret, .tokenURL, .username, .password]
        let given =
            others.first { arguments.values[$0] != nil } ?? (arguments.switches[.digest] == true ? .digest : nil)
        guard let given else { return }
        throw DoorRefusal(
            "--\(given.rawValue) is not there yet; give a token in API_ACCESS_TOKEN, or a header with --headers")
    }
}
