// SPDX-License-Identifier: Apache-2.0

import JSONRPC

extension Checks {
    /// The scanner for messages that are not held agrees with the one for messages that are, however they are cut.
    package static func oversize(_ bytes: [UInt8], chunk: Int) -> String? {
        var scanner = OversizeScanner()
        for start in stride(from: 0, to: bytes.count, by: chunk) {
            scanner.consume(bytes.span.extracting(start..<min(start + chunk, bytes.count)))
        }
        let findings = scanner.finish()
        if let id = findings.id, ReferenceParser.parse(id.array) == nil {
            return "oversize: found an id that is not JSON"
        }
        guard findings.rivalIDs.allSatisfy({ ReferenceParser.parse($0.array) != nil }) else {
            return "oversize: found a rival id that is not JSON"
        }
        guard findings.id == OversizeScanner.salvageID(in: bytes.span) else {
            return "oversize: cutting changes the id"
        }
        if case .object(let members) = ReferenceParser.parse(bytes)?.form {
            let ids = members.count { $0.key == Array("id".utf16) }
            guard ids == 1 || findings.id == nil else { return "oversize: chose one of \(ids) ids" }
            guard ids > 1 || findings.rivalIDs.isEmpty else { return "oversize: names rivals of \(ids) ids" }
            guard findings.rivalIDs.count <= min(ids, OversizeScanner.keptIDs) else {
                return "oversize: names more ids than there are"
            }
        }
        guard let envelope = try? MessageScanner.scan(bytes), envelope.kind != .batch, envelope.kind != .notAnObject
        else {
            return nil
        }
        guard findings.isWhole else { return "oversize: did not see the end of a valid message" }
        let hasMethod = envelope.kind == .request || envelope.kind == .notification
        // A method that is no string makes the message invalid, but is a method all the same.
        guard findings.hasMethod == hasMethod || envelope.kind == .invalid else {
            return "oversize: disagrees on the method"
        }
        let id = envelope.id.flatMap { $0.count <= OversizeScanner.keptBytes ? Array(bytes[$0]) : nil }
        return findings.id?.array == id ? nil : "oversize: disagrees on the id"
    }

    /// Lines come out as by splitting the whole stream, however it is cut; lines over the limit come out as such.
    package static func lines(_ bytes: [UInt8], limit: Int, chunk: Int) -> String? {
        var framer = LineFramer(limit: limit)
        var kept: [UInt8] = []
        var found: [[UInt8]?] = []
        for start in stride(from: 0, to: bytes.count, by: chunk) {
            let piece = Array(bytes[start..<min(start + chunk, bytes.count)])
            var offset = 0
            while let part = framer.next(in: piece.span, from: &offset) {
                switch part {
                case .fragment(let range): kept += piece[range]
                case .overflow: kept = []
                case .line(let range):
                    found.append(kept + piece[range])
                    kept = []
                case .overflowEnd:
                    found.append(nil)
                    kept = []
                }
                if kept.count > limit { return "lines: asks to keep more than the limit" }
            }
        }
        var wanted = bytes.split(separator: 10, omittingEmptySubsequences: false).map { Array($0) }
        let rest = wanted.removeLast()
        guard found == wanted.map({ $0.count > limit ? nil : $0 }) else {
            return "lines: differ from splitting the whole"
        }
        switch framer.finish() {
        case .betweenLines: return rest.isEmpty ? nil : "lines: lost the last line"
        case .withinLine: return kept == rest && !rest.isEmpty ? nil : "lines: the last line differs"
        case .withinOverflow: return rest.count > limit ? nil : "lines: the last line is not too long"
        }
    }
}
