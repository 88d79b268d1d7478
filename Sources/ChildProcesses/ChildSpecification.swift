// SPDX-License-Identifier: Apache-2.0

/// Everything that decides how one child process is started.
///
/// It is not a command line: no shell reads it, and each argument reaches the program byte for byte.
package struct ChildSpecification: Hashable, Sendable {
    /// Where the child's standard streams lead.
    package enum Streams: Hashable, Sendable {
        /// Three pipes to Lodge.
        case piped
        /// Lodge's own three streams, for an agent on a terminal.
        case inherited
    }

    /// Which process group the child starts in.
    package enum Group: Hashable, Sendable {
        /// A new one, led by the child.
        case own
        /// A new session with a new group, away from any terminal.
        case session
        /// Lodge's own one, so that a terminal's Ctrl-C and Ctrl-Z reach both. See `forInheritedStreams(onTerminal:)`.
        case shared
    }

    /// A path, or a name without a slash that is looked up in the PATH of `environment`.
    package var executable: String
    package var arguments: [String]
    /// The whole environment; nothing is inherited. The marker is added to it.
    package var environment: [String: String]
    /// Nil is Lodge's own directory.
    package var workingDirectory: String?
    /// What the child's tree is found by: 1 to 64 letters, digits, `-` and `_`, of which no other child has the same.
    package var marker: String
    package var streams: Streams
    package var group: Group
    /// How many programs start one another until the one that is meant runs, as a sandbox's do.
    package var wrappers = 0

    package init(
        executable: String, arguments: [String] = [], environment: [String: String], workingDirectory: String? = nil,
        marker: String = ProcessMarker.random(), streams: Streams = .piped, group: Group = .own
    ) {
        self.executable = executable
        self.arguments = arguments
        self.environment = environment
        self.workingDirectory = workingDirectory
        self.marker = marker
        self.streams = streams
        self.group = group
    }
}

extension ChildSpecification.Group {
    /// Answers the group for a child that is given Lodge's own streams.
    ///
    /// On a terminal the agent stays in Lodge's group. The other way, a foreground group of its own, would make Lodge a
    /// second shell: it would have to hand the terminal over and back with every stop, and a killed Lodge would leave
    /// the terminal with a group that nobody continues. In one group the user's shell sees one job, Ctrl-C and Ctrl-Z
    /// reach both, and `fg` continues both. The price: Lodge must outlive SIGINT and SIGQUIT while the agent runs, and
    /// follow the agent when it stops itself alone, which `ChildProcess` does. Away from a terminal there is no job
    /// control, so the agent gets a group of its own, which can be signalled as a whole.
    package static func forInheritedStreams(onTerminal: Bool) -> Self { onTerminal ? .shared : .own }
}
