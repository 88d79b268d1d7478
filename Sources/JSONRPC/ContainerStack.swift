// SPDX-License-Identifier: Apache-2.0

/// Remembers for each open array or object which of the two it is, one bit a level.
///
/// It never allocates, so its depth is bounded by `capacity`; the walker checks the depth before it pushes.
struct ContainerStack {
    /// The most levels that fit.
    static let capacity = 1024

    private(set) var depth = 0
    /// The innermost up to 64 levels, the innermost in the lowest bit. Full words move to `outer`.
    private var inner: UInt64 = 0
    private var outer = SIMD16<UInt64>()

    var isEmpty: Bool { depth == 0 }

    /// Whether the innermost container is an object; meaningless when the stack is empty.
    var isInObject: Bool { inner & 1 == 1 }

    mutating func push(isObject: Bool) {
        if depth & 63 == 0, depth > 0 { outer[(depth >> 6) - 1] = inner }
        inner = inner << 1 | (isObject ? 1 : 0)
        depth += 1
    }

    mutating func pop() {
        depth -= 1
        inner >>= 1
        if depth & 63 == 0, depth > 0 { inner = outer[(depth >> 6) - 1] }
    }
}
