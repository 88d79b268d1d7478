// SPDX-License-Identifier: Apache-2.0

import FixtureKit

extension Hunt {
    /// Looks at the files below the home, working and temporary directories, those near the top first.
    mutating func searchFiles() {
        let roots = [
            ProcessState.workingDirectory, ProcessState.environmentVariable("HOME"),
            ProcessState.environmentVariable("TMPDIR") ?? "/tmp",
        ]
        var directories = roots.compactMap(\.self).filter { $0.hasPrefix("/") }
        var visited: Set<FileTree.Entry> = []
        var files = 0
        var next = 0
        while next < directories.count, files < Self.fileLimit {
            let directory = directories[next]
            next += 1
            guard !Self.isKernel(directory), let entry = FileTree.entry(directory, followsLinks: true),
                entry.kind == .directory, visited.insert(entry).inserted
            else { continue }
            for name in FileTree.names(in: directory) {
                let path = directory == "/" ? "/\(name)" : "\(directory)/\(name)"
                // Links are not followed: what they lead to is found where it is, or is outside.
                switch FileTree.entry(path)?.kind {
                case .directory: directories.append(path)
                case .file where files < Self.fileLimit:
                    files += 1
                    look(atFile: path, "file", "files")
                default: break
                }
            }
        }
    }

    /// Whether a directory holds not files but views of the kernel, which have a search of their own or no end.
    private static func isKernel(_ path: String) -> Bool {
        ["/proc", "/sys", "/dev"].contains { path == $0 || path.hasPrefix("\($0)/") }
    }
}
