// SPDX-License-Identifier: Apache-2.0

/// Reads an event stream from chunks that end anywhere (WHATWG HTML, 9.2.5 and 9.2.6).
///
/// Bytes in, events out: it opens nothing and waits for nothing. It holds one event at a time, up to its limit; a longer
/// one is passed by and reported. What the bytes of `data` mean is its owner's business, they may be any.
package struct EventStreamDecoder: Sendable {
    /// What the stream said.
    package enum Output: Hashable, Sendable {
        case event(ServerSentEvent)
        /// An event over the limit has ended; the start of its data, at most ``keptStart`` bytes, is all that is left.
        case tooLong(start: [UInt8])
    }

    /// How much of an event over the limit is kept, in bytes.
    package static let keptStart = 4096
    /// How much of a line without data is looked at once its event is over the limit, in bytes.
    private static let shortLine = 1024
    private static let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]

    /// What `Last-Event-ID` has to say after a break: the id of the last event that ended; nil before the first id.
    package private(set) var lastEventID: String?
    /// How long the server wants its reader to wait before a new connection, in milliseconds.
    package private(set) var retry: Int?

    /// The longest data of one event, in bytes.
    private let limit: Int
    /// How many bytes of a byte order mark were read; nil once the stream is past that.
    private var markSeen: Int? = 0
    /// After a CR, a line feed belongs to the same line end.
    private var skipsLineFeed = false
    /// The beginning of a line whose end has not come.
    private var line: [UInt8] = []
    /// The rest of the line is not looked at.
    private var lineIsCut = false
    private var data: [UInt8] = []
    private var hasData = false
    private var type = ""
    private var nextID: String?
    private var isTooLong = false

    package init(limit: Int) {
        self.limit = limit
    }

    /// Takes the next bytes, and answers what ended with them.
    package mutating func decode(_ chunk: Span<UInt8>) -> [Output] {
        var outputs: [Output] = []
        var at = skipMark(chunk)
        while at < chunk.count {
            if skipsLineFeed {
                skipsLineFeed = false
                if chunk[at] == .lineFeed {
                    at += 1
                    continue
                }
            }
            let end = Self.lineEnd(in: chunk, from: at)
            keep(chunk.extracting(at..<end))
            guard end < chunk.count else { break }
            skipsLineFeed = chunk[end] == .carriageReturn
            at = end + 1
            if let output = endLine() { outputs.append(output) }
        }
        return outputs
    }

    /// Forgets what has not ended, since the connection has; the id and the wait stay for the next one.
    package mutating func restart() {
        var next = EventStreamDecoder(limit: limit)
        (next.lastEventID, next.nextID, next.retry) = (lastEventID, lastEventID, retry)
        self = next
    }

    private static func lineEnd(in chunk: Span<UInt8>, from start: Int) -> Int {
        var at = start
        while at < chunk.count, chunk[at] != .lineFeed, chunk[at] != .carriageReturn { at += 1 }
        return at
    }

    /// Passes a byte order mark at the stream's start by, and answers where the text goes on.
    private mutating func skipMark(_ chunk: Span<UInt8>) -> Int {
        var at = 0
        while let seen = markSeen, at < chunk.count {
            guard chunk[at] == Self.byteOrderMark[seen] else {
                line += Self.byteOrderMark.prefix(seen)
                markSeen = nil
                break
            }
            at += 1
            markSeen = seen == 2 ? nil : seen + 1
        }
        return at
    }

    // MARK: Lines

    private mutating func keep(_ bytes: Span<UInt8>) {
        guard !lineIsCut, bytes.count > 0 else { return }
        // Of a comment, only that it is one.
        if (line.first ?? bytes[0]) == .colon {
            line = [.colon]
            lineIsCut = true
            return
        }
        let room = isTooLong ? Self.shortLine - line.count : limit + Self.fieldName - data.count - line.count
        guard bytes.count <= room else {
            line.append(bytes.extracting(0..<max(0, min(bytes.count, Self.keptStart - line.count))))
            return cut()
        }
        line.append(bytes)
    }

    /// What stands before the data of a line: the field's name, a colon and a space.
    private static let fieldName = 6

    /// The event is over the limit: lets go of all but its start.
    private mutating func cut() {
        lineIsCut = true
        guard !isTooLong else { return }
        isTooLong = true
        if !hasData, let field = Self.field(of: line), field.name == "data" { data = Array(line[field.value]) }
        data = Array(data.prefix(Self.keptStart))
        line = [.colon]
    }

    private mutating func endLine() -> Output? {
        defer {
            line = []
            lineIsCut = false
        }
        if line.isEmpty { return endEvent() }
        guard !lineIsCut, let field = Self.field(of: line) else { return nil }
        switch field.name {
        case "data" where isTooLong: break
        case "data": append(field.value)
        case "event": type = String(decoding: line[field.value], as: UTF8.self)
        case "id": if !line[field.value].contains(0) { nextID = String(decoding: line[field.value], as: UTF8.self) }
        case "retry":
            let digits = line[field.value]
            if !digits.isEmpty, digits.allSatisfy({ (0x30...0x39).contains($0) }) {
                retry = Int(String(decoding: digits, as: UTF8.self)) ?? retry
            }
        default: break
        }
        return nil
    }

    /// Adds a line to the event's data; the first one is moved instead of copied.
    private mutating func append(_ value: Range<Int>) {
        if hasData {
            data.append(.lineFeed)
            data += line[value]
        } else {
            line.removeFirst(value.lowerBound)
            swap(&data, &line)
        }
        hasData = true
    }

    private mutating func endEvent() -> Output? {
        defer {
            (data, hasData, type, isTooLong) = ([], false, "", false)
        }
        lastEventID = nextID
        if isTooLong { return .tooLong(start: data) }
        guard hasData else { return nil }
        return .event(ServerSentEvent(type: type.isEmpty ? "message" : type, data: data))
    }

    private static func field(of line: [UInt8]) -> (name: String, value: Range<Int>)? {
        let colon = line.firstIndex(of: .colon) ?? line.count
        guard colon > 0 else { return nil }
        var start = min(colon + 1, line.count)
        if start < line.count, line[start] == .space { start += 1 }
        // A field that is none of the five may be as long as a line.
        return (String(decoding: line[..<min(colon, 16)], as: UTF8.self), start..<line.count)
    }
}

extension UInt8 {
    fileprivate static let lineFeed = UInt8(ascii: "\n")
    fileprivate static let carriageReturn = UInt8(ascii: "\r")
    fileprivate static let colon = UInt8(ascii: ":")
    fileprivate static let space = UInt8(ascii: " ")
}

extension [UInt8] {
    fileprivate mutating func append(_ bytes: Span<UInt8>) {
        // Sound: the buffer is read before the closure ends, and is as long as the span.
        unsafe bytes.withUnsafeBufferPointer { unsafe append(contentsOf: $0) }
    }
}
