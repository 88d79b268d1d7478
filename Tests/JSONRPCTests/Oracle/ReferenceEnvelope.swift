// SPDX-License-Identifier: Apache-2.0

package import JSONRPC

/// What the scanner ought to say of a message, found by looking into the tree of the reference parser.
package enum ReferenceEnvelope: Equatable {
    /// Not JSON, or deeper than the limit.
    case refused
    /// JSON with a member twice that must not be there twice.
    case ambiguous
    case envelope(Envelope)

    package static func of(_ bytes: [UInt8], maximumDepth: Int = 512) -> ReferenceEnvelope {
        guard let root = ReferenceParser.parse(bytes, maximumDepth: maximumDepth) else { return .refused }
        var envelope = Envelope()
        envelope.value = root.range
        envelope.hasLineBreaks = bytes.contains(10) || bytes.contains(13)
        envelope.hasInnerLineBreaks = bytes[root.range].contains(10) || bytes[root.range].contains(13)
        switch root.form {
        case .array: envelope.kind = .batch
        case .object:
            var lookup = Lookup()
            lookup.fill(&envelope, root)
            if lookup.isAmbiguous { return .ambiguous }
        default: envelope.kind = .notAnObject
        }
        return .envelope(envelope)
    }
}

private struct Lookup {
    var isAmbiguous = false

    /// The member of that name, if `node` is an object that has it.
    mutating func find(_ name: String, in node: ReferenceParser.Node?) -> ReferenceParser.Node? {
        guard case .object(let members) = node?.form else { return nil }
        let found = members.filter { $0.key == Array(name.utf16) }
        if found.count > 1 { isAmbiguous = true }
        return found.first?.value
    }

    mutating func fill(_ envelope: inout Envelope, _ root: ReferenceParser.Node) {
        let protocolPrefix = "io.modelcontextprotocol/"
        if case .string(let units) = find("jsonrpc", in: root)?.form {
            envelope.hasVersion2 = units == Array("2.0".utf16)
        }
        let id = find("id", in: root)
        envelope.id = id?.range
        if case .null = id?.form { envelope.idIsNull = true }

        let method = find("method", in: root)
        if let method, case .string(let units) = method.form {
            envelope.method = method.range.lowerBound + 1..<method.range.upperBound - 1
            // An escape takes two or six bytes for what would take at most three.
            let plain = String(decoding: units, as: UTF16.self).utf8.count
            envelope.methodHasEscapes = plain != method.range.count - 2
        }

        let params = find("params", in: root)
        envelope.params = params?.range
        envelope.paramsProgressToken = find("progressToken", in: params)?.range
        envelope.requestID = find("requestId", in: params)?.range
        envelope.name = find("name", in: params)?.range
        envelope.uri = find("uri", in: params)?.range
        envelope.level = find("level", in: params)?.range
        envelope.taskID = find("taskId", in: params)?.range
        envelope.cursor = find("cursor", in: params)?.range

        let meta = find("_meta", in: params)
        envelope.meta = meta?.range
        envelope.progressToken = find("progressToken", in: meta)?.range
        envelope.metaProtocolVersion = find(protocolPrefix + "protocolVersion", in: meta)?.range
        envelope.metaCapabilities = find(protocolPrefix + "clientCapabilities", in: meta)?.range
        envelope.metaLogLevel = find(protocolPrefix + "logLevel", in: meta)?.range

        let result = find("result", in: root)
        envelope.result = result?.range
        envelope.resultMeta = find("_meta", in: result)?.range
        envelope.resultType = find("resultType", in: result)?.range
        let resultVersion = find("protocolVersion", in: result)?.range
        envelope.protocolVersion = find("protocolVersion", in: params)?.range ?? resultVersion
        let resultState = find("requestState", in: result)?.range
        envelope.requestState = find("requestState", in: params)?.range ?? resultState
        let resultSubscription = find(protocolPrefix + "subscriptionId", in: find("_meta", in: result))?.range
        envelope.subscriptionID = find(protocolPrefix + "subscriptionId", in: meta)?.range ?? resultSubscription

        let error = find("error", in: root)
        envelope.error = error?.range
        envelope.errorCode = find("code", in: error)?.range

        envelope.variant = firstVariant(in: root)

        if method != nil {
            let isRequest = id != nil && !envelope.idIsNull
            envelope.kind = envelope.method == nil ? .invalid : isRequest ? .request : .notification
        } else if error != nil {
            envelope.kind = .errorResponse
        } else {
            envelope.kind = result != nil ? .response : .invalid
        }
    }

    /// The first member that is spelled in another case than its own, of those that are looked for.
    private func firstVariant(in root: ReferenceParser.Node) -> Member? {
        first(in: root, [.id, .method, .params, .result, .error]) { key, value in
            guard key == Array("params".utf16) else { return nil }
            return first(in: value, [.paramsMeta, .paramsRequestID, .paramsRequestState, .paramsTask, .paramsTaskID]) {
                key, value in
                key == Array("_meta".utf16) ? first(in: value, [.metaProgressToken]) { _, _ in nil } : nil
            }
        }
    }

    private func first(
        in node: ReferenceParser.Node, _ members: [Member], below: ([UInt16], ReferenceParser.Node) -> Member?
    ) -> Member? {
        guard case .object(let entries) = node.form else { return nil }
        for entry in entries {
            if let found = below(entry.key, entry.value) { return found }
            for member in members {
                let name = Array((member.path.split(separator: ".").last ?? "").utf16)
                if entry.key != name, Self.folded(entry.key) == Self.folded(name) { return member }
            }
        }
        return nil
    }

    private static func folded(_ units: [UInt16]) -> [UInt16] {
        units.map { unit in
            switch unit {
            case 0x41...0x5A: unit | 0x20
            case 0x17F: 0x73
            case 0x212A: 0x6B
            default: unit
            }
        }
    }
}
