// SPDX-License-Identifier: Apache-2.0
import ChildProcesses
import Foundation
import JSONRPC
import LodgeTestSupport
import Testing

/// What `lodge connect` says when a server refuses, misbehaves or is not there, and how it ends (D4).
@Suite("lodge connect: failures and ends", .serialized, .timeLimit(.minutes(1)))
struct ConnectFailureTests {
    private static let call = #"{"jsonrpc":"2.0","id":1,"method":"tools/call"}"#

    /// D4
    @Test(
        "a first message that is not authorized is told so, and ends with 3",
        arguments: [
            (
                401, "the server wants another authorization than it was given (401)",
                "put a token into an environment variable and name it with --token-env"
            ),
            (
                403, "the server does not allow this (403)",
                "use a token that may do it, and name its variable with --token-env"
            ),
        ])
    func unauthorized(status: Int, message: String, hint: String) async throws {
        try await ScriptedServer.with({ _, answer in
            answer.respond(status, ["www-authenticate": "Bearer"], "{}")
        }) { server in
            try await ConnectProcess.with(server.url, status: 3) { lodge in
                let answer = try await lodge.ask(MCPClient.initialize())
                #expect(answer.errorMessage == message)
                #expect(answer.errorData?["hint"]?.string == hint)
                #expect(answer.errorData?["status"]?.integer == Int64(status))
            }
        }
    }

    /// D4
    @Test("a server that is not there is told so, and ends with 4") func unreachable() async throws {
        // A port that was free a moment ago.
        let port = try await ScriptedServer.with({ _, _ in }) { $0.port }
        try await ConnectProcess.with("http://127.0.0.1:\(port)/mcp", status: 4) { lodge in
            let answer = try await lodge.ask(MCPClient.initialize())
            #expect(
                answer
                    == #"{"jsonrpc":"2.0","id":0,"error":{"code":-32000,"message":"the server at http://127.0.0.1:\#(port) cannot be reached: connection refused","data":{"reason":"unreachable","hint":"check the URL, the network and the proxy variables; the call was not sent"}}}"#
            )
        }
    }

    /// D4
    @Test("the token goes where it belongs and stands in no log") func token() async throws {
        let secret = "canary-0b51c2f7a9"
        let script = ConnectTests.server { _, answer in answer.json(#"{"jsonrpc":"2.0","id":1,"result":{}}"#) }
        try await ScriptedServer.with(script) { server in
            try await ConnectProcess.with(
                server.url, ["--token-env", "KEY_A", "--header-env", "X-Api-Key=KEY_B"],
                environment: ["KEY_A": secret, "KEY_B": "\(secret)-b"]
            ) { lodge in
                try await lodge.initialize()
                _ = try await lodge.ask(Self.call)
                #expect(server.requests.allSatisfy { $0["Authorization"] == "Bearer \(secret)" })
                #expect(server.requests.allSatisfy { $0["X-Api-Key"] == "\(secret)-b" })
                #expect(lodge.log.lines(with: secret).isEmpty)
            }
        }
    }

    /// D4
    @Test("a credential on the command line is taken, with a warning that names the way out") func exposed()
        async throws
    {
        try await ScriptedServer.with({ _, answer in answer.json(ConnectTests.initialized) }) { server in
            try await ConnectProcess.with(server.url, ["--header", "Authorization: Bearer abcdefgh"]) { lodge in
                _ = try await lodge.ask(MCPClient.initialize())
                #expect(server.requests.first?["Authorization"] == "Bearer abcdefgh")
                // The log is written beside the answer, not before it.
                await lodge.log.wait(for: "a credential on the command line")
                #expect(
                    lodge.log.lines(
                        with: "a credential on the command line can be seen in the process list; use --token-env"
                    ).count == 1)
                #expect(lodge.log.lines(with: "abcdefgh").isEmpty)
            }
        }
    }

    /// D4
    @Test("a redirect within the origin is followed with method and body", arguments: [301, 302, 307, 308])
    func redirect(status: Int) async throws {
        try await ScriptedServer.with({ request, answer in
            if request.path == "/mcp" { return answer.respond(status, ["location": "/mcp/"]) }
            answer.json(ConnectTests.initialized)
        }) { server in
            try await ConnectProcess.with(server.url + "/mcp") { lodge in
                let answer = try await lodge.ask(MCPClient.initialize())
                #expect(answer == ConnectTests.initialized)
                #expect(server.requests.map(\.method) == ["POST", "POST"])
                #expect(server.requests.map(\.path) == ["/mcp", "/mcp/"])
            }
        }
    }

    /// D4
    @Test("a redirect to another server is not followed, so that nobody else gets the token") func foreign()
        async throws
    {
        try await ScriptedServer.with({ _, answer in answer.json(ConnectTests.initialized) }) { other in
            try await ScriptedServer.with({ _, answer in
                answer.respond(307, ["location": "\(other.url)/mcp"])
            }) { server in
                try await ConnectProcess.with(
                    server.url, ["--token-env", "KEY"], environment: ["KEY": "secret-key"], status: 1
                ) { lodge in
                    let answer = try await lodge.ask(MCPClient.initialize())
                    #expect(
                        answer.errorMessage
                            == "\(server.url)/ redirects to \(other.url), which is another server")
                    #expect(answer.errorData?["reason"]?.string == "redirected")
                }
            }
            #expect(other.requests.isEmpty)
        }
    }

    /// D4
    @Test("a server that redirects without end is left") func endless() async throws {
        try await ScriptedServer.with({ request, answer in
            answer.respond(308, ["location": "/\(request.number)"])
        }) { server in
            try await ConnectProcess.with(server.url, status: 1) { lodge in
                let answer = try await lodge.ask(MCPClient.initialize())
                #expect(answer.errorMessage == "\(server.url)/ redirected more than 5 times")
                #expect(server.requests.count == 6)
            }
        }
    }

    /// D4
    @Test("an answer that is none fails its call and does not reach the client") func notJSON() async throws {
        let script = ConnectTests.server { request, answer in
            if request.body.contains(#""id":2"#) { return answer.json(#"{"jsonrpc":"2.0","id":1,"result":{}}"#) }
            if request.body.contains(#""id":3"#) { return answer.send("this is no HTTP\r\n\r\n") }
            answer.respond(200, ["content-type": "text/html"], "<html>\n</html>")
        }
        try await ScriptedServer.with(script) { server in
            try await ConnectProcess.with(server.url) { lodge in
                try await lodge.initialize()
                #expect(
                    try await lodge.ask(Self.call).errorMessage
                        == "the server's answer cannot be used: it is no JSON but 'text/html' of 14 bytes")
                #expect(
                    try await lodge.ask(#"{"jsonrpc":"2.0","id":2,"method":"x"}"#).errorMessage
                        == "the server's answer cannot be used: it answers another call")
                #expect(
                    try await lodge.ask(#"{"jsonrpc":"2.0","id":3,"method":"x"}"#).errorData?["reason"]?.string
                        == "stream-broken")
                #expect(lodge.output.lines.count == 4)
            }
        }
    }

    /// D4
    @Test("the end of the input waits for what is still to be answered") func endOfInput() async throws {
        let held = Held()
        let script = ConnectTests.server { _, answer in held.hold(answer) }
        try await ScriptedServer.with(script) { server in
            try await ConnectProcess.with(server.url) { lodge in
                try await lodge.initialize()
                try lodge.say(Self.call)
                lodge.endInput()
                #expect(await eventually { server.requests.last?.body == Self.call })
                held.release { $0.json(#"{"jsonrpc":"2.0","id":1,"result":{}}"#) }
                #expect(await lodge.lines(2)[1] == #"{"jsonrpc":"2.0","id":1,"result":{}}"#)
            }
        }
    }

    /// D4
    @Test("a call that is never answered does not keep it alive after its input") func neverAnswered() async throws {
        try await ScriptedServer.with(ConnectTests.server { _, _ in }) { server in
            try await ConnectProcess.with(server.url) { lodge in
                try await lodge.initialize()
                try lodge.say(Self.call)
                #expect(await eventually { server.requests.last?.body == Self.call })
            }
            #expect(server.requests.last?.method == "DELETE")
        }
    }

    /// D4
    @Test("a server that does not even answer initialize does not keep it alive after its input")
    func neverBegun() async throws {
        try await ScriptedServer.with({ _, _ in }) { server in
            try await ConnectProcess.with(server.url) { lodge in
                try lodge.say(MCPClient.initialize())
                try lodge.say(MCPClient.initialized)
                #expect(await eventually { !server.requests.isEmpty })
            }
            #expect(server.requests.count == 1)
        }
    }

    /// D4
    @Test("requests go through the proxy that the environment names") func proxy() async throws {
        try await ScriptedServer.with({ request, answer in
            if request.method == "CONNECT" { return answer.send("HTTP/1.1 200 Connected\r\n\r\n") }
            answer.json(ConnectTests.initialized)
        }) { proxy in
            let environment = ["http_proxy": "http://user:pass@127.0.0.1:\(proxy.port)", "NO_PROXY": "localhost"]
            try await ConnectProcess.with("http://far.example.com:8080/mcp", environment: environment) { lodge in
                let answer = try await lodge.ask(MCPClient.initialize())
                #expect(answer == ConnectTests.initialized)
                #expect(proxy.requests.first?.path == "far.example.com:8080")
                #expect(proxy.requests.first?["Proxy-Authorization"] == "Basic dXNlcjpwYXNz")
                #expect(proxy.requests.last?["Host"] == "far.example.com:8080")
                #expect(proxy.requests.last?["Proxy-Authorization"] == nil)
            }
        }
    }

    /// D4
    @Test("a signal ends it, with the session", arguments: [SIGTERM, SIGINT]) func signal(number: Int32) async throws {
        try await ScriptedServer.with(ConnectTests.server { _, _ in }) { server in
            try await ConnectProcess.with(server.url) { lodge in
                try await lodge.initialize()
                try lodge.say(Self.call)
                #expect(await eventually { server.requests.last?.body == Self.call })
                lodge.child.send(number)
                #expect(await lodge.child.waitForExit() == .exited(0))
            }
            #expect(server.requests.last?.method == "DELETE")
        }
    }

    /// D4
    @Test("large messages pass both ways") func large() async throws {
        let text = String(repeating: "x", count: 512 << 10)
        let script = ConnectTests.server { request, answer in
            let body = #"{"jsonrpc":"2.0","id":1,"result":{"text":"\#(text)","length":\#(request.body.utf8.count)}}"#
            answer.openStream()
            answer.event(body)
            answer.close()
        }
        try await ScriptedServer.with(script) { server in
            try await ConnectProcess.with(server.url) { lodge in
                try await lodge.initialize()
                let call = #"{"jsonrpc":"2.0","id":1,"method":"x","params":{"text":"\#(text)"}}"#
                let answer = try await lodge.ask(call)
                #expect(
                    answer == #"{"jsonrpc":"2.0","id":1,"result":{"text":"\#(text)","length":\#(call.utf8.count)}}"#)
            }
        }
    }

    static let wrong: [(arguments: [String], error: String)] = [
        (["ftp://x/"], "a URL of the scheme 'ftp' cannot be used; write http:// or https://"),
        (["http://x/", "--header", "nonsense"], "--header 'nonsense' is no header; write it as 'Name: value'"),
        (
            ["http://x/", "--header-env", "X-Key"],
            "--header-env 'X-Key' names no variable; write it as 'Name=VARIABLE'"
        ),
        (
            ["http://x/", "--header-env", "X-Key=NOT_SET_HERE"],
            "--header-env X-Key names the variable 'NOT_SET_HERE', which is not set or empty\n"
                + "hint: export NOT_SET_HERE, or leave --header-env X-Key out"
        ),
        (
            ["http://x/", "--token-env", "NOT_SET_HERE"],
            "--token-env NOT_SET_HERE names a variable that is not set or empty\n"
                + "hint: export NOT_SET_HERE, or leave --token-env out"
        ),
        (
            ["https://x/", "--ca-file", "/nowhere/ca.pem"],
            "the file '/nowhere/ca.pem' cannot be read; name a PEM file of certificates"
        ),
        (
            ["https://x/", "--ca-file", "/dev/null"],
            "the file '/dev/null' holds no certificate in PEM form; name one that does"
        ),
    ]

    /// D4
    @Test("a wrong command line is refused with a sentence that mends it, status 2", arguments: 0..<wrong.count)
    func refused(index: Int) async throws {
        let (arguments, error) = Self.wrong[index]
        let finished = try await FinishedProgram.lodge(["connect"] + arguments)
        #expect(finished.errors == "error: \(error)")
        #expect(finished.status == .exited(2))
        #expect(finished.output.isEmpty)
    }
}
