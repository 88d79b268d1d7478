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
        // The buffer is as long as readlink is told; what it wrote is copied.
        let path = unsafe [UInt8](unsafeUninitializedCapacity: Int(PATH_MAX)) { room, count in
            count = unsafe room.withMemoryRebound(to: CChar.self) {
                max(0, unsafe readlink("/proc/self/exe", $0.baseAddress, $0.count))
            }
        }
        return String(decoding: path, as: UTF8.self)
    }
}
