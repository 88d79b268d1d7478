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
        let text = bytes.extracting(object)
        guard text.count > 0, text[0] == .openBrace else { return false }
        var walker = JSONWalker(maximumDepth: ContainerStack.capacity)
        do throws(ScanError) {
            try walker.enterObject(depth: 0)
            var isFirst = true
            while let key = try walker.nextKey(text, isFirst: &isFirst) {
                let written = JSONString.decode(text, contents: key.start..<key.end)
                if let written, written != name, JSONString.isVariant(written, of: name) { return true }
                try walker.value(text, depth: 1)
            }
        } catch {
            // Not JSON after all: nothing can be said of its members.
            return false
        }
        return false
    }

    /// The object that stands at `object` without the members of these names; nil where it has none of them.
    ///
    /// What stays keeps its bytes and its order; white space between members is not kept.
    package static func without(_ names: [StaticString], in bytes: Span<UInt8>, object: Range<Int>) -> [UInt8]? {
        let text = bytes.extracting(object)
        guard text.count > 0, text[0] == .openBrace else { return nil }
        var walker = JSONWalker(maximumDepth: ContainerStack.capacity)
        var kept: [UInt8] = [.openBrace]
        var found = false
        do throws(ScanError) {
            try walker.enterObject(depth: 0)
            var isFirst = true
            while let key = try walker.nextKey(text, isFirst: &isFirst) {
                try walker.value(text, depth: 1)
                if names.contains(where: { key.equals(text, $0) }) {
                    found = true
                    continue
                }
                if kept.count > 1 { kept.append(.comma) }
                kept += Array(copying: text.extracting(key.start - 1..<walker.at))
            }
        } catch {
            // Not JSON after all: nothing can be said of its members.
            return nil
        }
        return found ? kept + [.closeBrace] : nil
    }

    /// Looks through the object that stands at `object` in a message that has been scanned before.
    package static func find(_ name: StaticString, in bytes: Span<UInt8>, object: Range<Int>) -> Finding {
        let text = bytes.extracting(object)
        guard text.count > 0, text[0] == .openBrace else { return .absent }
        var walker = JSONWalker(maximumDepth: ContainerStack.capacity)
        var finding = Finding.absent
        do throws(ScanError) {
            try walker.enterObject(depth: 0)
            var isFirst = true
            while let key = try walker.nextKey(text, isFirst: &isFirst) {
                let start = walker.at
                try walker.value(text, depth: 1)
                guard key.equals(text, name) else { continue }
                guard finding == .absent else { return .ambiguous }
                finding = .value(object.lowerBound + start..<object.lowerBound + walker.at)
            }
        } catch {
            // Not JSON after all: nothing can be said of its members.
            return .absent
        }
        return finding
    }

    /// Goes through the members of the object that stands at `object` in a message that has been scanned before.
    ///
    /// - Parameter body: gets the whole member, its name as it is written between its quotes, and its raw value, all in
    ///   the offsets of the whole message.
    package static func forEach(
        in bytes: Span<UInt8>, object: Range<Int>,
        _ body: (_ member: Range<Int>, _ name: Range<Int>, _ value: Range<Int>) -> Void
    ) {
        let text = bytes.extracting(object)
        guard text.count > 0, text[0] == .openBrace else { return }
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
            return
        }
    }
}
