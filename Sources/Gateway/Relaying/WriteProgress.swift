// SPDX-License-Identifier: Apache-2.0
import NIOCore

/// Tells a client that reads slowly from one that does not read at all.
///
/// A connection is only looked at while it cannot take more. It has made progress when fewer bytes wait than would if
/// the client had taken none; the framing of HTTP is not counted, so very little progress may look like none.
struct WriteProgress {
    /// Bytes handed to the connection since its beginning.
    private var written = 0
    /// Bytes that the client had taken when last looked at.
    private var taken = 0
    /// Since when nothing was taken; nil while the connection takes more.
    private(set) var stalledSince: NIODeadline?

    mutating func wrote(_ count: Int) { written += count }

    mutating func becameUnwritable(waiting: Int, now: NIODeadline) {
        taken = written - waiting
        stalledSince = now
    }

    mutating func becameWritable() { stalledSince = nil }

    /// Whether nothing was taken for as long as `limit`.
    mutating func isStalled(waiting: Int, now: NIODeadline, limit: TimeAmount) -> Bool {
        guard let since = stalledSince else { return false }
        let takenNow = written - waiting
        if takenNow > taken {
            taken = takenNow
            stalledSince = now
            return false
        }
        return now - since >= limit
    }
}
