// SPDX-License-Identifier: Apache-2.0
import JSONRPC
import LodgeConfiguration

/// The servers of one mcp-proxy: those with names, and the default one.
struct MCPProxyServers {
    /// What the broker is told of them.
    struct Assembled {
        var specifications: [ServerSpecification] = []
        var defaultServer: ServerName?
        /// Names that are no server names of ours, each with the one that stands for it.
        var aliases: [String: String] = [:]
        var warnings: [String] = []
    }

    /// Names of variables that every server gets.
    let passed: [String]
    var warnings: [String] = []
    private var named: [(name: String, command: ServerCommand)] = []
    private var standard: ServerCommand?

    init(passed: [String]) { self.passed = passed }

    /// Adds one; a later one of the same name takes the place of the earlier.
    private mutating func add(_ name: String, _ command: ServerCommand) {
        if let index = named.firstIndex(where: { $0.name == name }) {
            named[index].command = command
        } else {
            named.append((name, command))
        }
    }

    mutating func add(_ name: String, commandLine: String) throws(DoorRefusal) {
        let words: [String]
        do throws(ShellWords.Failure) {
            words = try ShellWords.split(commandLine)
        } catch {
            let problem =
                switch error {
                case .openQuote: "a quotation that does not end"
                case .nothingEscaped: "a backslash with nothing behind it"
                }
            throw DoorRefusal("--named-server \(name): the command has \(problem)")
        }
        guard let program = words.first, !program.isEmpty else {
            return warnings.append("--named-server \(name) has no command and is left out")
        }
        add(name, ServerCommand(program: program, arguments: Array(words.dropFirst()), passed: passed))
    }

    /// Sets the server at the root paths, which alone gets `--env` and `--cwd`.
    mutating func setDefault(_ program: String, _ arguments: MCPProxyArguments) throws(DoorRefusal) {
        var command = ServerCommand(program: program, arguments: arguments.arguments, passed: passed)
        for (name, value) in arguments.environment {
            guard !name.isEmpty, !name.contains("=") else {
                throw MCPProxyArguments.usage("--env '\(name)' is not a name; write --env NAME VALUE")
            }
            command.environment[name] = value
        }
        command.workingDirectory = arguments.values[.cwd]
        standard = command
    }

    // MARK: The file

    /// Adds the servers of a file; an entry that is not usable is left out with a warning.
    mutating func add(file: String, content: [UInt8]?) throws(DoorRefusal) {
        guard let content else {
            throw DoorRefusal("the file '\(file)' cannot be read; name a readable file with --named-server-config")
        }
        let document: JSONValue
        do throws(ScanError) {
            document = try JSONValue.parse(content)
        } catch {
            throw DoorRefusal("the file '\(file)' is not JSON (byte \(error.offset))")
        }
        guard let entries = document["mcpServers"]?.members else {
            throw DoorRefusal("the file '\(file)' has no object 'mcpServers'; the servers stand in it by name")
        }
        for entry in entries {
            switch NamedServerEntry(entry.value, passed: passed) {
            case .usable(let command): add(entry.name, command)
            case .switchedOff: warnings.append("\(file): server '\(entry.name)' is switched off")
            case .unusable(let problem):
                warnings.append("\(file): server '\(entry.name)' is left out: \(problem)")
            }
        }
    }

    // MARK: Names

    func assembled() throws(DoorRefusal) -> Assembled {
        guard standard != nil || !named.isEmpty else {
            throw DoorRefusal("no server is left to be served", hints: warnings, help: MCPProxyHelp.text)
        }
        var result = Assembled(warnings: warnings)
        // A name that can be kept is not taken away by one that has to change.
        var names = FreeNames(taken: named.compactMap { try? ServerName($0.name) })
        if let standard {
            let name = names.free(like: "default")
            result.defaultServer = name
            result.specifications.append(try standard.specification(named: name))
        }
        for (written, command) in named {
            let name: ServerName
            if let own = try? ServerName(written) {
                name = own
            } else {
                name = names.free(like: written)
                result.aliases[written] = name.text
                result.warnings.append("server '\(written)' is '\(name)' in the log and in /status; both are its paths")
            }
            result.specifications.append(try command.specification(named: name))
        }
        return result
    }
}

/// Names that no other server has.
private struct FreeNames {
    private var taken: Set<ServerName>

    init(taken: [ServerName]) { self.taken = Set(taken) }

    /// The name itself, as far as it is one of ours; with a number where another server has it.
    mutating func free(like text: String) -> ServerName {
        let base = ServerName.slug(of: text) ?? .server
        var name = base
        var number = 2
        while !taken.insert(name).inserted {
            let suffix = "-\(number)"
            name = ServerName.slug(of: base.text.prefix(ServerName.maximumLength - suffix.count) + suffix) ?? .server
            number += 1
        }
        return name
    }
}
