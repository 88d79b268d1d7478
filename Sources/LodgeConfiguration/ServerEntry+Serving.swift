// SPDX-License-Identifier: Apache-2.0

/// How a server is served: when it takes part, on which port of its own, and for how long a call may take.
extension ServerEntry {
    /// A timeout in milliseconds below this is one in seconds by mistake: no call could be answered within it.
    private static let shortestTimeout = 1000.0
    private static let longestTimeout = 1e9

    mutating func requiredVariables() throws(ConfigurationError) -> [String] {
        var names: [String] = []
        for (name, location) in try strings("requires") ?? [] {
            guard ConfiguredValue.isVariableName(name[...]) else {
                throw ConfigurationError(
                    .value, "\(label): requires has '\(name)', which is not the name of a variable", at: location)
            }
            names.append(name)
        }
        return names
    }

    /// `host_port`, or `sse_port` among the options of a proxy, for which Lodge stands in.
    mutating func hostPort() throws(ConfigurationError) -> Int? {
        let own = try port(take("host_port"), "host_port")
        guard let options = take("proxy_options") else { return own }
        guard case .object(let members) = options.content else {
            throw wrong("proxy_options must be an object, not \(options.kind)", options.offset)
        }
        var proxied: Int?
        for member in members {
            if member.key == "sse_port" {
                proxied = try port(member.value, "sse_port")
            } else {
                warnings.append(
                    ("\(label): '\(member.key)' of proxy_options is ignored", text.location(of: member.offset)))
            }
        }
        return own ?? proxied
    }

    /// `replicas`, which is for isolation `pool` alone.
    mutating func replicas(_ isolation: Isolation) throws(ConfigurationError) -> Int? {
        guard let value = take("replicas") else { return nil }
        guard case .number(let written) = value.content, let count = Int(written),
            (1...Isolation.replicaLimit).contains(count)
        else { throw wrong("replicas must be a number from 1 to \(Isolation.replicaLimit)", value.offset) }
        guard isolation == .pool else {
            throw wrong(
                "replicas is for isolation pool, and the server has \(isolation.rawValue); leave one of them out",
                value.offset)
        }
        return count
    }

    private func port(_ value: PositionedJSON?, _ key: String) throws(ConfigurationError) -> Int? {
        guard let value else { return nil }
        guard case .number(let written) = value.content, let port = Int(written), (1...65535).contains(port) else {
            throw wrong("\(key) must be a port from 1 to 65535", value.offset)
        }
        return port
    }

    /// `timeout` in milliseconds, as most clients have it, or `tool_timeout_sec` in seconds, as Codex has it; what makes
    /// no sense is a warning and changes nothing.
    mutating func callTimeout() -> Duration? {
        let inSeconds = callTimeout(
            "tool_timeout_sec", factor: 1000, warning: "counts seconds, and at least one of them")
        let inMilliseconds = callTimeout(
            "timeout", factor: 1, warning: "counts milliseconds, and at least 1000 of them")
        return inMilliseconds ?? inSeconds
    }

    private mutating func callTimeout(_ key: String, factor: Double, warning: String) -> Duration? {
        guard let value = take(key) else { return nil }
        if case .number(let written) = value.content, let number = Double(written),
            (Self.shortestTimeout...Self.longestTimeout).contains(number * factor)
        {
            return .milliseconds(number * factor)
        }
        warnings.append(("\(label): \(key) is ignored; it \(warning)", text.location(of: value.offset)))
        return nil
    }
}
