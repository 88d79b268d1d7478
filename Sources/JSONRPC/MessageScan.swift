// SPDX-License-Identifier: Apache-2.0

/// One scan of one message: the walker, what it has found, and which members it has seen.
///
/// The levels that routing looks into (top, `params`, `result`, `error`, `_meta`) have a function each; everything
/// below is left to the walker.
struct MessageScan {
    private(set) var envelope = Envelope()
    private var walker: JSONWalker
    private var seen: UInt32 = 0

    init(maximumDepth: Int) {
        walker = JSONWalker(maximumDepth: maximumDepth)
    }

    mutating func message(_ bytes: Span<UInt8>) throws(ScanError) {
        guard bytes.count <= Stretch.longestMessage else { throw ScanError(.tooLong, at: Stretch.longestMessage) }
        walker.skipSpace(bytes)
        guard walker.at < bytes.count else { throw ScanError(.empty, at: 0) }
        let start = walker.at
        envelope.hasLineBreaks = walker.passedLineBreak
        walker.passedLineBreak = false
        switch bytes[start] {
        case .openBrace:
            try topLevel(bytes)
            envelope.kind = kind
        case .openBracket:
            try walker.value(bytes, depth: 0)
            envelope.kind = .batch
        default:
            try walker.value(bytes, depth: 0)
            envelope.kind = .notAnObject
        }
        envelope.value = start..<walker.at
        envelope.hasInnerLineBreaks = walker.passedLineBreak
        try walker.finish(bytes)
        envelope.hasLineBreaks = envelope.hasLineBreaks || walker.passedLineBreak
    }

    private var kind: Envelope.Kind {
        if seen & Member.method.bit != 0 {
            guard envelope.method != nil else { return .invalid }
            return envelope.id == nil || envelope.idIsNull ? .notification : .request
        }
        if envelope.error != nil { return .errorResponse }
        return envelope.result != nil ? .response : .invalid
    }

    /// Refuses a member that was seen before.
    @inline(__always)
    private mutating func note(_ member: Member, _ key: JSONWalker.Key) throws(ScanError) {
        guard seen & member.bit == 0 else { throw ScanError(.duplicateMember(member), at: key.start - 1) }
        seen |= member.bit
    }

    @inline(__always)
    private mutating func noteVariant(_ member: Member?) {
        if let member, envelope.variant == nil { envelope.variant = member }
    }

    /// Passes a value that has `depth` containers around it, and answers where it stands.
    @inline(__always)
    private mutating func value(_ bytes: Span<UInt8>, depth: Int) throws(ScanError) -> Range<Int> {
        let start = walker.at
        try walker.value(bytes, depth: depth)
        return start..<walker.at
    }

    private enum Level { case params, result, error }

    private mutating func topLevel(_ bytes: Span<UInt8>) throws(ScanError) {
        try walker.enterObject(depth: 0)
        var isFirst = true
        while let key = try walker.nextKey(bytes, isFirst: &isFirst) {
            guard let member = key.topLevelMember(bytes) else {
                noteVariant(key.topLevelVariant(bytes))
                try walker.value(bytes, depth: 1)
                continue
            }
            try note(member, key)
            switch member {
            case .jsonrpc:
                let range = try value(bytes, depth: 1)
                if let contents = JSONString.contents(of: range, in: bytes) {
                    envelope.hasVersion2 = JSONString.equals(bytes, contents: contents, "2.0")
                }
            case .id:
                // No other value starts with an n.
                envelope.idIsNull = walker.at < bytes.count && bytes[walker.at] == 0x6E
                envelope.id = try value(bytes, depth: 1)
            case .method: try method(bytes)
            case .params: envelope.params = try branch(bytes, .params)
            case .result: envelope.result = try branch(bytes, .result)
            default: envelope.error = try branch(bytes, .error)
            }
        }
    }

    private mutating func method(_ bytes: Span<UInt8>) throws(ScanError) {
        let start = walker.at
        guard start < bytes.count, bytes[start] == .quote else {
            try walker.value(bytes, depth: 1)
            return
        }
        envelope.methodHasEscapes = try walker.string(bytes)
        envelope.method = start + 1..<walker.at - 1
    }

    /// Passes a value below the top, looking at its members if it is an object.
    private mutating func branch(_ bytes: Span<UInt8>, _ level: Level) throws(ScanError) -> Range<Int> {
        let start = walker.at
        guard start < bytes.count, bytes[start] == .openBrace else { return try value(bytes, depth: 1) }
        try walker.enterObject(depth: 1)
        var isFirst = true
        while let key = try walker.nextKey(bytes, isFirst: &isFirst) {
            let member: Member? =
                switch level {
                case .params: key.paramsMember(bytes)
                case .result: key.resultMember(bytes)
                case .error: key.equals(bytes, "code") ? .errorCode : nil
                }
            guard let member else {
                if level == .params { noteVariant(key.paramsVariant(bytes)) }
                try walker.value(bytes, depth: 2)
                continue
            }
            try note(member, key)
            try record(member, bytes)
        }
        return start..<walker.at
    }

    private mutating func record(_ member: Member, _ bytes: Span<UInt8>) throws(ScanError) {
        if member == .paramsMeta || member == .resultMeta {
            let range = try meta(bytes, isResult: member == .resultMeta)
            if member == .paramsMeta { envelope.meta = range } else { envelope.resultMeta = range }
            return
        }
        let range = try value(bytes, depth: 2)
        switch member {
        case .paramsProgressToken: envelope.paramsProgressToken = range
        case .paramsRequestID: envelope.requestID = range
        case .paramsName: envelope.name = range
        case .paramsURI: envelope.uri = range
        case .paramsLevel: envelope.level = range
        case .paramsTaskID: envelope.taskID = range
        case .paramsTask: envelope.task = range
        case .paramsCursor: envelope.cursor = range
        case .paramsProtocolVersion: envelope.protocolVersion = range
        case .paramsRequestState: envelope.requestState = range
        case .resultType: envelope.resultType = range
        case .errorCode: envelope.errorCode = range
        // What params say comes first, whichever of the two stands first in the message.
        case .resultProtocolVersion where seen & Member.paramsProtocolVersion.bit == 0: envelope.protocolVersion = range
        case .resultRequestState where seen & Member.paramsRequestState.bit == 0: envelope.requestState = range
        default: break
        }
    }

    private mutating func meta(_ bytes: Span<UInt8>, isResult: Bool) throws(ScanError) -> Range<Int> {
        let start = walker.at
        guard start < bytes.count, bytes[start] == .openBrace else { return try value(bytes, depth: 2) }
        try walker.enterObject(depth: 2)
        var isFirst = true
        while let key = try walker.nextKey(bytes, isFirst: &isFirst) {
            guard let member = isResult ? key.resultMetaMember(bytes) : key.paramsMetaMember(bytes) else {
                if !isResult { noteVariant(key.paramsMetaVariant(bytes)) }
                try walker.value(bytes, depth: 3)
                continue
            }
            try note(member, key)
            let range = try value(bytes, depth: 3)
            switch member {
            case .metaProgressToken: envelope.progressToken = range
            case .metaProtocolVersion: envelope.metaProtocolVersion = range
            case .metaCapabilities: envelope.metaCapabilities = range
            case .metaLogLevel: envelope.metaLogLevel = range
            case .metaSubscriptionID: envelope.subscriptionID = range
            case .resultMetaSubscriptionID where seen & Member.metaSubscriptionID.bit == 0:
                envelope.subscriptionID = range
            default: break
            }
        }
        return start..<walker.at
    }
}
