// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import LodgeConfiguration
import Secrets
import Testing

@testable import LodgeCommands

@Suite("The options of a command")
struct OptionTests {
    private func serve(_ options: String...) throws -> ServeCommand {
        try #require(try LodgeCommand.parseAsRoot(["serve"] + options + ["--", "true"]) as? ServeCommand)
    }

    private static func refusal(_ arguments: [String]) -> String? {
        do {
            _ = try LodgeCommand.parseAsRoot(arguments)
            return nil
        } catch {
            return LodgeCommand.exitCode(for: error) == .validationFailure ? LodgeCommand.message(for: error) : nil
        }
    }

    @Test(
        "a wrong value is refused with what would do",
        arguments: [
            ("--restart-delays", "", "--restart-delays '' is not a list of seconds; write 1,2,4,8,15"),
            ("--restart-delays", "1,,2", "--restart-delays '1,,2' is not a list of seconds; write 1,2,4,8,15"),
            ("--restart-delays", "1,nan", "--restart-delays '1,nan' is not a list of seconds; write 1,2,4,8,15"),
            ("--restart-delays", "86401", "--restart-delays '86401' is not a list of seconds; write 1,2,4,8,15"),
            (
                "--log-level", "loud",
                "--log-level 'loud' is not a level; use trace, debug, info, notice, warning, error or critical"
            ),
            ("--log-format", "xml", "--log-format 'xml' is not a format; use text or json"),
            ("--body-limit", "0", "--body-limit must be at least 1 byte"),
            ("--call-timeout", "0", "a timeout must be more than 0 and at most 1000000 seconds"),
            ("--call-timeout-absolute", "nan", "a timeout must be more than 0 and at most 1000000 seconds"),
            ("--start-timeout", "1000001", "a timeout must be more than 0 and at most 1000000 seconds"),
            (
                "--listen", "0.0.0.0:80",
                "listening on 0.0.0.0 would carry tokens in clear beyond this machine; "
                    + "listen on 127.0.0.1 behind a TLS proxy, or add --insecure-listen"
            ),
        ])
    func wrongValue(option: String, value: String, message: String) {
        #expect(Self.refusal(["serve", option, value, "--", "true"]) == message)
    }

    @Test(
        "options that exclude each other are refused",
        arguments: [
            (
                ["--token-file", "f", "--token-env", "E"],
                "--token-file and --token-env exclude each other; give one"
            ),
            (
                ["--auth", "none", "--token-env", "E"],
                "--auth none takes no token; leave --token-file and --token-env out"
            ),
            (
                ["--auth", "none", "--token-file", "f"],
                "--auth none takes no token; leave --token-file and --token-env out"
            ),
            (
                ["--replicas", "3"],
                "--replicas is for --isolation pool; leave it out, or serve with --isolation pool"
            ),
            (["--isolation", "pool", "--replicas", "65"], "--replicas takes a number from 1 to 64"),
            (
                ["--isolation", "client", "--stateless"],
                "--stateless and --isolation client exclude each other: a process for each session needs sessions"
            ),
        ])
    func excluding(options: [String], message: String) {
        #expect(Self.refusal(["serve"] + options + ["--", "true"]) == message)
    }

    @Test("a command behind -- is needed", arguments: [[], [""]])
    func noCommand(command: [String]) {
        #expect(
            Self.refusal(["serve", "--"] + command)
                == "no server; write its command behind --, as in: lodge serve -- mcp-server-time,"
                + " or name a file of servers with --config")
        #expect(
            Self.refusal(["run", "--specs", "f", "--"] + command)
                == "no agent; write its command behind --, as in: lodge run --specs FILE -- claude -p TASK")
    }

    @Test("isolations without a process for each session go without sessions", arguments: ["shared", "call", "pool"])
    func stateless(isolation: String) throws {
        #expect(try serve("--isolation", isolation, "--stateless").isolation.rawValue == isolation)
    }

    @Test("listening beyond this machine is allowed by name")
    func insecureListen() throws {
        #expect(try serve("--listen", "0.0.0.0:80", "--insecure-listen").listen.host == "0.0.0.0")
    }

    @Test("what follows -- belongs to the server, also where it looks like an option")
    func serverArguments() throws {
        let command = try LodgeCommand.parseAsRoot(["serve", "--", "server", "--listen", "0.0.0.0:80"])
        #expect((command as? ServeCommand)?.command == ["server", "--listen", "0.0.0.0:80"])
    }

    @Test("a token is minted where none is given, and taken from the environment where one is")
    func token() throws {
        let minted = try #require(try serve().authentication.token(environment: ["E": "t0ken"]))
        #expect(minted.isMinted)
        #expect(minted.token.value.hasPrefix("lodge_"))
        let given = try #require(try serve("--token-env", "E").authentication.token(environment: ["E": "t0ken"]))
        #expect(!given.isMinted)
        #expect(given.token.value == "t0ken")
        #expect(try serve("--auth", "none").authentication.token(environment: [:]) == nil)
    }

    @Test(
        "a variable without a usable token is refused",
        arguments: [[:], ["E": ""], ["E": "a b"], ["E": "a!b"], ["E": "="]])
    func unusableToken(environment: [String: String]) throws {
        let options = try serve("--token-env", "E").authentication
        let failure = #expect(throws: CommandFailure.self) { _ = try options.token(environment: environment) }
        #expect(
            failure?.rendered == """
                error: the environment variable E holds no usable token
                hint: a token is made of letters, digits and -._~+/, with = at its end only

                """)
    }
}
