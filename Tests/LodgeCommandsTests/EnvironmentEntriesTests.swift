// SPDX-License-Identifier: Apache-2.0
import Foundation
import LodgeConfiguration
import Testing

@testable import LodgeCommands

@Suite("What --env and --env-file name")
struct EnvironmentEntriesTests {
    private let server: ServerName
    private let environment = ["TOKEN": "1", "NAME": "2", "PATH": "3", "API_KEY": "4", "A": "5", "B": "6"]

    init() throws { server = try ServerName("time") }

    private func entries(_ flags: [String] = [], file: String? = nil) throws -> EnvironmentEntries {
        try EnvironmentEntries(server: server, flags: flags, file: file, environment: environment)
    }

    private func entries(_ flags: [String] = [], ofFile text: String) throws -> EnvironmentEntries {
        try inFile(text) { try entries(flags, file: $0) }
    }

    private func inFile<Result>(_ text: String, _ body: (String) throws -> Result) throws -> Result {
        let file = FileManager.default.temporaryDirectory.appending(path: "lodge-test-\(UUID().uuidString)")
        try Data(text.utf8).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        return try body(file.path(percentEncoded: false))
    }

    /// Literal values, as a server would get them.
    private func values(_ entries: EnvironmentEntries) throws -> [String: String] {
        try entries.values.mapValues { value in
            try value.resolve(environment: [:]) { _ in [] }.value
        }
    }

    private func refusal(_ body: () throws -> EnvironmentEntries) -> String? {
        let failure = #expect(throws: CommandFailure.self) { _ = try body() }
        #expect(failure?.status == 2)
        return failure?.rendered
    }

    @Test("a NAME is passed on, a NAME=VALUE is set")
    func flags() throws {
        let entries = try entries(["API_KEY", "MODE=fast", "EMPTY=", "QUERY=a=b"])
        #expect(entries.passed == ["API_KEY"])
        #expect(try values(entries) == ["MODE": "fast", "EMPTY": "", "QUERY": "a=b"])
    }

    @Test("a reference in a value is text", arguments: ["${HOME}", "a${", "$${X}", "$"])
    func noReferences(text: String) throws {
        #expect(try values(try entries(["X=\(text)"])) == ["X": text])
    }

    @Test("a credential in the command line is refused", arguments: ["API_KEY", "github_token", "DB_PASSWORD"])
    func credential(name: String) {
        #expect(
            refusal { try entries(["\(name)=s3cret"]) } == """
                error: --env \(name)=… would put a credential into the process list
                hint: export \(name) and pass --env \(name), or put it into a file for --env-file

                """)
    }

    @Test(
        "an --env without a name is refused",
        arguments: [("", "--env needs a NAME or NAME=VALUE"), ("=x", "--env '=x' has no name before the '='")])
    func noName(flag: String, message: String) {
        #expect(refusal { try entries([flag]) } == "error: \(message)\n")
    }

    @Test("a file holds NAME=VALUE lines, credentials as well; blank lines and comments are passed over")
    func file() throws {
        let entries = try entries(ofFile: "# keys\n\nAPI_KEY=s3cret\n  MODE=a b \n\t# more\nQUERY=a=b\nEMPTY=")
        #expect(entries.passed.isEmpty)
        #expect(try values(entries) == ["API_KEY": "s3cret", "MODE": "a b", "QUERY": "a=b", "EMPTY": ""])
    }

    @Test("lines of a file may end in CR and line feed")
    func windowsFile() throws {
        #expect(try values(try entries(ofFile: "# keys\r\nA=1\r\n\r\nB=2\r\n")) == ["A": "1", "B": "2"])
    }

    @Test("a flag wins over the file")
    func flagWins() throws {
        #expect(try values(try entries(["MODE=flag"], ofFile: "MODE=file\n")) == ["MODE": "flag"])
    }

    @Test("a line that is not NAME=VALUE is refused with its number", arguments: ["NAME", "=value"])
    func wrongLine(line: String) throws {
        try inFile("A=1\n# b\n\(line)\n") { path in
            #expect(
                refusal { try entries(file: path) }
                    == "error: \(path):3: the line is not NAME=VALUE; correct or remove it\n")
        }
    }

    @Test("a file that others may read is used with a warning that mends it")
    func openFile() throws {
        try inFile("A=1") { path in
            for (mode, warnings) in [
                (0o600, []), (0o644, ["env file '\(path)' is open to other users; run: chmod 600 '\(path)'"]),
            ] {
                try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
                let entries = try entries(file: path)
                #expect(try values(entries) == ["A": "1"])
                #expect(entries.warnings == warnings)
            }
        }
    }

    @Test("a file that cannot be read is refused")
    func noFile() {
        #expect(
            refusal { try entries(file: "/nowhere/file") }
                == "error: the file '/nowhere/file' cannot be read; name a readable text file\n")
    }

    @Test("a variable that is to be passed and is not set is refused")
    func unset() {
        #expect(
            refusal { try entries(["NOT_SET"]) } == """
                error: --env NOT_SET names a variable that is not set
                hint: export NOT_SET, or leave --env NOT_SET out

                """)
    }
}
