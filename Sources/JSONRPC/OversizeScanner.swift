// SPDX-License-Identifier: Apache-2.0

/// Walks over a message of any length, chunk by chunk, for its id and whether it has a method.
///
/// It is for messages that will not be relayed: too long to hold, or broken. So it is lenient, checks no grammar that
/// it does not need, and gives up where the text stops making sense; what it found before stays. It keeps one key or id at
/// a time, at most ``keptBytes``. On a message that ``MessageScanner`` accepts, both agree, if the id is not longer.
package struct OversizeScanner: Sendable {
    /// What is known at the end of the message.
    package struct Findings: Hashable, Sendable {
        /// The id of the message, one JSON value; nil when it has none, or two, or one too long to keep.
        package var id: RawID?
        /// The ids of a message that has more than one: the last of them, at most ``OversizeScanner/keptIDs``.
        package var rivalIDs: [RawID] = []
        /// Whether `method` is a member of the message: if so, it is no response.
        package var hasMethod = false
        /// Whether the object was closed, and nothing but white space came after it.
        package var isWhole = false

        package init(
            id: RawID? = nil, rivalIDs: [RawID] = [], hasMethod: Bool = false, isWhole: Bool = false
        ) {
            self.id = id
            self.rivalIDs = rivalIDs
            self.hasMethod = hasMethod
            self.isWhole = isWhole
        }
    }

    /// The longest key or id that is kept, in bytes as written.
    package static let keptBytes = 256
    /// The most ids that are kept of a message that has more than one.
    package static let keptIDs = 8

    private enum Place: Sendable {
        /// Before the opening brace.
        case start
        /// Before a key or the closing brace, before the colon, before a value, in one, and after it.
        case key, colon, valueStart, value, valueEnd
        /// After the closing brace.
        case done
        /// Where the text no longer makes sense.
        case lost
    }

    private var place = Place.start
    /// Containers around the next byte; 1 is the level of the message's own members.
    private var depth = 0
    private var isInString = false
    private var isEscaped = false
    private var isKeeping = false
    private var kept: [UInt8] = []
    private var valueIsID = false
    private var ids = 0
    private var findings = Findings()

    package init() {}

    /// The id of a message that could not be scanned, if it can still be told.
    package static func salvageID(in bytes: Span<UInt8>) -> RawID? {
        var scanner = OversizeScanner()
        scanner.consume(bytes)
        return scanner.finish().id
    }

    /// Ends the message, and makes the scanner ready for another.
    package mutating func finish() -> Findings {
        defer { self = OversizeScanner() }
        findings.isWhole = place == .done
        if ids > 1 {
            findings.id = nil
        } else {
            findings.rivalIDs = []
        }
        return findings
    }

    /// Takes the next bytes of the message.
    package mutating func consume(_ chunk: Span<UInt8>) {
        var at = 0
        while at < chunk.count, place != .lost {
            if isInString, !isKeeping, !isEscaped {
                at = ByteSearch.quoteOrBackslash(in: chunk, from: at)
                guard at < chunk.count else { return }
            }
            let byte = chunk[at]
            at += 1
            if isInString {
                stringByte(byte)
            } else {
                tokenByte(byte)
            }
        }
    }

    private mutating func stringByte(_ byte: UInt8) {
        keep(byte)
        if isEscaped {
            isEscaped = false
        } else if byte == .backslash {
            isEscaped = true
        } else if byte == .quote {
            isInString = false
            if place == .key {
                endKey()
            } else if depth == 1 {
                endValue()
                place = .valueEnd
            }
        }
    }

    private mutating func tokenByte(_ byte: UInt8) {
        switch place {
        case .value: valueByte(byte)
        case .lost: break
        case _ where byte.isJSONSpace: break
        case .start: (depth, place) = byte == .openBrace ? (1, .key) : (0, .lost)
        case .key where byte == .quote: startKeeping(byte)
        case .key: place = byte == .closeBrace ? .done : .lost
        case .colon: place = byte == .colon ? .valueStart : .lost
        case .valueStart:
            place = .value
            isKeeping = valueIsID
            kept.removeAll(keepingCapacity: true)
            valueByte(byte)
        case .valueEnd where byte == .comma: place = .key
        case .valueEnd: place = byte == .closeBrace ? .done : .lost
        case .done: place = .lost
        }
    }

    private mutating func valueByte(_ byte: UInt8) {
        switch byte {
        case .quote:
            isInString = true
        case .openBrace, .openBracket:
            depth += 1
        case .closeBrace, .closeBracket:
            if depth == 1 {
                endValue()
                place = byte == .closeBrace ? .done : .lost
                return
            }
            depth -= 1
            if depth == 1 {
                keep(byte)
                endValue()
                place = .valueEnd
                return
            }
        case .comma where depth == 1:
            endValue()
            place = .key
            return
        case .space, .tab, .lineFeed, .carriageReturn:
            if depth == 1 {
                endValue()
                place = .valueEnd
                return
            }
        default: break
        }
        keep(byte)
    }

    private mutating func startKeeping(_ byte: UInt8) {
        isInString = true
        isKeeping = true
        kept.removeAll(keepingCapacity: true)
        keep(byte)
    }

    private mutating func keep(_ byte: UInt8) {
        guard isKeeping else { return }
        if kept.count < Self.keptBytes {
            kept.append(byte)
        } else {
            isKeeping = false
        }
    }

    private mutating func endKey() {
        place = .colon
        let contents = isKeeping ? JSONString.contents(of: 0..<kept.count, in: kept.span) : nil
        isKeeping = false
        valueIsID = false
        guard let contents else { return }
        valueIsID = JSONString.equals(kept.span, contents: contents, "id")
        if valueIsID { ids += 1 }
        if JSONString.equals(kept.span, contents: contents, "method") { findings.hasMethod = true }
    }

    private mutating func endValue() {
        guard valueIsID else { return }
        valueIsID = false
        guard isKeeping else { return }
        isKeeping = false
        // A broken message may have a broken id, which must not come back to its sender as if it were JSON.
        var walker = JSONWalker(maximumDepth: Self.keptBytes)
        guard let range = try? walker.wholeValue(kept.span) else { return }
        let id = RawID(kept.span, range)
        findings.id = id
        if findings.rivalIDs.count == Self.keptIDs { findings.rivalIDs.removeFirst() }
        findings.rivalIDs.append(id)
    }
}
