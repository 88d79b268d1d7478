// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Looks at names in the file system without reading what is behind them.
package enum FileTree {
    package enum Kind: Hashable, Sendable {
        case file, directory, other
    }

    /// What a file is, and a number that is the same for all its names.
    package struct Entry: Hashable, Sendable {
        package var kind: Kind
        package var device: UInt64
        package var node: UInt64
    }

    /// The names in a directory, sorted, without `.` and `..`; empty when it cannot be read.
    package static func names(in path: String) -> [String] {
        guard let directory = unsafe opendir(path) else { return [] }
        defer { unsafe closedir(directory) }
        var names: [String] = []
        // An entry is valid until the next readdir on the same directory; its name is copied before that.
        while let entry = unsafe readdir(directory) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                unsafe pointer.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    /// What stands at a path; a link is followed only when `followsLinks` says so.
    package static func entry(_ path: String, followsLinks: Bool = false) -> Entry? {
        var status = stat()
        // Both calls only write to the local they are given.
        let code = unsafe followsLinks ? stat(path, &status) : lstat(path, &status)
        guard code == 0 else { return nil }
        let kind: Kind =
            switch status.st_mode & S_IFMT {
            case S_IFREG: .file
            case S_IFDIR: .directory
            default: .other
            }
        return Entry(kind: kind, device: UInt64(status.st_dev), node: UInt64(status.st_ino))
    }
}
