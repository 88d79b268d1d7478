// SPDX-License-Identifier: Apache-2.0
import JSONRPC

/// One server of a file of `--named-server-config`.
///
/// `timeout` and `transportType` are known and mean nothing; other members are of other programs.
enum NamedServerEntry {
    case usable(ServerCommand)
    case switchedOff
    case unusable(String)

    init(_ entry: JSONValue, passed: [String]) {
        guard entry.members != nil else {
            self = .unusable("it is not an object")
            return
        }
        if Self.isFalse(entry["enabled"]) || entry["disabled"] == .bool(true) {
            self = .switchedOff
            return
        }
        guard let program = entry["command"]?.string, !program.isEmpty else {
            self = .unusable("it has no command")
            return
        }
        guard let arguments = Self.strings(entry["args"] ?? []) else {
            self = .unusable("args is not a list of strings")
            return
        }
        guard let environment = Self.variables(entry["env"] ?? [:]) else {
            self = .unusable("env is not an object of strings")
            return
        }
        self = .usable(
            ServerCommand(program: program, arguments: arguments, environment: environment, passed: passed))
    }

    /// Whether a value is one that counts as false.
    private static func isFalse(_ value: JSONValue?) -> Bool {
        switch value {
        case nil, .bool(true), .object, .array: false
        case .bool(false), .null: true
        case .number(let number): number.double == 0
        case .string(let text): text.isEmpty
        }
    }

    private static func strings(_ value: JSONValue) -> [String]? {
        guard let elements = value.elements, elements.allSatisfy({ $0.string != nil }) else { return nil }
        return elements.compactMap(\.string)
    }

    private static func variables(_ value: JSONValue) -> [String: String]? {
        guard let members = value.members, members.allSatisfy({ $0.value.string != nil }) else { return nil }
        return Dictionary(members.map { ($0.name, $0.value.string ?? "") }) { _, last in last }
    }
}
