// SPDX-License-Identifier: Apache-2.0

/// A JSON document as a tree, for what is small and rare: error data, status pages, catalogs.
///
/// It is not for messages on the relay path, which stay bytes. Members keep their order, and equal ones stay apart;
/// numbers keep their spelling.
package enum JSONValue: Hashable, Sendable {
    case null
    case bool(Bool)
    case number(Number)
    case string(String)
    case array([JSONValue])
    case object([Member])

    /// A member of an object.
    package struct Member: Hashable, Sendable {
        package var name: String
        package var value: JSONValue

        package init(_ name: String, _ value: JSONValue) {
            self.name = name
            self.value = value
        }
    }

    /// A number as it is spelled, which is always by the grammar of RFC 8259.
    package struct Number: Hashable, Sendable {
        package let text: String

        package init(_ value: Int64) {
            text = String(value)
        }

        /// Answers nil for what is no JSON number, such as `0x10` or `nan`.
        package init?(_ text: String) {
            let bytes = Array(text.utf8)
            var walker = JSONWalker(maximumDepth: 0)
            guard let first = bytes.first, first == .minus || first.isDecimalDigit,
                let range = try? walker.wholeValue(bytes.span), range == 0..<bytes.count
            else { return nil }
            self.text = text
        }

        init(unchecked text: String) {
            self.text = text
        }

        /// The number as an integer, if it is spelled as one and fits.
        package var integer: Int64? { Int64(text) }

        /// The nearest floating-point number; infinite if it is too large.
        package var double: Double? { Double(text) }
    }

    /// The value of the last member of that name, or nil; parsers mostly agree that the last one counts.
    package subscript(name: String) -> JSONValue? {
        guard case .object(let members) = self else { return nil }
        return members.last { $0.name == name }?.value
    }

    package var string: String? {
        guard case .string(let text) = self else { return nil }
        return text
    }

    package var integer: Int64? {
        guard case .number(let number) = self else { return nil }
        return number.integer
    }

    package var bool: Bool? {
        guard case .bool(let flag) = self else { return nil }
        return flag
    }

    package var elements: [JSONValue]? {
        guard case .array(let elements) = self else { return nil }
        return elements
    }

    package var members: [Member]? {
        guard case .object(let members) = self else { return nil }
        return members
    }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral,
    ExpressibleByNilLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    package init(stringLiteral text: String) { self = .string(text) }
    package init(integerLiteral value: Int64) { self = .number(Number(value)) }
    package init(booleanLiteral flag: Bool) { self = .bool(flag) }
    package init(nilLiteral: ()) { self = .null }
    package init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
    package init(dictionaryLiteral members: (String, JSONValue)...) {
        self = .object(members.map { Member($0.0, $0.1) })
    }
}
