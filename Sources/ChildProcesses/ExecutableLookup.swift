// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Finds the file of a program the way the child itself would.
///
/// It answers a path that existed at the time of asking; the spawn reports what changed since. It reads only file
/// metadata, and never Lodge's own PATH.
struct ExecutableLookup {
    private let name: String
    private let searchPath: String?
    private let workingDirectory: String?

    init(_ specification: ChildSpecification) {
        name = specification.executable
        searchPath = specification.environment["PATH"]
        workingDirectory = specification.workingDirectory
    }

    /// Answers the file to start, as the child will see it from its working directory.
    func find() throws(SpawnError) -> String {
        try checkWorkingDirectory()
        if name.utf8.contains(UInt8(ascii: "/")) {
            if let reason = obstacle(name) { throw error(reason, at: name) }
            return name
        }
        guard let searchPath else {
            throw SpawnError(
                .notFound, starting: name, "its environment has no PATH; give the full path or set PATH")
        }
        // A file that cannot be run does not end the search, as in a shell; the first such is named at the end.
        var unusable: (obstacle: Obstacle, path: String)?
        for directory in searchPath.split(separator: ":", omittingEmptySubsequences: false) {
            let path = directory.isEmpty ? "./\(name)" : "\(directory)/\(name)"
            guard let found = obstacle(path) else { return path }
            if found != .missing, unusable == nil { unusable = (found, path) }
        }
        if let unusable { throw error(unusable.obstacle, at: unusable.path) }
        throw SpawnError(
            .notFound, starting: name, "no such file in PATH; give the full path or install it")
    }

    private enum Obstacle { case missing, directory, notExecutable, unreachable }

    private func error(_ obstacle: Obstacle, at path: String) -> SpawnError {
        switch obstacle {
        case .missing:
            SpawnError(.notFound, starting: name, "no such file; check the path or install it")
        case .directory:
            SpawnError(.notExecutable, starting: name, "'\(path)' is a directory; name a program inside it")
        case .notExecutable:
            SpawnError(.notExecutable, starting: name, "'\(path)' is not executable; run 'chmod +x \(path)'")
        case .unreachable:
            SpawnError(
                .notExecutable, starting: name,
                "'\(path)' may not be reached; check the permissions of its directories")
        }
    }

    private func obstacle(_ path: String) -> Obstacle? {
        let (kind, problem) = Self.kind(of: seenFromHere(path))
        switch kind {
        case nil: return problem == EACCES ? .unreachable : .missing
        case S_IFDIR: return .directory
        case S_IFREG: return Self.mayExecute(seenFromHere(path)) ? nil : .notExecutable
        default: return .notExecutable
        }
    }

    private func checkWorkingDirectory() throws(SpawnError) {
        guard let workingDirectory else { return }
        let reason: String
        switch Self.kind(of: workingDirectory) {
        case (S_IFDIR, _):
            if Self.mayExecute(workingDirectory) { return }
            reason = "may not be entered; check its permissions"
        case (nil, EACCES): reason = "may not be reached; check the permissions above it"
        case (nil, _): reason = "does not exist; create it or name another"
        default: reason = "is not a directory; name another"
        }
        throw SpawnError(
            .badWorkingDirectory, starting: name, "working directory '\(workingDirectory)' \(reason)")
    }

    /// The child enters its working directory first, so a relative path starts there.
    private func seenFromHere(_ path: String) -> String {
        guard !path.hasPrefix("/"), let workingDirectory else { return path }
        return "\(workingDirectory)/\(path)"
    }

    private static func mayExecute(_ path: String) -> Bool {
        // Sound: the text lives until the call returns.
        unsafe access(path, X_OK) == 0
    }

    private static func kind(of path: String) -> (kind: mode_t?, error: Int32) {
        var status = stat()
        // Sound: `status` is a local that stat(2) fills.
        guard unsafe stat(path, &status) == 0 else { return (nil, errno) }
        return (status.st_mode & S_IFMT, 0)
    }
}
