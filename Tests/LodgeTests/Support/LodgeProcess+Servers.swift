// SPDX-License-Identifier: Apache-2.0
import Foundation
import JSONRPC
import LodgeTestSupport
import Testing

extension LodgeProcess {
    /// Starts `lodge serve --config` with a file of this content.
    static func withServe(
        config: String, named file: String = "mcp.json", _ flags: [String] = [], environment: [String: String] = [:],
        server: [String] = [], _ body: (LodgeProcess) async throws -> Void
    ) async throws {
        try await ScratchDirectory.with { scratch in
            let path = try scratch.write(config, to: file)
            try await withServe(["--config", path] + flags, environment: environment, server: server, body)
        }
    }

    /// The same process as it is seen through another of its endpoints.
    func at(_ path: String, port: Int? = nil, token: String? = nil) -> LodgeProcess {
        var other = self
        other.path = path
        if let port { other.port = port }
        if let token { other.token = token }
        return other
    }

    /// The same process as it is seen through one of its servers.
    func serving(_ name: String) -> LodgeProcess { at("/servers/\(name)/mcp") }

    /// What `/status` says in all.
    func wholeStatus() async throws -> JSONValue {
        let client = try await stranger()
        let answer = try await client.ask("GET", "/status")
        await client.connection.close()
        return try #require(answer.json)
    }

    /// What `/status` says of one server.
    func status(of name: String) async throws -> JSONValue? {
        try await wholeStatus()["servers"]?.elements?.first { $0["name"]?.string == name }
    }

    /// The names that `/status` has.
    func statusNames() async throws -> [String] {
        try await wholeStatus()["servers"]?.elements?.compactMap { $0["name"]?.string } ?? []
    }
}

/// Figures as Prometheus reads them: by name and labels as they are written.
struct Figures {
    private(set) var values: [String: Double] = [:]
    private(set) var types: [String: String] = [:]

    init(_ text: String) throws {
        for line in text.split(separator: "\n", omittingEmptySubsequences: false).dropLast() {
            if let type = line.wholeMatch(of: /# TYPE ([a-z_:]+) (counter|gauge)/) {
                types[String(type.1)] = String(type.2)
            } else if let sample = line.wholeMatch(of: /([a-z_:]+)((?:\{(?:[a-z]+="[^"]*",?)+\})?) ([0-9.]+)/) {
                guard types[String(sample.1)] != nil else { throw LodgeProcessError("no type before: \(line)") }
                values[String(sample.1 + sample.2)] = Double(sample.3)
            } else if line.wholeMatch(of: /# HELP [a-z_:]+ .+/) == nil {
                throw LodgeProcessError("not a line of metrics: \(line)")
            }
        }
    }

    /// A figure of a server in isolation `shared`.
    func callAsFunction(_ name: String, of server: String, outcome: String? = nil) -> Double? {
        let more = outcome.map { ",outcome=\"\($0)\"" } ?? ""
        return values["lodge_server_\(name){server=\"\(server)\",isolation=\"shared\"\(more)}"]
    }
}
