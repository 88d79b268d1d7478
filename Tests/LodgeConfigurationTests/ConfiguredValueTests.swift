// SPDX-License-Identifier: Apache-2.0

import LodgeConfiguration
import Testing

@Suite("ConfiguredValue")
struct ConfiguredValueTests {
    private struct NoSuchFile: Error, CustomStringConvertible { let description = "no such file" }

    private func resolve(
        _ text: String, _ role: ValuePlace.Role = .environment("PLAIN"), environment: [String: String] = [:],
        files: [String: String] = [:]
    ) throws -> ResolvedValue {
        try ConfiguredValue(text, at: ValuePlace(server: "x", role: role)).resolve(environment: environment) { path in
            guard let content = files[path] else { throw NoSuchFile() }
            return Array(content.utf8)
        }
    }

    private func message(_ body: () throws -> Void) -> String? {
        do { try body() } catch { return "\(error)" }
        return nil
    }

    @Test("a literal is itself, and plain under a plain name")
    func literal() throws {
        #expect(try resolve("a $b {c} $") == ResolvedValue(value: "a $b {c} $", isSecret: false))
    }

    @Test("a literal under a name that names a credential is a secret")
    func credentialLiteral() throws {
        #expect(try resolve("v", .environment("API_KEY")).isSecret)
        #expect(try resolve("v", .header("Authorization")).isSecret)
    }

    @Test(
        "each form of reference gives its value and makes a secret",
        arguments: ["${V}", "${env:V}", "${V:-d}", "${file:/f}"])
    func references(_ text: String) throws {
        let resolved = try resolve("<\(text)>", environment: ["V": "value"], files: ["/f": "value\n"])
        #expect(resolved == ResolvedValue(value: "<value>", isSecret: true))
    }

    @Test(
        "a default is used when the variable is unset or empty, and is as plain as a literal",
        arguments: [[:], ["V": ""]])
    func fallback(_ environment: [String: String]) throws {
        #expect(try resolve("${V:-a:-b}", environment: environment) == ResolvedValue(value: "a:-b", isSecret: false))
        #expect(try resolve("${V:-}", environment: environment).value == "")
    }

    @Test(
        "settings of the machine are not secrets, however they are referred to", arguments: ["${HOME}", "${env:HOME}"])
    func plainVariable(_ text: String) throws {
        #expect(try resolve("\(text)/x", environment: ["HOME": "/h"]) == ResolvedValue(value: "/h/x", isSecret: false))
    }

    @Test("$${ is a literal ${")
    func escape() throws {
        #expect(
            try resolve("a$${V}$$b", environment: ["V": "value"]) == ResolvedValue(value: "a${V}$$b", isSecret: false))
    }

    @Test("several references and literals join in order")
    func joined() throws {
        #expect(try resolve("${A}:${B}@h", environment: ["A": "u", "B": "p"]).value == "u:p@h")
    }

    @Test("what a variable holds is not resolved again")
    func notTwice() throws {
        #expect(try resolve("${A}", environment: ["A": "${B}", "B": "x"]).value == "${B}")
    }

    @Test("a variable that is not set or empty refuses the start")
    func unresolved() {
        #expect(
            message { _ = try resolve("${V}") }
                == "server 'x': env PLAIN needs the variable V, which is not set; set it where Lodge runs")
        #expect(
            message { _ = try resolve("${env:V}", environment: ["V": ""]) }
                == "server 'x': env PLAIN needs the variable V, which is empty; set it where Lodge runs")
    }

    @Test("an empty secret refuses the start, by whichever way it became empty", arguments: ["", "${V:-}"])
    func emptySecret(_ text: String) {
        #expect(
            message { _ = try resolve(text, .environment("TOKEN")) }
                == "server 'x': env TOKEN is a secret and empty; give it a value or remove it")
    }

    @Test("a file that is missing, empty or no text refuses the start")
    func files() {
        #expect(
            message { _ = try resolve("${file:/none}") }
                == "server 'x': env PLAIN needs a file that cannot be used: no such file")
        #expect(
            message { _ = try resolve("${file:/f}", files: ["/f": "\n"]) }
                == "server 'x': env PLAIN needs the file '/f', which is empty; write the secret into it")
        #expect(
            message { _ = try resolve("${file:/f}", files: ["/f": "a\u{0}b"]) }
                == "server 'x': env PLAIN needs the file '/f', which is not text; name the right file")
    }

    @Test("~ in a file reference is the home of Lodge")
    func home() throws {
        #expect(try resolve("${file:~/t}", environment: ["HOME": "/h"], files: ["/h/t": "s"]).value == "s")
    }

    @Test("the vault and commands are refused with the way out")
    func unsupported() {
        #expect(
            message { _ = try resolve("${secret:github}") }
                == "server 'x': ${secret:github} needs the vault, which this version does not have yet;"
                + " use ${env:NAME} or ${file:PATH}")
        #expect(
            message { _ = try resolve("${exec:pass show x}") }
                == "server 'x': ${exec:…} is refused in an imported file, since it would run a command;"
                + " use ${env:NAME} or ${file:PATH}")
    }

    @Test(
        "a reference that is no reference is refused",
        arguments: ["${}", "${a b}", "${1A}", "${env:}", "${file:}"])
    func unknown(_ text: String) {
        #expect(
            message { _ = try resolve(text) }
                == "server 'x': env PLAIN has \(text), which Lodge cannot resolve; use ${env:NAME} or ${file:PATH},"
                + " or '$${' for a literal '${'")
    }

    @Test("a reference without an end is refused")
    func unfinished() {
        #expect(
            message { _ = try resolve("a${V") }
                == "server 'x': env PLAIN has a '${' without '}'; write '$${' for a literal '${'")
    }

    @Test("a credential is refused on a command line")
    func visible() {
        #expect(
            message { _ = try resolve("--key=${API_KEY}", .argument(2)) }
                == "server 'x': argument 2 would put API_KEY on the command line, where every process can read it;"
                + " put it under env")
        #expect(
            message { _ = try resolve("${file:/f}", .argument(1)) }
                == "server 'x': argument 1 would put the content of '/f' on the command line, where every process can"
                + " read it; put it under env")
    }

    @Test("another variable on a command line is plain")
    func argument() throws {
        #expect(
            try resolve("${ROOT}", .argument(1), environment: ["ROOT": "/r"])
                == ResolvedValue(value: "/r", isSecret: false))
    }

    @Test("a NUL character is refused, since a system call would cut the value there")
    func nul() {
        #expect(message { _ = try resolve("a\u{0}b") } == "server 'x': env PLAIN holds a NUL character; remove it")
    }

    @Test("printing a secret shows nothing of it")
    func withheld() {
        #expect("\(ResolvedValue(value: "s", isSecret: true))" == "ResolvedValue(withheld)")
    }
}
