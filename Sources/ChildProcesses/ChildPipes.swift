// SPDX-License-Identifier: Apache-2.0

import Glibc

/// The pipes that Lodge made for one child's standard streams, as what its tree is found by when nothing else tells.
///
/// It owns no descriptor. Both ends of a pipe have one inode, so Lodge itself holds these too and must be left out.
struct ChildPipes: Hashable, Sendable {
    let inodes: [UInt64]
    /// When the pipes were made, as `ProcessTable.now()` tells. What descends from the child started no earlier.
    let since: UInt64

    init(inodes: [UInt64], since: UInt64) {
        self.inodes = inodes
        self.since = since
    }

    /// Takes one end of each pipe, before the child starts. Answers nil with errno when one cannot be looked at.
    init?(_ descriptors: Int32..., error: inout Int32) {
        var inodes: [UInt64] = []
        for descriptor in descriptors {
            var status = stat()
            // Sound: `status` is a local that the call fills.
            guard unsafe fstat(descriptor, &status) == 0 else {
                error = errno
                return nil
            }
            inodes.append(UInt64(status.st_ino))
        }
        self.init(inodes: inodes, since: ProcessTable.now())
    }
}
