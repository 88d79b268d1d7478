// SPDX-License-Identifier: Apache-2.0
import ChildProcesses
import Foundation
import Testing

extension LodgeProcess {
    /// Starts lodge as another program, waits until it has told its addresses, runs the body, and ends it in order.
    ///
    /// - Parameters:
    ///   - program: the file that is started; a symbolic link chooses the door by its name.
    ///   - environment: all that lodge gets, as `env -i` would give it.
    ///   - token: what the body's clients send.
    ///   - announced: how many servers tell an address.
    static func withDoor(
        _ arguments: [String], program: String = BuiltProducts.lodge, environment: [String: String],
        token: String? = nil, announced: Int = 1, _ body: (LodgeProcess) async throws -> Void
    ) async throws {
        let log = LogLines()
        let child = try ChildProcess.spawn(
            ChildSpecification(executable: program, arguments: arguments, environment: environment)
        ) { log.append($0) }
        var family = ProcessFamily()
        do {
            let addresses = try await Self.addresses(announced, in: log, of: child)
            let lodge = try LodgeProcess(
                child: child, readyLine: Self.readyLine(addresses, token: token), log: log)
            do {
                try await body(lodge)
            } catch {
                await lodge.connections.closeAll()
                throw error
            }
            family = ProcessFamily(of: child.pid)
            child.send(SIGTERM)
            #expect(await eventually { child.exitStatus != nil }, "lodge did not end within its limit")
            await lodge.connections.closeAll()
        } catch {
            await child.teardown(.immediate)
            throw LodgeProcessError("\(error)\nlog of lodge:\n\(log.lines.suffix(30).joined(separator: "\n"))")
        }
        #expect(family.survivors.isEmpty, "lodge ended before its servers did")
        #expect(await child.teardown(.immediate).status == .exited(0), "lodge must end in order")
    }

    /// The addresses that were told: lines of the form `serving 'NAME' at URL`.
    static func addresses(
        _ count: Int, in log: LogLines, of child: ChildProcess
    ) async throws -> [(name: String, url: String)] {
        let isReady = await eventually(within: .seconds(40)) {
            log.lines.count { $0.hasPrefix("serving '") } >= count || child.exitStatus != nil
        }
        let told = log.lines.compactMap { line -> (name: String, url: String)? in
            let words = line.split(separator: " ")
            guard words.count == 4, words[0] == "serving" else { return nil }
            return (String(words[1].dropFirst().dropLast()), String(words[3]))
        }
        guard isReady, told.count == count else { throw LodgeProcessError("lodge was not ready") }
        return told
    }

    private static func readyLine(_ servers: [(name: String, url: String)], token: String?) -> String {
        let list = servers.map { #"{"name":"\#($0.name)","url":"\#($0.url)"}"# }.joined(separator: ",")
        return #"{"servers":[\#(list)],"token":\#(token.map { "\"\($0)\"" } ?? "null")}"#
    }
}

/// The environment of a pod that sets nothing but what its wrapper needs.
enum CleanEnvironment {
    static let path = ["PATH": "/usr/bin:/bin"]

    /// What claw-mcp-stdio is told of a server: its command line and a free port on loopback.
    static func claw(_ server: [String], _ more: [String: String] = [:]) throws -> [String: String] {
        let arguments = try JSONEncoder().encode(Array(server.dropFirst()))
        var environment = path
        environment["CLAW_MCP_STDIO_COMMAND"] = server.first
        environment["CLAW_MCP_STDIO_ARGS"] = String(decoding: arguments, as: UTF8.self)
        environment["CLAW_MCP_STDIO_ADDR"] = "127.0.0.1:0"
        return environment.merging(more) { _, new in new }
    }
}
