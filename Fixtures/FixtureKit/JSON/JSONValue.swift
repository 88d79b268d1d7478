// SPDX-License-Identifier: Apache-2.0

/// A JSON value as a fixture reads or writes it.
///
/// Numbers keep the text they were written in, and members keep their order and may repeat, so that a fixture can send
/// back exactly what it was sent. It is for fixtures only: the broker has its own codec, and a fixture that shared it
/// would share its mistakes.
package enum JSONValue: Hashable, Sendable {
    case null
    case bool(Bool)
    /// A number, as written.
    case number(String)
    case string(String)
    case array([JSONValue])
    case object([Member])

    /// One name and its value in an object.
    package struct Member: Hashable, Sendable {
        package var name: String
        package var value: JSONValue

        package init(_ name: String, _ value: JSONValue) {
            self.name = name
            self.value = value
        }
    }

    /// The value of the first member with that name; setting nil removes every such member.
    package subscript(name: String) -> JSONValue? {
        get { members?.first { $0.name == name }?.value }
        set {
            var list = members ?? []
            guard let newValue else {
                list.removeAll { $0.name == name }
                self = .object(list)
                return
            }
            if let place = list.firstIndex(where: { $0.name == name }) {
                list[place].value = newValue
            } else {
                list.append(Member(name, newValue))
            }
            self = .object(list)
        }
    }

    package var members: [Member]? {
        if case .object(let members) = self { members } else { nil }
    }

    package var elements: [JSONValue]? {
        if case .array(let elements) = self { elements } else { nil }
    }

    package var text: String? {
        if case .string(let text) = self { text } else { nil }
    }

    package var flag: Bool? {
        if case .bool(let flag) = self { flag } else { nil }
    }

    /// The number as a double, when it is one.
    package var double: Double? {
        if case .number(let text) = self { Double(text) } else { nil }
    }

    /// The number as an integer; `3.0` counts, `3.5` does not.
    package var integer: Int? {
        guard case .number(let text) = self else { return nil }
        if let exact = Int(text) { return exact }
        return Double(text).flatMap { Int(exactly: $0) }
    }

    /// A number from an integer.
    package static func integer(_ value: Int) -> JSONValue { .number(String(value)) }

    /// An array of strings.
    package static func strings(_ values: some Sequence<String>) -> JSONValue { .array(values.map { .string($0) }) }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral {
    package init(stringLiteral value: String) { self = .string(value) }

    package init(integerLiteral value: Int) { self = .integer(value) }

    package init(floatLiteral value: Double) { self = .number("\(value)") }
}

extension JSONValue: ExpressibleByBooleanLiteral, ExpressibleByNilLiteral {
    package init(booleanLiteral value: Bool) { self = .bool(value) }

    package init(nilLiteral _: ()) { self = .null }
}

extension JSONValue: ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral {
    package init(arrayLiteral elements: JSONValue...) { self = .array(elements) }

    package init(dictionaryLiteral elements: (String, JSONValue)...) {
        self = .object(elements.map { Member($0.0, $0.1) })
    }
}
