// SPDX-License-Identifier: Apache-2.0

/// Finds one member of an object by name, for the few places that look deeper than an ``Envelope``.
///
/// It is not on the relay path. A name that stands twice is reported, because parsers disagree on which one counts.
package enum JSONMembers {
    /// What was found under a name.
    package enum Finding: Hashable, Sendable {
        case absent
        /// Raw range of the value, in the offsets of the whole message.
        case value(Range<Int>)
        case ambiguous
    }

    /// Whether a member's name differs from this one, an ASCII name in lower case, in case only; see `CaseFolding`.
    package static func hasCaseVariant(of name: String, in bytes: Span<UInt8>, object: Range<Int>) -> Bool {
        var found = false
        let isWhole = forEach(in: bytes, object: object) { _, contents, _ in
            guard !found, let written = JSONString.decode(bytes, contents: contents) else { return }
            found = written != name && JSONString.isVariant(written, of: name)
        }
        return isWhole && found
    }

    /// Looks through the object that stands at `object` in a message that has been scanned before.
    package static func find(_ name: StaticString, in bytes: Span<UInt8>, object: Range<Int>) -> Finding {
        var finding = Finding.absent
        let isWhole = forEach(in: bytes, object: object) { _, contents, value in
            guard JSONString.equals(bytes, contents: contents, name) else { return }
            finding = finding == .absent ? .value(value) : .ambiguous
        }
        return isWhole ? finding : .absent
    }

    /// The object that stands at `object` without the members of these names; nil where it has none of them.
    ///
    /// What stays keeps its bytes and its order; white space between members is not kept.
    package static func without(_ names: [StaticString], in bytes: Span<UInt8>, object: Range<Int>) -> [UInt8]? {
        var kept: [UInt8] = [.openBrace]
        var found = false
        let isWhole = forEach(in: bytes, object: object) { member, contents, _ in
            guard !names.contains(where: { JSONString.equals(bytes, contents: contents, $0) }) else {
                found = true
                return
            }
            if kept.count > 1 { kept.append(.comma) }
            kept += Array(copying: bytes.extracting(member))
        }
        return isWhole && found ? kept + [.closeBrace] : nil
    }

    /// Goes through the members of the object that stands at `object` in a message that has been scanned before.
    ///
    /// - Parameter body: gets the whole member, its name as it is written between its quotes, and its raw value, all in
    ///   the offsets of the whole message.
    /// - Returns: whether it is an object to its end.
    @discardableResult
    package static func forEach(
        in bytes: Span<UInt8>, object: Range<Int>,
        _ body: (_ member: Range<Int>, _ name: Range<Int>, _ value: Range<Int>) -> Void
    ) -> Bool {
        let text = bytes.extracting(object)
        guard text.count > 0, text[0] == .openBrace else { return false }
        var walker = JSONWalker(maximumDepth: ContainerStack.capacity)
        let base = object.lowerBound
        do throws(ScanError) {
            try walker.enterObject(depth: 0)
            var isFirst = true
            while let key = try walker.nextKey(text, isFirst: &isFirst) {
                let start = walker.at
                try walker.value(text, depth: 1)
                body(
                    base + key.start - 1..<base + walker.at, base + key.start..<base + key.end,
                    base + start..<base + walker.at)
            }
        } catch {
            // Not JSON after all: what was gone through is all there is.
            return false
        }
        return true
    }
}
