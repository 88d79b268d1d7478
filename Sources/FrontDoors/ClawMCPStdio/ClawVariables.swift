// SPDX-License-Identifier: Apache-2.0
import Foundation
import JSONRPC
import Secrets

/// The ten variables of claw-mcp-stdio, with its rules and its defaults.
///
/// A variable that is empty or blank counts as not set. Every refusal names its variable.
struct ClawVariables {
    enum Name: String, CaseIterable {
        case command = "CLAW_MCP_STDIO_COMMAND"
        case arguments = "CLAW_MCP_STDIO_ARGS"
        case address = "CLAW_MCP_STDIO_ADDR"
        case port = "CLAW_MCP_STDIO_PORT"
        case path = "CLAW_MCP_STDIO_PATH"
        case token = "CLAW_MCP_STDIO_AUTH_TOKEN"
        case requestTimeout = "CLAW_MCP_STDIO_REQUEST_TIMEOUT_MS"
        case backoff = "CLAW_MCP_STDIO_RESTART_BACKOFF_MS"
        case longestBackoff = "CLAW_MCP_STDIO_RESTART_MAX_MS"
        case bodyLimit = "CLAW_MCP_STDIO_MAX_BODY_BYTES"
    }

    /// More milliseconds than this, 24 days, are a mistake; so are more bytes.
    private static let largestNumber = 2_147_483_647
    /// Paths that the broker itself answers.
    private static let taken = ["/healthz", "/readyz", "/status", "/register"]

    let environment: [String: String]

    init(_ environment: [String: String]) { self.environment = environment }

    private func value(_ name: Name) -> String? {
        let text = (environment[name.rawValue] ?? "").trimmingCharacters(in: .whitespacesAndNewlines)
        return text.isEmpty ? nil : text
    }

    private func refusal(_ name: Name, _ problem: String) -> DoorRefusal { DoorRefusal("\(name.rawValue) \(problem)") }

    func command() throws(DoorRefusal) -> String {
        guard let command = value(.command) else {
            throw refusal(.command, "is not set; name the program of the MCP server")
        }
        return command
    }

    func arguments() throws(DoorRefusal) -> [String] {
        guard let text = value(.arguments) else { return [] }
        let words: [String]?
        switch try? JSONValue.parse(Array(text.utf8)) {
        case .null?: words = []
        case .array(let elements)?:
            words = elements.allSatisfy { $0.string != nil } ? elements.compactMap(\.string) : nil
        default: words = nil
        }
        guard let words else {
            throw refusal(.arguments, #"is not a JSON array of strings; write it like ["-y", "some-server"]"#)
        }
        return words
    }

    /// ADDR wins over PORT; a host that is left out is every interface.
    func place() throws(DoorRefusal) -> ListenPlace {
        if let address = value(.address) {
            guard let colon = address.lastIndex(of: ":"), let port = UInt16(address[address.index(after: colon)...]),
                let host = Self.host(address[..<colon])
            else { throw refusal(.address, "'\(address)' is not an address; write it like :8080 or 127.0.0.1:8080") }
            return ListenPlace(host: host, port: Int(port))
        }
        guard let written = value(.port) else { return ListenPlace(host: ListenPlace.everywhere, port: 8080) }
        guard let port = UInt16(written.hasPrefix(":") ? written.dropFirst() : written[...]) else {
            throw refusal(.port, "'\(written)' is not a port; use a number up to 65535")
        }
        return ListenPlace(host: ListenPlace.everywhere, port: Int(port))
    }

    private static func host(_ text: Substring) -> String? {
        if text.isEmpty { return ListenPlace.everywhere }
        if text.hasPrefix("["), text.hasSuffix("]") { return String(text.dropFirst().dropLast()) }
        return text.contains(":") ? nil : String(text)
    }

    /// The path of the endpoint; nil for the standard one.
    func path() throws(DoorRefusal) -> String? {
        guard let path = value(.path) else { return nil }
        guard path.hasPrefix("/") else { throw refusal(.path, "'\(path)' does not start with '/'; write it like /mcp") }
        let plain = path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
        guard !Self.taken.contains(plain), !plain.hasPrefix("/.well-known/") else {
            throw refusal(.path, "'\(path)' is a path of the broker itself; choose another, like /mcp")
        }
        return plain == "/mcp" ? nil : plain
    }

    func token() throws(DoorRefusal) -> BearerToken? {
        guard let text = value(.token) else { return nil }
        guard let token = BearerToken(foreign: text) else {
            throw refusal(.token, "cannot stand in a header; use letters, digits and signs without spaces")
        }
        return token
    }

    func requestTimeout() throws(DoorRefusal) -> Duration {
        .milliseconds(try number(.requestTimeout, standard: 60_000))
    }

    func bodyLimit() throws(DoorRefusal) -> Int { try number(.bodyLimit, standard: 1 << 20) }

    /// The first wait, doubled up to the longest, which then repeats.
    func restartDelays() throws(DoorRefusal) -> [Duration] {
        var delays = [try number(.backoff, standard: 1000)]
        let longest = try number(.longestBackoff, standard: 15_000)
        while let last = delays.last, last < longest { delays.append(min(last * 2, longest)) }
        if let first = delays.first, first > longest { delays.append(longest) }
        return delays.map { .milliseconds($0) }
    }

    private func number(_ name: Name, standard: Int) throws(DoorRefusal) -> Int {
        guard let text = value(name) else { return standard }
        guard let number = Int(text), (1...Self.largestNumber).contains(number) else {
            throw refusal(name, "'\(text)' is not a whole number from 1 to \(Self.largestNumber)")
        }
        return number
    }
}
