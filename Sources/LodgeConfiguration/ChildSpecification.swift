// SPDX-License-Identifier: Apache-2.0

private import Secrets

/// How to start a server that is a process of this machine.
///
/// Its environment is what it is given here and nothing that Lodge happens to have; what every child gets beside it
/// (`PATH`, `HOME` …) is the concern of whoever starts it.
package struct ChildSpecification: Hashable, Sendable {
    package var command: ConfiguredValue
    package var arguments: [ConfiguredValue]
    package var environment: [String: ConfiguredValue]
    /// Names taken from Lodge's own environment where it has them; `environment` wins.
    package var passThrough: [String]
    /// Whether each name of `passThrough` was given by itself, which makes its value a secret as a reference would.
    package var namesReferences = false
    package var workingDirectory: ConfiguredValue?

    package init(
        command: ConfiguredValue, arguments: [ConfiguredValue] = [], environment: [String: ConfiguredValue] = [:],
        passThrough: [String] = [], workingDirectory: ConfiguredValue? = nil
    ) {
        self.command = command
        self.arguments = arguments
        self.environment = environment
        self.passThrough = passThrough
        self.workingDirectory = workingDirectory
    }

    /// A server given as a command line, every word of it a literal.
    package init(server: ServerName, literal command: String, arguments: [String]) throws(ConfigurationError) {
        func value(_ text: String, _ role: ValuePlace.Role) throws(ConfigurationError) -> ConfiguredValue {
            let escaped = text.replacing("${", with: "$${")
            return try ConfiguredValue(escaped, at: ValuePlace(server: server.text, role: role))
        }
        var words: [ConfiguredValue] = []
        for (index, argument) in arguments.enumerated() { words.append(try value(argument, .argument(index + 1))) }
        self.init(command: try value(command, .command), arguments: words)
    }

    /// Resolves every value; the first that cannot be resolved, in a stable order, is the error.
    package func resolve(
        environment own: [String: String], readFile: (String) throws -> [UInt8]
    ) throws(ConfigurationError) -> ResolvedChild {
        func resolved(_ value: ConfiguredValue) throws(ConfigurationError) -> ResolvedValue {
            try value.resolve(environment: own, readFile: readFile)
        }
        var words: [String] = []
        for argument in arguments { words.append(try resolved(argument).value) }
        var variables: [String: ResolvedValue] = [:]
        for name in passThrough {
            guard let value = own[name] else { continue }
            let isCredential = CredentialNames.isCredential(name)
            guard !isCredential || !value.isEmpty else {
                throw ConfigurationError(
                    .unresolved,
                    "server '\(command.place.server)': the variable \(name), which is to be passed on, is empty;"
                        + " give it a value or do not pass it")
            }
            variables[name] = ResolvedValue(
                value: value, isSecret: isCredential || namesReferences && !value.isEmpty)
        }
        for name in environment.keys.sorted() {
            guard let value = environment[name] else { continue }
            variables[name] = try resolved(value)
        }
        let directory: String?
        if let workingDirectory { directory = try resolved(workingDirectory).value } else { directory = nil }
        return ResolvedChild(
            command: try resolved(command).value, arguments: words, environment: variables, workingDirectory: directory)
    }
}

/// What a child is started with, secrets in clear: it lives from the start of an upstream to the next.
package struct ResolvedChild: Hashable, Sendable {
    package var command: String
    package var arguments: [String]
    package var environment: [String: ResolvedValue]
    package var workingDirectory: String?

    /// The secrets among its environment, by name, for a redactor.
    package var secrets: [(name: String, value: String)] {
        environment.filter(\.value.isSecret).map { (name: $0.key, value: $0.value.value) }.sorted { $0.name < $1.name }
    }
}
