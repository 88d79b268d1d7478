// SPDX-License-Identifier: Apache-2.0

/// Which member a key names, level by level.
extension JSONWalker.Key {
    /// Compares the key, unescaped, with an ASCII name.
    @inline(__always)
    func equals(_ bytes: Span<UInt8>, _ name: StaticString) -> Bool {
        if hasEscapes { return JSONString.equals(bytes, contents: start..<end, name) }
        return JSONString.equalsAsWritten(bytes, contents: start..<end, name)
    }

    func topLevelMember(_ bytes: Span<UInt8>) -> Member? {
        if equals(bytes, "id") { return .id }
        if equals(bytes, "method") { return .method }
        if equals(bytes, "params") { return .params }
        if equals(bytes, "result") { return .result }
        if equals(bytes, "error") { return .error }
        return equals(bytes, "jsonrpc") ? .jsonrpc : nil
    }

    func paramsMember(_ bytes: Span<UInt8>) -> Member? {
        if equals(bytes, "_meta") { return .paramsMeta }
        if equals(bytes, "name") { return .paramsName }
        if equals(bytes, "uri") { return .paramsURI }
        if equals(bytes, "progressToken") { return .paramsProgressToken }
        if equals(bytes, "requestId") { return .paramsRequestID }
        if equals(bytes, "level") { return .paramsLevel }
        if equals(bytes, "taskId") { return .paramsTaskID }
        if equals(bytes, "task") { return .paramsTask }
        if equals(bytes, "cursor") { return .paramsCursor }
        if equals(bytes, "protocolVersion") { return .paramsProtocolVersion }
        return equals(bytes, "requestState") ? .paramsRequestState : nil
    }

    func paramsMetaMember(_ bytes: Span<UInt8>) -> Member? {
        if equals(bytes, "progressToken") { return .metaProgressToken }
        if equals(bytes, "io.modelcontextprotocol/protocolVersion") { return .metaProtocolVersion }
        if equals(bytes, "io.modelcontextprotocol/clientCapabilities") { return .metaCapabilities }
        if equals(bytes, "io.modelcontextprotocol/logLevel") { return .metaLogLevel }
        return equals(bytes, "io.modelcontextprotocol/subscriptionId") ? .metaSubscriptionID : nil
    }

    func resultMember(_ bytes: Span<UInt8>) -> Member? {
        if equals(bytes, "_meta") { return .resultMeta }
        if equals(bytes, "resultType") { return .resultType }
        if equals(bytes, "protocolVersion") { return .resultProtocolVersion }
        return equals(bytes, "requestState") ? .resultRequestState : nil
    }

    func resultMetaMember(_ bytes: Span<UInt8>) -> Member? {
        equals(bytes, "io.modelcontextprotocol/subscriptionId") ? .resultMetaSubscriptionID : nil
    }
}
