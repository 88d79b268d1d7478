// SPDX-License-Identifier: Apache-2.0

/// Which member a key names to a decoder that ignores the case of names, and not to the scanner.
///
/// Go's `encoding/json` is such a decoder: it folds ASCII letters, and the long s (U+017F) and the Kelvin sign (U+212A)
/// with them. To it `ID` beside `id` is a second id, and may be the one that counts. Only members are told by which one
/// client's message could reach into another's, or past a rule.
extension JSONWalker.Key {
    func topLevelVariant(_ bytes: Span<UInt8>) -> Member? {
        if isVariant(bytes, of: "id") { return .id }
        if isVariant(bytes, of: "method") { return .method }
        if isVariant(bytes, of: "params") { return .params }
        if isVariant(bytes, of: "result") { return .result }
        return isVariant(bytes, of: "error") ? .error : nil
    }

    func paramsVariant(_ bytes: Span<UInt8>) -> Member? {
        if isVariant(bytes, of: "_meta") { return .paramsMeta }
        if isVariant(bytes, of: "requestid") { return .paramsRequestID }
        if isVariant(bytes, of: "requeststate") { return .paramsRequestState }
        if isVariant(bytes, of: "task") { return .paramsTask }
        return isVariant(bytes, of: "taskid") ? .paramsTaskID : nil
    }

    func paramsMetaVariant(_ bytes: Span<UInt8>) -> Member? {
        isVariant(bytes, of: "progresstoken") ? .metaProgressToken : nil
    }

    /// Whether the key, unescaped and folded, is an ASCII name in lower case.
    private func isVariant(_ bytes: Span<UInt8>, of name: StaticString) -> Bool {
        // An escape or a letter that folds takes more bytes than the one it stands for, never fewer.
        guard end - start >= name.utf8CodeUnitCount else { return false }
        if hasEscapes { return JSONString.isVariant(bytes, contents: start..<end, of: name) }
        var folded = CaseFolding(start..<end)
        for index in 0..<name.utf8CodeUnitCount {
            // The index is below the name's own count.
            guard let byte = folded.next(bytes), unsafe byte == name.utf8Start[index] else { return false }
        }
        return folded.isAtEnd
    }
}
