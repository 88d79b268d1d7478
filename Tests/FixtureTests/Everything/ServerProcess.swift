// SPDX-License-Identifier: Apache-2.0
import FixtureKit
import Foundation
import Testing

/// The built EverythingServer behind pipes. One test uses it, from one thread; reading blocks.
///
/// `timeout` ends a server that a test waits for in vain, so that the test fails instead of hanging.
final class ServerProcess {
    private static let limitInSeconds = "60"

    private let process = Process()
    private let input = Pipe()
    private let output = Pipe()
    private var reader: LineReader

    init(_ arguments: String..., environment: [String: String] = [:]) throws {
        let program = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
            .appending(path: "EverythingServer")
        process.executableURL = URL(filePath: "/usr/bin/timeout")
        process.arguments = [Self.limitInSeconds, program.path(percentEncoded: false)] + arguments
        process.environment = environment
        process.standardInput = input
        process.standardOutput = output
        reader = LineReader(Descriptor(output.fileHandleForReading.fileDescriptor))
        try process.run()
    }

    deinit {
        try? input.fileHandleForWriting.close()
        process.waitUntilExit()
    }

    func send(_ message: JSONValue) throws {
        try input.fileHandleForWriting.write(contentsOf: Data(message.bytes + [0x0A]))
    }

    /// The next message, whatever it is.
    func next() throws -> JSONValue {
        let line = try #require(try reader.next(), "the server ended, or was ended after \(Self.limitInSeconds) s")
        return try JSONValue(parsing: line)
    }

    /// Sends a message and answers the next one that comes back.
    func ask(_ message: JSONValue) throws -> JSONValue {
        try send(message)
        return try next()
    }

    /// Closes the input and answers everything that still comes.
    func finish() throws -> [JSONValue] {
        try input.fileHandleForWriting.close()
        var rest: [JSONValue] = []
        while let line = try reader.next() { rest.append(try JSONValue(parsing: line)) }
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        return rest
    }

    /// Sends `initialize` and the notification that follows, and answers the result.
    @discardableResult
    func initialize(_ capabilities: JSONValue = [:]) throws -> JSONValue {
        let params: JSONValue = [
            "protocolVersion": "2025-11-25", "capabilities": capabilities,
            "clientInfo": ["name": "test", "version": "1"],
        ]
        let answer = try ask(Message.request("init", "initialize", params))
        try send(Message.notification("notifications/initialized"))
        return try #require(answer["result"])
    }
}

/// Requests of the modern era.
enum Modern {
    static let everything: JSONValue = ["sampling": [:], "elicitation": [:], "roots": [:]]

    static func meta(_ capabilities: JSONValue = everything, logLevel: JSONValue? = nil) -> JSONValue {
        var meta: JSONValue = [
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientInfo": ["name": "test", "version": "1"],
            "io.modelcontextprotocol/clientCapabilities": capabilities,
        ]
        meta["io.modelcontextprotocol/logLevel"] = logLevel
        return meta
    }

    static func request(
        _ id: JSONValue, _ method: String, _ params: JSONValue = [:], meta: JSONValue = meta()
    ) -> JSONValue {
        var params = params
        params["_meta"] = meta
        return Message.request(id, method, params)
    }

    /// A call of a tool, with what stands beside its arguments.
    static func call(
        _ id: JSONValue, _ tool: String, _ arguments: JSONValue = [:], responses: JSONValue? = nil,
        state: JSONValue? = nil, meta: JSONValue = meta()
    ) -> JSONValue {
        var params: JSONValue = ["name": .string(tool), "arguments": arguments]
        params["inputResponses"] = responses
        params["requestState"] = state
        return request(id, "tools/call", params, meta: meta)
    }

    static func cancel(_ id: JSONValue) -> JSONValue {
        Message.notification("notifications/cancelled", ["requestId": id])
    }

    static func accepted(_ content: JSONValue) -> JSONValue { ["action": "accept", "content": content] }
}

extension JSONValue {
    /// The text of the first content block of an answer to `tools/call`.
    var firstText: String? { self["result"]?["content"]?.elements?.first?["text"]?.text }

    var code: Int? { self["error"]?["code"]?.integer }

    var errorMessage: String? { self["error"]?["message"]?.text }

    /// The methods of the input requests of an answer, by key.
    var inputRequests: [String: String]? {
        guard self["result"]?["resultType"]?.text == "input_required" else { return nil }
        let members = self["result"]?["inputRequests"]?.members ?? []
        return Dictionary(members.map { ($0.name, $0.value["method"]?.text ?? "") }) { $1 }
    }

    var requestState: JSONValue? { self["result"]?["requestState"] }

    var subscription: JSONValue? { self["params"]?["_meta"]?["io.modelcontextprotocol/subscriptionId"] }
}
