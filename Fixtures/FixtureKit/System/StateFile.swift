// SPDX-License-Identifier: Apache-2.0

import Glibc

/// A small file in which a fixture remembers something from one start to the next.
package enum StateFile {
    /// The number in the file; 0 when there is none.
    package static func number(_ path: String) -> Int {
        guard let bytes = try? [UInt8](contentsOf: path, limit: 32) else { return 0 }
        return Int(String(decoding: bytes.prefix { $0 != 0x0A }, as: UTF8.self)) ?? 0
    }

    package static func write(_ number: Int, to path: String) throws(SystemError) {
        let opened = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard opened >= 0 else { throw SystemError("open \(path)", errno) }
        let file = Descriptor(opened)
        defer { file.close() }
        try file.write(Array("\(number)\n".utf8))
    }

    /// Creates the file; false when it is there already.
    package static func create(_ path: String) throws(SystemError) -> Bool {
        let opened = unsafe open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        if opened >= 0 {
            Descriptor(opened).close()
            return true
        }
        guard errno == EEXIST else { throw SystemError("open \(path)", errno) }
        return false
    }
}
