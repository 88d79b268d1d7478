// SPDX-License-Identifier: Apache-2.0

/// What this machine can confine an agent with, as `SandboxProbe` has seen it work.
package enum SandboxCapability: Hashable, Sendable {
    /// bubblewrap 0.5 or later.
    case bubblewrap(path: String, tools: SandboxTools)
    /// util-linux `unshare` 2.38 or later, as root or with a user namespace.
    case unshare(path: String, userNamespaces: Bool, tools: SandboxTools)
    /// Nothing works; the reason is one sentence for people.
    case none(reason: String)
}

/// The system's own programs that a launch goes through, by absolute path.
package struct SandboxTools: Hashable, Sendable {
    package var shell: String
    package var env: String
    package var mount: String
    package var setpriv: String

    package init(shell: String, env: String, mount: String, setpriv: String) {
        self.shell = shell
        self.env = env
        self.mount = mount
        self.setpriv = setpriv
    }
}

/// Who the agent runs as, which is who Lodge runs as.
package struct SandboxUser: Hashable, Sendable {
    package var userID: UInt32
    package var groupID: UInt32
    package var isRoot: Bool { userID == 0 }

    package init(userID: UInt32, groupID: UInt32) {
        self.userID = userID
        self.groupID = groupID
    }
}

/// What the user asked for with `--sandbox`.
package enum SandboxMode: String, Hashable, Sendable, CaseIterable {
    /// Confine the agent if the machine can, and say so if it cannot.
    case auto
    /// Refuse to start an agent that is not confined.
    case required
    /// Start the agent as it is.
    case off
}

/// An agent cannot be started as asked; the message says what would make it possible.
package struct SandboxError: Error, Hashable, Sendable, CustomStringConvertible {
    package let message: String

    package init(_ message: String) { self.message = message }

    package var description: String { message }
}
