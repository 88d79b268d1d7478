// SPDX-License-Identifier: Apache-2.0

/// Walks over JSON text by the grammar of RFC 8259, once, without storing any of it.
///
/// The walker holds a place, not the bytes: every call gets the same span again. It does not recurse and does not
/// allocate. UTF-8 is checked on the way (RFC 3629); lone surrogate escapes are within the grammar and pass.
struct JSONWalker {
    /// The key of a member: the bytes between its quotes.
    struct Key {
        var start: Int
        var end: Int
        var hasEscapes: Bool
    }

    /// The next byte to look at.
    var at = 0
    /// Whether a CR or LF has been passed between tokens.
    var passedLineBreak = false
    let maximumDepth: Int

    init(maximumDepth: Int) {
        self.maximumDepth = max(0, min(maximumDepth, ContainerStack.capacity))
    }

    @inline(__always)
    mutating func skipSpace(_ bytes: Span<UInt8>) {
        while at < bytes.count {
            let byte = bytes[at]
            if byte > .space { return }
            if byte == .lineFeed || byte == .carriageReturn {
                passedLineBreak = true
            } else if byte != .space, byte != .tab {
                return
            }
            at += 1
        }
    }

    /// The byte at the place of the walker, after white space.
    @inline(__always)
    mutating func nextToken(_ bytes: Span<UInt8>) throws(ScanError) -> UInt8 {
        skipSpace(bytes)
        guard at < bytes.count else { throw ScanError(.truncated, at: at) }
        return bytes[at]
    }

    /// Passes the opening brace of an object that has `depth` containers around it.
    mutating func enterObject(depth: Int) throws(ScanError) {
        guard depth < maximumDepth else { throw ScanError(.tooDeep(limit: maximumDepth), at: at) }
        at += 1
    }

    /// Passes a comma, a key and its colon, up to the value; nil once the closing brace is passed.
    @inline(__always)
    mutating func nextKey(_ bytes: Span<UInt8>, isFirst: inout Bool) throws(ScanError) -> Key? {
        var token = try nextToken(bytes)
        if token == .closeBrace {
            at += 1
            return nil
        }
        if !isFirst {
            guard token == .comma else { throw ScanError(.notJSON, at: at) }
            at += 1
            token = try nextToken(bytes)
        }
        isFirst = false
        return try key(bytes, token)
    }

    /// Passes a key and its colon, up to the value.
    @inline(__always)
    private mutating func key(_ bytes: Span<UInt8>, _ token: UInt8) throws(ScanError) -> Key {
        guard token == .quote else { throw ScanError(.notJSON, at: at) }
        let start = at + 1
        let hasEscapes = try string(bytes)
        let end = at - 1
        guard try nextToken(bytes) == .colon else { throw ScanError(.notJSON, at: at) }
        at += 1
        skipSpace(bytes)
        return Key(start: start, end: end, hasEscapes: hasEscapes)
    }

    /// Passes one value of any form that has `depth` containers around it; white space before it is passed already.
    mutating func value(_ bytes: Span<UInt8>, depth: Int) throws(ScanError) {
        guard at < bytes.count else { throw ScanError(.truncated, at: at) }
        let byte = bytes[at]
        if byte == .openBrace || byte == .openBracket {
            try container(bytes, depth: depth)
        } else {
            try scalar(bytes, byte)
        }
    }

    private mutating func container(_ bytes: Span<UInt8>, depth: Int) throws(ScanError) {
        var stack = ContainerStack()
        values: while true {
            guard at < bytes.count else { throw ScanError(.truncated, at: at) }
            let byte = bytes[at]
            if byte == .openBrace || byte == .openBracket {
                guard depth + stack.depth < maximumDepth else { throw ScanError(.tooDeep(limit: maximumDepth), at: at) }
                stack.push(isObject: byte == .openBrace)
                at += 1
                let token = try nextToken(bytes)
                // The closing byte of each kind stands two places after its opening byte.
                if token == byte + 2 {
                    at += 1
                    stack.pop()
                } else {
                    if byte == .openBrace { _ = try key(bytes, token) }
                    continue values
                }
            } else {
                try scalar(bytes, byte)
            }
            // A value has ended: leave every container that ends here as well.
            while !stack.isEmpty {
                let token = try nextToken(bytes)
                if token == .comma {
                    at += 1
                    let following = try nextToken(bytes)
                    if stack.isInObject { _ = try key(bytes, following) }
                    continue values
                }
                guard token == (stack.isInObject ? .closeBrace : .closeBracket) else {
                    throw ScanError(.notJSON, at: at)
                }
                at += 1
                stack.pop()
            }
            return
        }
    }

    /// Passes a value that is the whole of `bytes` but for white space, and answers where it stands.
    mutating func wholeValue(_ bytes: Span<UInt8>) throws(ScanError) -> Range<Int> {
        skipSpace(bytes)
        guard at < bytes.count else { throw ScanError(.empty, at: 0) }
        let start = at
        try value(bytes, depth: 0)
        let end = at
        try finish(bytes)
        return start..<end
    }

    /// Passes the white space after the outermost value, and refuses anything else there.
    mutating func finish(_ bytes: Span<UInt8>) throws(ScanError) {
        skipSpace(bytes)
        guard at == bytes.count else { throw ScanError(.notJSON, at: at) }
    }
}
