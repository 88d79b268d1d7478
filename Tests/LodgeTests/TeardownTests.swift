// SPDX-License-Identifier: Apache-2.0
import ChildProcesses
import Foundation
import JSONRPC
import LodgeTestSupport
import Testing

extension ServeProcess {
    @Suite("the end", .timeLimit(.minutes(1))) struct TeardownTests {
        /// A28
        @Test("SIGTERM and SIGINT end the servers and close the listener", arguments: [SIGTERM, SIGINT])
        func signal(number: Int32) async throws {
            try await LodgeProcess.withServe(server: BuiltProducts.fixture("echo")) { lodge in
                let client = try await lodge.client()
                #expect(try await client.echoes())
                let servers = lodge.servers
                #expect(servers.count == 1)
                lodge.child.send(number)
                #expect(await lodge.child.waitForExit() == .exited(0))
                #expect(servers.allSatisfy { ProcessFamily.Member(pid: $0.pid)?.isAlive != true })
                await #expect(throws: (any Error).self) { try await lodge.stranger() }
            }
        }

        /// A28, A-G8
        @Test(
            "a server that ignores everything but SIGKILL is gone within 5 seconds, with all that it started",
            arguments: Daemon.allCases)
        func stubbornServer(daemon: Daemon) async throws {
            try await ScratchDirectory.with { scratch in
                let server = daemon.server(scratch, ["--ignore-sigterm", "--ignore-eof"])
                let grandchild = Place<ProcessFamily.Member>()
                let beginning = Place<ContinuousClock.Instant>()
                try await LodgeProcess.withServe(server: server) { lodge in
                    #expect(try await lodge.client().echoes())
                    grandchild.value = try await Self.member(in: scratch)
                    beginning.value = .now
                }
                #expect(try #require(beginning.value).duration(to: .now) < .seconds(5))
                #expect(grandchild.value?.isStillThere == false)
            }
        }

        /// A-G8
        @Test("what a server started is gone with it when it dies by itself", arguments: Daemon.allCases)
        func grandchildOfDead(daemon: Daemon) async throws {
            try await ScratchDirectory.with { scratch in
                let server = daemon.server(scratch, [])
                try await LodgeProcess.withServe(["--restart-delays", "30"], server: server) { lodge in
                    let grandchild = try await Self.member(in: scratch)
                    #expect(grandchild.isStillThere)
                    lodge.servers.first { $0.group != grandchild.group }?.kill()
                    #expect(await eventually { !grandchild.isStillThere })
                }
            }
        }

        /// A-G8
        @Test("nothing of its servers is left when lodge itself is killed", arguments: Daemon.allCases)
        func killedLodge(daemon: Daemon) async throws {
            try await ScratchDirectory.with { scratch in
                let server = daemon.server(scratch, ["--ignore-sigterm", "--ignore-eof"])
                let grandchild = Place<ProcessFamily.Member>()
                try await LodgeProcess.withServe(server: server, ending: SIGKILL) { lodge in
                    #expect(try await lodge.client().echoes())
                    grandchild.value = try await Self.member(in: scratch)
                }
                #expect(await eventually { grandchild.value?.isStillThere == false })
            }
        }

        /// A-G8, A-G9
        @Test("nothing of the clients' own servers is left when lodge itself is killed") func killedWithClients()
            async throws
        {
            try await LodgeProcess.withServe(
                ["--isolation", "client"], server: BuiltProducts.fixture("hostile", "--calm", "--ignore-eof"),
                ending: SIGKILL
            ) { lodge in
                for _ in 0..<4 { _ = try await lodge.client() }
                #expect(await eventually { lodge.servers.count == 4 })
            }
        }

        /// A28
        @Test("a call that is about to be answered when lodge is ended gets its answer") func callInFlight()
            async throws
        {
            try await LodgeProcess.withServe(server: BuiltProducts.fixture("slow")) { lodge in
                let client = try await lodge.client()
                try await client.send(MCPClient.call("last_words", id: "5"))
                #expect(try await lodge.reaches { $0["callsInFlight"] == 1 })
                lodge.child.send(SIGTERM)
                #expect(try await client.connection.response().text == MCPClient.text("last words", id: "5"))
                #expect(await lodge.child.waitForExit() == .exited(0))
            }
        }

        /// A20, A28, X2
        @Test("a call that outlasts lodge's end gets the reason as its answer") func callThatOutlasts() async throws {
            try await LodgeProcess.withServe(server: BuiltProducts.fixture("slow")) { lodge in
                let client = try await lodge.client()
                try await client.send(MCPClient.call("wait", #"{"ms":60000}"#, id: "5"))
                #expect(try await lodge.reaches { $0["callsInFlight"] == 1 })
                lodge.child.send(SIGTERM)
                let response = try await client.connection.response()
                #expect(response.status == 200)
                #expect(
                    response.text.hasPrefix(
                        #"{"jsonrpc":"2.0","id":5,"error":{"code":-32000,"#
                            + #""message":"server 'fixtureserver' was stopped before it answered""#))
                #expect(await lodge.child.waitForExit() == .exited(0))
            }
        }

        /// A28
        @Test("streams and idle connections do not hold up the end") func openStreams() async throws {
            try await LodgeProcess.withServe(server: BuiltProducts.fixture("echo")) { lodge in
                var streams: [MCPClient] = []
                for _ in 0..<5 {
                    let client = try await lodge.client()
                    try await client.openStream()
                    streams.append(client)
                    _ = try await lodge.stranger()
                }
                lodge.child.send(SIGTERM)
                for stream in streams { #expect(try await stream.connection.message() == nil) }
                #expect(await lodge.child.waitForExit() == .exited(0))
            }
        }

        /// A28
        @Test("SIGTERM during the start of a slow server ends at once") func duringStart() async throws {
            try await LodgeProcess.withServe(
                ["--restart-delays", "30"], server: BuiltProducts.fixture("crashing", "--at", "start")
            ) { lodge in
                lodge.child.send(SIGTERM)
                #expect(await lodge.child.waitForExit() == .exited(0))
            }
        }

        /// A process that a server has let go of: in a session of its own, without a parent, deaf to all but SIGKILL.
        enum Daemon: CaseIterable {
            /// It has the server's environment.
            case withEnvironment
            /// It has no environment, but the server's pipes.
            case withPipes

            func server(_ scratch: ScratchDirectory, _ options: [String]) -> [String] {
                let pid = "\(scratch.path)/pid"
                let calm = ["hostile", "--calm"] + options
                switch self {
                case .withEnvironment:
                    return BuiltProducts.shell(
                        "(setsid sh -c 'trap \"\" TERM HUP INT; echo $$ >\(pid); while :; do sleep 1; done' "
                            + "<&- >&- 2>&- &); exec '\(BuiltProducts.fixture)' \(calm.joined(separator: " "))")
                case .withPipes: return [BuiltProducts.fixture] + calm + ["--grandchild-pid-file", pid]
                }
            }
        }

        private static func member(in scratch: ScratchDirectory) async throws -> ProcessFamily.Member {
            let place = Place<ProcessFamily.Member>()
            let isThere = await eventually {
                guard let text = try? scratch.read("pid"), let pid = Int32(text.filter(\.isNumber)) else {
                    return false
                }
                place.value = ProcessFamily.Member(pid: pid)
                return place.value != nil
            }
            try #require(isThere)
            return try #require(place.value)
        }
    }
}

extension ProcessFamily.Member {
    var isStillThere: Bool {
        guard let now = ProcessFamily.Member(pid: pid) else { return false }
        return now.isAlive && now.startTime == startTime
    }
}

/// Carries a value out of a body that answers none.
// Sound: a test writes and reads it in one task.
final class Place<Value>: @unchecked Sendable {
    var value: Value?
}
