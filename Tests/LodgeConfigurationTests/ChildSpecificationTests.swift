// SPDX-License-Identifier: Apache-2.0

import LodgeConfiguration
import Testing

@Suite("ChildSpecification")
struct ChildSpecificationTests {
    private let own = ["GITHUB_TOKEN": "t0ken", "HTTP_PROXY": "http://p", "HOME": "/h", "OTHER_SECRET": "x"]

    private func child(env: String, passing names: [String] = []) throws -> ChildSpecification {
        let json =
            #"{"mcpServers":{"a":{"command":"${HOME}/bin/c","args":["${HOME}","b c"],"cwd":"${HOME}/w""#
            + #","env":\#(env)}}}"#
        var child = try #require(try SpecificationFile.parse(Array(json.utf8), sourceName: "f").servers.first).child()
        child.passThrough = names
        return child
    }

    private func resolve(_ child: ChildSpecification) throws -> ResolvedChild {
        try child.resolve(environment: own) { _ in [] }
    }

    @Test("everything is resolved, and the environment is what is named and nothing else")
    func resolves() throws {
        let resolved = try resolve(
            child(env: #"{"TOKEN":"${GITHUB_TOKEN}","LEVEL":"debug"}"#, passing: ["HTTP_PROXY", "NONE"]))
        #expect(resolved.command == "/h/bin/c")
        #expect(resolved.arguments == ["/h", "b c"])
        #expect(resolved.workingDirectory == "/h/w")
        #expect(
            resolved.environment.mapValues(\.value) == ["TOKEN": "t0ken", "LEVEL": "debug", "HTTP_PROXY": "http://p"])
        #expect(resolved.secrets.map(\.name) == ["TOKEN"])
        #expect(resolved.secrets.map(\.value) == ["t0ken"])
    }

    @Test("what was named by itself is a secret, whatever its name, and may be empty where that names no credential")
    func namedByItself() throws {
        var child = try child(env: "{}", passing: ["HTTP_PROXY", "EMPTY"])
        child.namesReferences = true
        let resolved = try child.resolve(environment: own.merging(["EMPTY": ""]) { $1 }) { _ in [] }
        #expect(resolved.secrets.map(\.name) == ["HTTP_PROXY"])
        #expect(resolved.environment["EMPTY"]?.value == "")
    }

    @Test("a value of the specification wins over one that is passed on")
    func wins() throws {
        let resolved = try resolve(child(env: #"{"HTTP_PROXY":"mine"}"#, passing: ["HTTP_PROXY"]))
        #expect(resolved.environment["HTTP_PROXY"]?.value == "mine")
    }

    @Test("a credential that is passed on is a secret")
    func passedSecret() throws {
        #expect(try resolve(child(env: "{}", passing: ["OTHER_SECRET"])).secrets.map(\.name) == ["OTHER_SECRET"])
    }

    @Test("an empty credential that is to be passed on refuses the start")
    func passedEmpty() throws {
        let child = try child(env: "{}", passing: ["A_KEY"])
        let message =
            "server 'a': the variable A_KEY, which is to be passed on, is empty; give it a value or do not pass it"
        #expect(throws: ConfigurationError(.unresolved, message)) {
            try child.resolve(environment: ["A_KEY": "", "HOME": "/h"]) { _ in [] }
        }
    }

    @Test("a command line is taken word for word")
    func literal() throws {
        let child = try ChildSpecification(server: ServerName("a"), literal: "c", arguments: ["${TOKEN}", "$${x", "$"])
        #expect(try resolve(child).arguments == ["${TOKEN}", "$${x", "$"])
    }

    @Test("the files that references name are told, each once, with the home put in, and nothing else is")
    func secretFiles() throws {
        let json = #"""
            {"mcpServers":{"a":{"command":"c","env":{
              "A_KEY":"${file:~/k}","B_KEY":"x${file:/run/b}y","C_KEY":"${file:~/k}","D":"$${file:/no}","E":"${HOME}"}}}}
            """#
        let server = try #require(try SpecificationFile.parse(Array(json.utf8), sourceName: "f").servers.first)
        #expect(server.secretFiles(home: "/h") == ["/h/k", "/run/b"])
        #expect(server.secretFiles(home: nil) == ["/run/b", "~/k"])
    }
}
