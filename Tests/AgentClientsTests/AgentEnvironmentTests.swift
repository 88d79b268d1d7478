// SPDX-License-Identifier: Apache-2.0

import AgentClients
import Testing

@Suite("AgentEnvironment")
struct AgentEnvironmentTests {
    private let direct = ["NO_PROXY": "127.0.0.1,localhost", "no_proxy": "127.0.0.1,localhost"]

    private func build(
        _ inherited: [String: String], secrets: [String] = [], passed: Set<String> = [], forced: [String: String] = [:]
    ) -> AgentEnvironment {
        .build(inherited: inherited, knownSecrets: secrets, passed: passed, forced: forced)
    }

    @Test("plain variables stay")
    func plain() {
        let environment = build(["HOME": "/h", "EMPTY": ""], secrets: ["", "canary"])
        #expect(environment.variables == direct.merging(["HOME": "/h", "EMPTY": ""]) { $1 })
        #expect(environment.dropped.isEmpty)
    }

    @Test("a known secret is dropped under any name, alone or inside a value")
    func known() {
        let environment = build(
            ["A": "canary-1", "URL": "postgres://u:canary-1@h/", "B": "canary-"], secrets: ["canary-1"])
        #expect(environment.variables == direct.merging(["B": "canary-"]) { $1 })
        #expect(environment.dropped.map(\.name) == ["A", "URL"])
        #expect(environment.dropped.allSatisfy { $0.reason == .holdsKnownSecret })
    }

    @Test("a very short secret is dropped as a whole value only")
    func short() {
        #expect(build(["A": "xy", "B": "xyz"], secrets: ["xy"]).dropped.map(\.name) == ["A"])
    }

    @Test("a name that names a credential is dropped unless it is passed")
    func names() {
        let inherited = ["ANTHROPIC_API_KEY": "k", "GH_TOKEN": "t"]
        let environment = build(inherited, passed: ["ANTHROPIC_API_KEY"])
        #expect(environment.variables == direct.merging(["ANTHROPIC_API_KEY": "k"]) { $1 })
        #expect(environment.dropped.map(\.name) == ["GH_TOKEN"])
        #expect(environment.dropped.map(\.reason) == [.namesCredential])
    }

    @Test("passing a name does not pass a secret of a server")
    func passedSecret() {
        let environment = build(["ANTHROPIC_API_KEY": "canary-1"], secrets: ["canary-1"], passed: ["ANTHROPIC_API_KEY"])
        #expect(environment.variables == direct)
        #expect(environment.dropped.map(\.reason) == [.holdsKnownSecret])
    }

    @Test("forced beats inherited and is not reported as dropped")
    func forced() {
        let environment = build(["LODGE_TOKEN": "old", "A": "old"], forced: ["LODGE_TOKEN": "new", "A": "new"])
        #expect(environment.variables == direct.merging(["LODGE_TOKEN": "new", "A": "new"]) { $1 })
        #expect(environment.dropped.isEmpty)
    }

    @Test(
        "loopback bypasses the proxy in both cases, beside what was there",
        arguments: [
            (["NO_PROXY": "a, b"], "a,b,127.0.0.1,localhost", "a,b,127.0.0.1,localhost"),
            (["no_proxy": "a"], "a,127.0.0.1,localhost", "a,127.0.0.1,localhost"),
            (["NO_PROXY": "a", "no_proxy": "localhost,"], "a,127.0.0.1,localhost", "localhost,127.0.0.1"),
            (["NO_PROXY": "*"], "*", "*"), (["NO_PROXY": ""], "127.0.0.1,localhost", "127.0.0.1,localhost"),
        ])
    func proxies(_ inherited: [String: String], _ upper: String, _ lower: String) {
        let variables = build(inherited).variables
        #expect(variables["NO_PROXY"] == upper)
        #expect(variables["no_proxy"] == lower)
    }
}
