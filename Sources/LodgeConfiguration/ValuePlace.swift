// SPDX-License-Identifier: Apache-2.0

private import Secrets

/// Where in a server's configuration a value stands; it decides what the value may hold and how errors name it.
package struct ValuePlace: Hashable, Sendable {
    /// The member that the value belongs to.
    package enum Role: Hashable, Sendable {
        case environment(String)
        case header(String)
        case command
        /// Counted from 1.
        case argument(Int)
        case workingDirectory
        case url
    }

    /// The server as its author wrote it.
    package let server: String
    package let role: Role
    package let location: SourceLocation?

    package init(server: String, role: Role, location: SourceLocation? = nil) {
        self.server = server
        self.role = role
        self.location = location
    }

    /// How an error names the place, as in `server 'github': env GITHUB_TOKEN`.
    package var label: String {
        let member =
            switch role {
            case .environment(let name): "env \(name)"
            case .header(let name): "header \(name)"
            case .command: "command"
            case .argument(let number): "argument \(number)"
            case .workingDirectory: "cwd"
            case .url: "url"
            }
        return "server '\(server)': \(member)"
    }

    /// Tells whether a literal here is a secret because of the name that it stands under.
    package var namesCredential: Bool {
        switch role {
        case .environment(let name), .header(let name): CredentialNames.isCredential(name)
        case .command, .argument, .workingDirectory, .url: false
        }
    }

    /// Tells whether every process of the machine can read what stands here once the server runs.
    var isVisibleToOthers: Bool {
        switch role {
        case .command, .argument, .workingDirectory: true
        case .environment, .header, .url: false
        }
    }
}
