// SPDX-License-Identifier: Apache-2.0

/// Takes line breaks out of a message that is legal JSON but must travel on one line.
///
/// In a scanned message a raw CR or LF can only stand between tokens, so each becomes a space and every offset stays
/// right.
package enum LineBreaks {
    package static func blank(_ bytes: inout MutableSpan<UInt8>) {
        for place in bytes.indices where bytes[place] == .lineFeed || bytes[place] == .carriageReturn {
            bytes[place] = .space
        }
    }

    package static func blank(_ bytes: inout [UInt8]) {
        var span = bytes.mutableSpan
        blank(&span)
    }
}
