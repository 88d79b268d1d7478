// SPDX-License-Identifier: Apache-2.0

/// Bytes from the system's cryptographic random source.
package enum RandomBytes {
    /// Returns `count` bytes that nobody can predict.
    package static func make(_ count: Int) -> [UInt8] {
        var generator = SystemRandomNumberGenerator()
        return (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
    }
}
