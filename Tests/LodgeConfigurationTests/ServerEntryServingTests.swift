// SPDX-License-Identifier: Apache-2.0

import LodgeConfiguration
import Testing

@Suite("How an entry is served")
struct ServerEntryServingTests {
    private func server(_ members: String) throws -> (server: ServerSpecification, warnings: [String]) {
        let (servers, warnings) = try parsed(#"{"mcpServers":{"a":{"command":"c",\#(members)}}}"#)
        return (try #require(servers.first), warnings)
    }

    @Test(
        "a port of its own comes from host_port, or from the options of a proxy",
        arguments: [
            (#""host_port":5101"#, 5101), (#""proxy_options":{"sse_port":5102}"#, 5102),
            (#""proxy_options":{"sse_port":5102},"host_port":1"#, 1), (#""host_port":null"#, nil),
        ])
    func hostPort(_ members: String, _ port: Int?) throws {
        #expect(try server(members).server.hostPort == port)
    }

    @Test("other options of a proxy are ignored with a warning")
    func proxyOptions() throws {
        #expect(
            try server(#""proxy_options":{"sse_host":"0.0.0.0"}"#).warnings
                == ["mcp.json:1:52: server 'a': 'sse_host' of proxy_options is ignored"])
    }

    @Test("what is no port is refused", arguments: ["0", "65536", "1.5", "\"5101\"", "-1"])
    func noPort(_ value: String) {
        #expect(
            refusal(#"{"mcpServers":{"a":{"command":"c","host_port":\#(value)}}}"#)
                == "mcp.json:1:47: server 'a': host_port must be a port from 1 to 65535")
    }

    @Test(
        "a pool has the replicas it names, and two without a number",
        arguments: [
            (#""isolation":"pool","replicas":64"#, 64), (#""isolation":"pool","replicas":1"#, 1),
            (#""isolation":"pool""#, 2), (#""isolation":"pool","replicas":null"#, 2),
        ])
    func replicas(_ members: String, _ count: Int) throws {
        let (server, warnings) = try server(members)
        #expect(server.isolation == .pool)
        #expect(server.replicas == count)
        #expect(warnings.isEmpty)
    }

    @Test("an entry that names no isolation gets that of the command line, with its replicas")
    func fallback() throws {
        let text = #"{"mcpServers":{"a":{"command":"c"},"b":{"command":"c","replicas":5}}}"#
        let servers = try SpecificationFile.read(
            Array(text.utf8), sourceName: "f", options: .init(isolation: .pool, replicas: 9)
        ).everyServer()
        #expect(servers.map(\.replicas) == [9, 5])
    }

    @Test(
        "a timeout in milliseconds is the call timeout",
        arguments: [("1000", 1000), ("600000", 600_000), ("1.5e3", 1500)])
    func timeout(_ written: String, _ milliseconds: Int) throws {
        let (server, warnings) = try server(#""timeout":\#(written)"#)
        #expect(server.callTimeout == .milliseconds(milliseconds))
        #expect(warnings.isEmpty)
    }

    @Test(
        "a timeout that makes no sense is ignored with a warning",
        arguments: ["60", "0", "-5", "1e300", "\"5 s\"", "{}"])
    func badTimeout(_ written: String) throws {
        let (server, warnings) = try server(#""timeout":\#(written)"#)
        #expect(server.callTimeout == nil)
        #expect(
            warnings == [
                "mcp.json:1:45: server 'a': timeout is ignored; it counts milliseconds, and at least 1000 of them"
            ])
    }

    @Test("a variable without braces is taken as it is written, with a warning")
    func dollar() throws {
        let (server, warnings) = try server(##""env":{"A":"$KEY","B":"$5","C":"${KEY}"}"##)
        #expect(try server.child().environment.mapValues(\.text) == ["A": "$KEY", "B": "$5", "C": "${KEY}"])
        #expect(
            warnings == [
                "mcp.json:1:46: server 'a': env A is taken as it is written; a variable is written ${NAME}"
            ])
    }

    @Test("requires is a list of names of variables")
    func requires() throws {
        #expect(try server(#""requires":["A","B_2"]"#).server.requires == ["A", "B_2"])
        #expect(
            refusal(#"{"mcpServers":{"a":{"command":"c","requires":["A B"]}}}"#)
                == "mcp.json:1:47: server 'a': requires has 'A B', which is not the name of a variable")
    }
}

@Suite("Which servers are served")
struct ServerChoiceTests {
    private func file(_ text: String) throws -> SpecificationFile {
        try SpecificationFile.read(Array(text.utf8), sourceName: "f")
    }

    private func choice(
        _ text: String, beside given: String? = nil, environment: [String: String] = [:]
    ) throws -> ServerChoice {
        let given = try given.map { name in
            let name = try ServerName(name)
            return ServerSpecification(
                name: name, transport: .child(try ChildSpecification(server: name, literal: "given", arguments: [])))
        }
        return ServerChoice(file: try file(text), beside: given, environment: environment)
    }

    private func refusal(_ choice: ServerChoice, default wanted: String? = nil, port: Int = 8080) -> String? {
        do { try choice.check(defaultServer: wanted, listenPort: port) } catch { return error.description }
        return nil
    }

    @Test("what is wrong with one leaves that one out")
    func alone() throws {
        let choice = try choice(#"[{"name":"a"},{"name":"b","command":"c"},{"name":"r","url":"https://h"}]"#)
        #expect(choice.servers.map(\.name.text) == ["b"])
        #expect(
            choice.notices.map(\.description) == [
                "f:1:2: server 'a' must have a command (left out)",
                "f:1:42: server 'r' is reached by HTTP, which this version cannot do yet; give it a command or leave it"
                    + " out (left out)",
            ])
        #expect(choice.notices.allSatisfy { $0.severity == .warning })
    }

    @Test("the server on the command line comes first and keeps its name")
    func given() throws {
        let choice = try choice(#"[{"name":"x","command":"c"},{"name":"y","command":"c"}]"#, beside: "y")
        #expect(choice.servers.map(\.name.text) == ["y", "x"])
        #expect(try choice.servers.first?.child().command.text == "given")
        #expect(
            choice.notices.map(\.description) == [
                "f:1:29: server name 'y' is that of the server on the command line; rename one of them (left out)"
            ])
    }

    @Test("requires decides by variables that are set and not empty")
    func requires() throws {
        let text = #"[{"name":"x","command":"c","requires":["A","B"]},{"name":"y","command":"c","requires":[]}]"#
        #expect(try choice(text, environment: ["A": "1", "B": "2"]).servers.map(\.name.text) == ["y", "x"])
        let some = try choice(text, environment: ["A": "1", "B": ""])
        #expect(some.servers.map(\.name.text) == ["y"])
        #expect(some.notices.map(\.severity) == [.warning])
        let none = try choice(text)
        #expect(none.servers.map(\.name.text) == ["y"])
        #expect(none.notices.map(\.severity) == [.info])
    }

    @Test("the default has to be one of them")
    func defaultServer() throws {
        let choice = try choice(#"[{"name":"x","command":"c"},{"name":"y","command":"c"}]"#)
        #expect(refusal(choice, default: "y") == nil)
        #expect(refusal(choice, default: "z") == "--default 'z' is none of the servers: x, y")
    }

    @Test("no two have one port")
    func ports() throws {
        let choice = try choice(
            #"[{"name":"x","command":"c","host_port":1},{"name":"y","command":"c","host_port":1}]"#)
        #expect(refusal(choice) == "f:1:43: servers 'x' and 'y' have one host_port, 1; give each its own")
        #expect(
            refusal(choice, port: 1)
                == "f:1:2: server 'x' has the host_port 1, which is the port of --listen; give it another")
    }
}
