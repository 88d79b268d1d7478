// SPDX-License-Identifier: Apache-2.0
import Foundation
import HTTPTransport
import Secrets

/// The headers that a command line names for every request.
enum RequestHeaders {
    /// Reads `Name: value` and `Name=VARIABLE`.
    static func read(
        _ literal: [String], variables: [String], environment: [String: String]
    ) throws(CommandFailure) -> [HTTPField] {
        var fields: [HTTPField] = []
        for text in literal {
            guard let field = field(text) else {
                throw CommandFailure(
                    message: "--header '\(name(of: text))' is no header; write it as 'Name: value'", status: 2)
            }
            fields.append(field)
        }
        for text in variables {
            guard let mark = text.firstIndex(of: "="), mark > text.startIndex else {
                throw CommandFailure(
                    message: "--header-env '\(text)' names no variable; write it as 'Name=VARIABLE'", status: 2)
            }
            let (name, variable) = (String(text[..<mark]), String(text[text.index(after: mark)...]))
            guard let value = environment[variable], !value.isEmpty else {
                throw CommandFailure(
                    message: "--header-env \(name) names the variable '\(variable)', which is not set or empty",
                    hints: ["export \(variable), or leave --header-env \(name) out"], status: 2)
            }
            let field = HTTPField(name, value)
            guard field.isValid else {
                throw CommandFailure(
                    message: "--header-env \(name) cannot be sent; its name or its value has other characters",
                    status: 2)
            }
            fields.append(field)
        }
        return fields
    }

    /// The names of headers whose value is a credential that stands on the command line.
    static func exposed(_ literal: [String]) -> [String] {
        literal.compactMap(field).map(\.name).filter {
            CredentialNames.isCredential($0) || $0.lowercased() == "cookie"
        }
    }

    private static func field(_ text: String) -> HTTPField? {
        guard let mark = text.firstIndex(of: ":") else { return nil }
        let value = text[text.index(after: mark)...].trimmingCharacters(in: .whitespaces)
        let field = HTTPField(String(text[..<mark]), value)
        return field.isValid ? field : nil
    }

    /// What may be shown of a header that is none: its value may be a credential.
    private static func name(of text: String) -> String {
        String(text.prefix { $0 != ":" && $0 != " " && $0 != "=" })
    }
}
