// SPDX-License-Identifier: Apache-2.0

import FixtureKit
import Glibc

/// The programs that a run starts, as they were built beside this one, and a folder for what lodge logs.
struct Products {
    let lodge: String
    let fixture: String
    /// This program, which is a server too.
    let chaos: String
    let scratch: String

    init() throws(SystemError) {
        chaos = Self.ownPath()
        let beside = String(chaos.prefix(upTo: chaos.lastIndex(of: "/") ?? chaos.startIndex))
        let directory = ProcessState.environmentVariable("LODGE_PRODUCTS") ?? beside
        lodge = "\(directory)/lodge"
        fixture = "\(directory)/FixtureServer"
        for program in [lodge, fixture] where unsafe access(program, X_OK) != 0 {
            throw SystemError("\(program), which is to be built first", errno)
        }
        scratch = "\(ProcessState.environmentVariable("TMPDIR") ?? "/tmp")/lodge-chaos-\(getpid())"
        guard unsafe mkdir(scratch, 0o700) == 0 else { throw SystemError("mkdir \(scratch)", errno) }
    }

    /// Removes the logs; they are kept where something went wrong.
    func clean() {
        for name in FileTree.names(in: scratch) { unsafe unlink("\(scratch)/\(name)") }
        unsafe rmdir(scratch)
    }

    private static func ownPath() -> String {
        var path = [CChar](repeating: 0, count: Int(PATH_MAX))
        // readlink writes no more than it is told and ends it with nothing.
        let count = unsafe readlink("/proc/self/exe", &path, path.count)
        return String(decoding: path.prefix(max(0, count)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
