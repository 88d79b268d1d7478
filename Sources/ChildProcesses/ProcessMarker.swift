// SPDX-License-Identifier: Apache-2.0

import Glibc

/// The value that a child's whole process tree carries in its environment, so that it is found wherever it goes.
///
/// It is random for each child and not a secret: it opens nothing, it only names. When Lodge itself runs below another
/// Lodge, the outer marker is kept in front (`outer:own`), so that the outer one still finds everything.
package enum ProcessMarker {
    /// The environment variable that holds it.
    package static let variable = "LODGE_MARKER"
    static let separator: Character = ":"
    /// In bytes; a longer chain of outer markers is not passed on.
    static let longestChain = 512

    /// Makes a marker that no other child has: 128 random bits as hexadecimal digits.
    package static func random() -> String {
        (0..<2).map { _ in
            let digits = String(UInt64.random(in: .min ... .max), radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }.joined()
    }

    /// Answers whether a text can be a marker: 1 to 64 letters, digits, `-` and `_`.
    ///
    /// The guard reads markers as lines, so nothing that could end a line or start a field is let in.
    static func isValid(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.count <= 64
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
                    true
                default: false
                }
            }
    }

    /// Answers the variable's value for a child, below the value that this process itself was given.
    static func chain(outer: String?, own: String) -> String {
        guard let outer, !outer.isEmpty, outer.utf8.count <= longestChain,
            outer.split(separator: separator).allSatisfy({ isValid(String($0)) })
        else { return own }
        return outer + String(separator) + own
    }

    /// Splits the variable's value into the markers it holds.
    static func parts(_ value: String) -> [String] {
        value.split(separator: separator).map(String.init)
    }

    /// What this process was given by an outer Lodge. Read once: the environment of Lodge does not change.
    static let ofThisProcess: String? = {
        // Sound: the text is copied at once, and nothing in Lodge calls setenv.
        guard let value = unsafe getenv(variable) else { return nil }
        return unsafe String(cString: value)
    }()
}
