// SPDX-License-Identifier: Apache-2.0
import BrokerDaemon
import FrontDoors
import LodgeConfiguration
import Secrets

extension DoorRequest {
    /// Everything that a door decides, a line each, in an order that stays.
    var dump: String {
        switch self {
        case .serve(let service): service.dump
        case .healthcheck(let probe): "healthcheck \(probe.host):\(probe.port)\(probe.path)\n"
        case .connect(let request): request.dump
        case .show(let text): "show\n" + text + "\n"
        }
    }
}

extension DoorService {
    fileprivate var dump: String {
        var lines = ["serve \(settings.host):\(settings.port)"]
        lines += settings.servers.flatMap(\.dump)
        lines.append("default server: \(settings.defaultServer ?? "the only one")")
        lines.append("default path: \(settings.defaultPath ?? "/mcp")")
        for (alias, name) in settings.aliases.sorted(by: { $0.key < $1.key }) {
            lines.append("alias: \(alias) is \(name)")
        }
        lines.append("authentication: \(settings.authentication.dump)")
        lines.append("hosts: \(settings.allowsAnyHost ? "any" : "loopback, \(settings.allowedHosts)")")
        lines.append("origins: loopback, \(settings.allowedOrigins)")
        lines.append("exposed headers: \(settings.exposedHeaders)")
        lines.append("body limit: \(settings.bodyLimit)")
        lines.append("call timeout: \(settings.callTimeout), absolute \(settings.callAbsoluteTimeout)")
        lines.append("start timeout: \(settings.startTimeout)")
        lines.append("restart delays: \(settings.restartDelays.map { "\($0)" }.joined(separator: ", "))")
        let switches: [(String, Bool)] = [
            ("stateless", settings.stateless), ("health is readiness", settings.healthIsReadiness),
            ("reads leniently", settings.readsLeniently), ("outage is unavailable", settings.outageIsUnavailable),
            ("sessions end with generation", settings.sessionsEndWithGeneration),
            ("logs calls", settings.logsCalls), ("proves tools", settings.provesTools),
            ("only listed tools", settings.onlyListedTools),
        ]
        lines.append("on: \(switches.filter(\.1).map(\.0))")
        lines.append("stderr prefix: \(settings.standardErrorPrefix.map { "'\($0)'" } ?? "none")")
        lines.append("log level: \(logLevel)")
        lines += warnings.map { "warning: \($0)" }
        return lines.joined(separator: "\n") + "\n"
    }
}

extension BrokerSettings.Authentication {
    fileprivate var dump: String {
        switch self {
        case .none: "none"
        case .bearer(let token, let principal): "bearer \(token.value) for \(principal)"
        }
    }
}

extension ServerSpecification {
    fileprivate var dump: [String] {
        guard case .child(let child) = transport else { return ["server \(name): remote"] }
        var lines = ["server \(name), \(isolation): \(child.command.text) \(child.arguments.map(\.text))"]
        for (name, value) in child.environment.sorted(by: { $0.key < $1.key }) {
            lines.append("  env \(name)=\(value.text)")
        }
        if !child.passThrough.isEmpty { lines.append("  passed \(child.passThrough)") }
        if let directory = child.workingDirectory { lines.append("  cwd \(directory.text)") }
        return lines
    }
}

extension ConnectRequest {
    fileprivate var dump: String {
        let headers = headers.map { "header \($0.name): \($0.value)" }
        return (["connect \(url)", "transport: \(transport.rawValue)"] + headers + ["verification: \(verification)"])
            .joined(separator: "\n") + "\n"
    }
}
