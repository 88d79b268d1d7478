// SPDX-License-Identifier: Apache-2.0
import Foundation
import LodgeConfiguration
import Secrets
import Testing

@testable import BrokerDaemon

@Suite("What serve says when it is ready")
struct ServeAnnouncementTests {
    private let servers = [ServedServer(name: "time", url: "http://127.0.0.1:8080/servers/time/mcp")]
    private let token: BearerToken

    init() throws { token = try #require(BearerToken("t0ken")) }

    private func text(
        _ isolation: Isolation = .shared, token: BearerToken?, showsToken: Bool, onTerminal: Bool
    ) -> String {
        let servers = servers.map { ServedServer(name: $0.name, url: $0.url, isolation: isolation) }
        return ServeAnnouncement(printsJSON: false, readyFile: nil, token: token, showsToken: showsToken)
            .text(servers, onTerminal: onTerminal)
    }

    @Test("on a terminal a minted token is shown as the line that sets it")
    func terminal() {
        #expect(
            text(token: token, showsToken: true, onTerminal: true) == """
                serving 'time' at http://127.0.0.1:8080/servers/time/mcp
                paste into a client's mcp.json:
                {
                  "mcpServers": {
                    "time": {"type": "http", "url": "http://127.0.0.1:8080/servers/time/mcp", \
                "headers": {"Authorization": "Bearer ${LODGE_TOKEN}"}}
                  }
                }
                export LODGE_TOKEN=t0ken
                isolation shared: all clients share one process; withheld: sampling, elicitation, roots, \
                log messages (they go to lodge's own log), tasks (--isolation client gives them)

                """)
    }

    @Test("away from a terminal a minted token is not shown")
    func noTerminal() {
        let text = text(token: token, showsToken: true, onTerminal: false)
        #expect(
            text.contains("\na token was minted and is not shown here; use --json, --ready-file or --token-file\n"))
        #expect(!text.contains("t0ken"))
    }

    @Test("a token that the person gave is not shown", arguments: [true, false])
    func givenToken(onTerminal: Bool) {
        let text = text(token: token, showsToken: false, onTerminal: onTerminal)
        #expect(!text.contains("t0ken"))
        #expect(!text.contains("a token was minted"))
    }

    @Test("without authentication there is a warning and no header")
    func noAuthentication() {
        #expect(
            text(.client, token: nil, showsToken: false, onTerminal: true) == """
                serving 'time' at http://127.0.0.1:8080/servers/time/mcp
                paste into a client's mcp.json:
                {
                  "mcpServers": {
                    "time": {"type": "http", "url": "http://127.0.0.1:8080/servers/time/mcp"}
                  }
                }
                authentication is off: whoever can connect can call
                isolation client: each session has a process of its own; nothing is withheld

                """)
    }

    @Test(
        "what a process for each call and several for all withhold is told",
        arguments: [
            (
                Isolation.call,
                "isolation call: each call has a process of its own; withheld: tasks, "
                    + "what a call leaves in the server for the next (--isolation client gives them)"
            ),
            (
                .pool,
                "isolation pool: all clients share several equal processes; withheld: sampling, elicitation, roots, "
                    + "log messages (they go to lodge's own log), tasks, "
                    + "what a call leaves in the server for the next (--isolation client gives them)"
            ),
        ])
    func placed(_ isolation: Isolation, _ line: String) {
        let text = text(isolation, token: nil, showsToken: false, onTerminal: false)
        #expect(text.split(separator: "\n").last.map(String.init) == line)
    }

    @Test("several servers are named with all their addresses, and by isolation")
    func several() {
        var servers = [
            ServedServer(name: "a", url: "http://h:1/servers/a/mcp"),
            ServedServer(name: "b", url: "http://h:1/servers/b/mcp", isolation: .client),
            ServedServer(name: "c", url: "http://h:1/servers/c/mcp"),
        ]
        servers[0].defaultURL = "http://h:1/mcp"
        servers[1].ownURL = "http://h:2/mcp"
        let announcement = ServeAnnouncement(printsJSON: false, readyFile: nil, token: nil, showsToken: false)
        #expect(
            announcement.text(servers, onTerminal: true) == """
                serving 'a' at http://h:1/servers/a/mcp
                serving 'a', the default, at http://h:1/mcp too
                serving 'b' at http://h:1/servers/b/mcp
                serving 'b' alone at http://h:2/mcp
                serving 'c' at http://h:1/servers/c/mcp
                paste into a client's mcp.json:
                {
                  "mcpServers": {
                    "a": {"type": "http", "url": "http://h:1/servers/a/mcp"},
                    "b": {"type": "http", "url": "http://h:1/servers/b/mcp"},
                    "c": {"type": "http", "url": "http://h:1/servers/c/mcp"}
                  }
                }
                authentication is off: whoever can connect can call
                isolation shared (a, c): all clients share one process of each; withheld: sampling, elicitation, roots, \
                log messages (they go to lodge's own log), tasks (--isolation client gives them)
                isolation client (b): each session has a process of its own; nothing is withheld

                """)
        #expect(
            ReadyLine(servers: Array(servers[..<2]), token: nil).text.hasPrefix(
                #"{"servers":[{"name":"a","url":"http://h:1/servers/a/mcp","sse_url":"http://h:1/servers/a/sse"},"#
                    + #"{"name":"b","url":"http://h:1/servers/b/mcp","sse_url":"http://h:1/servers/b/sse","#
                    + #""own_url":"http://h:2/mcp"}],"#))
    }

    @Test("without sessions it says what is withheld besides")
    func stateless() {
        let text = ServeAnnouncement(
            printsJSON: false, readyFile: nil, isStateless: true, token: nil, showsToken: false
        ).text(servers, onTerminal: true)
        #expect(
            text.hasSuffix(
                "\nstateless: there are no sessions; withheld besides: subscriptions, log levels, notices of changed "
                    + "lists, cancellation by a message (close the connection)\n"))
    }

    @Test("a brief one has the addresses, and what the clients of a server without sessions have to know")
    func brief() {
        var announcement = ServeAnnouncement(
            printsJSON: false, readyFile: nil, isStateless: true, token: nil, showsToken: false)
        announcement.isBrief = true
        #expect(
            announcement.text(servers, onTerminal: true) == """
                serving 'time' at http://127.0.0.1:8080/servers/time/mcp
                over HTTP+SSE: 'time' at http://127.0.0.1:8080/servers/time/sse
                stateless: there are no sessions; withheld besides: subscriptions, log levels, notices of changed lists, \
                cancellation by a message (close the connection)

                """)
    }

    @Test("the line for programs is one object with servers, token and pid")
    func readyLine() {
        #expect(
            ReadyLine(servers: servers, token: token).text
                == #"{"servers":[{"name":"time","url":"http://127.0.0.1:8080/servers/time/mcp","#
                + #""sse_url":"http://127.0.0.1:8080/servers/time/sse"}],"token":"t0ken","#
                + #""pid":\#(getpid())}"# + "\n")
    }

    @Test("without authentication the token in the line for programs is null")
    func readyLineWithoutToken() {
        #expect(ReadyLine(servers: [], token: nil).text == #"{"servers":[],"token":null,"pid":\#(getpid())}"# + "\n")
    }
}
