// SPDX-License-Identifier: Apache-2.0

#if canImport(Darwin)
    private import Darwin
#else
    private import Glibc
#endif

/// What a plan needs to know of the file system, so that planning itself touches nothing.
package struct PathFacts: Sendable {
    /// Something that exists.
    package struct Fact: Hashable, Sendable {
        /// Absolute and without links.
        package var path: String
        package var isDirectory: Bool

        package init(path: String, isDirectory: Bool) {
            self.path = path
            self.isDirectory = isDirectory
        }
    }

    /// Returns what there is at a path, links followed; nil if there is nothing or it cannot be told.
    package let look: @Sendable (String) -> Fact?

    package init(look: @escaping @Sendable (String) -> Fact?) { self.look = look }

    /// The facts of the machine at the time of the call.
    package static let live = PathFacts { path in
        var status = stat()
        guard unsafe stat(path, &status) == 0, let resolved = unsafe realpath(path, nil) else { return nil }
        // Sound: realpath(3) returned a C string that we own, and it is freed once, after the copy.
        defer { unsafe free(resolved) }
        return unsafe Fact(path: String(cString: resolved), isDirectory: status.st_mode & S_IFMT == S_IFDIR)
    }
}
