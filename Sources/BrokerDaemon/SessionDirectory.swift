// SPDX-License-Identifier: Apache-2.0
import Foundation

/// The directory of one agent session: the agent's config lies in it, and it goes with the session.
///
/// All sessions of a user stand under one parent, so that a sandbox can hide the others at once. Both are for the owner
/// only.
struct SessionDirectory: Sendable {
    /// What holds every session of this user.
    let parent: String
    let path: String

    /// - Parameter root: the place for temporary files, which others may write to as well.
    init(
        in root: String = FileManager.default.temporaryDirectory.path(percentEncoded: false)
    ) throws(AgentSession.Failure) {
        parent = URL(filePath: root).appending(path: "lodge-\(getuid())").path(percentEncoded: false)
        path = parent + "/run-" + String(UInt64.random(in: .min ... .max), radix: 36)
        // More than once, since another session that ends may take the parent away in between.
        for _ in 0..<16 {
            guard unsafe mkdir(parent, 0o700) == 0 || (errno == EEXIST && Self.isOwn(parent)) else {
                throw Self.unusable(parent)
            }
            if unsafe mkdir(path, 0o700) == 0 { return }
            guard errno == ENOENT else { throw Self.unusable(path) }
        }
        throw Self.unusable(path)
    }

    private static func unusable(_ directory: String) -> AgentSession.Failure {
        AgentSession.Failure(
            message: "the directory '\(directory)' cannot be used for the session's files",
            hints: ["remove it, or name another place in TMPDIR"])
    }

    /// Whether a directory is ours alone: somebody else could have made it first.
    private static func isOwn(_ path: String) -> Bool {
        var facts = stat()
        guard unsafe lstat(path, &facts) == 0 else { return false }
        return facts.st_mode & S_IFMT == S_IFDIR && facts.st_uid == getuid() && facts.st_mode & 0o077 == 0
    }

    func remove() {
        // What cannot be removed holds no secret; the parent goes with its last session.
        try? FileManager.default.removeItem(atPath: path)
        _ = unsafe rmdir(parent)
    }
}
