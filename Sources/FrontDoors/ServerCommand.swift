// SPDX-License-Identifier: Apache-2.0
import LodgeConfiguration
import Secrets

/// A server as a door's command line or file describes it: every word a literal.
struct ServerCommand {
    var program: String
    var arguments: [String] = []
    var environment: [String: String] = [:]
    var workingDirectory: String?
    /// Names of variables that are passed on.
    var passed: [String] = []

    func specification(named name: ServerName) throws(DoorRefusal) -> ServerSpecification {
        do throws(ConfigurationError) {
            var child = try ChildSpecification(server: name, literal: program, arguments: arguments)
            for (variable, value) in environment {
                child.environment[variable] = try Self.literal(value, name, .environment(variable))
            }
            child.passThrough = passed
            if let workingDirectory {
                child.workingDirectory = try Self.literal(workingDirectory, name, .workingDirectory)
            }
            return ServerSpecification(name: name, transport: .child(child))
        } catch {
            throw DoorRefusal(error.description)
        }
    }

    private static func literal(
        _ text: String, _ name: ServerName, _ role: ValuePlace.Role
    ) throws(ConfigurationError) -> ConfiguredValue {
        try ConfiguredValue(text.replacing("${", with: "$${"), at: ValuePlace(server: name.text, role: role))
    }

    /// Every variable of an environment, but for those that a door keeps to itself.
    ///
    /// A credential that is empty is left out: passed on by name, it would refuse the server's start.
    static func whole(_ environment: [String: String], without own: Set<String> = []) -> [String] {
        environment.filter { name, value in
            !own.contains(name) && !(value.isEmpty && CredentialNames.isCredential(name))
        }.keys.sorted()
    }
}
