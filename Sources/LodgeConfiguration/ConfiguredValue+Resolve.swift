// SPDX-License-Identifier: Apache-2.0

private import Secrets

/// What a configured value came to when an upstream started.
package struct ResolvedValue: Hashable, Sendable, CustomStringConvertible, CustomDebugStringConvertible {
    package let value: String
    /// Whether it must be redacted wherever it shows.
    package let isSecret: Bool

    package init(value: String, isSecret: Bool) {
        self.value = value
        self.isSecret = isSecret
    }

    package var description: String { isSecret ? "ResolvedValue(withheld)" : "ResolvedValue(\(value))" }
    package var debugDescription: String { description }
}

extension ConfiguredValue {
    /// Resolves the references; call it when the upstream starts and not before.
    ///
    /// A value is a secret if a reference gave a part of it, unless that was one of `plainVariables` or the reference's
    /// own default; or if it stands under a name that names a credential. What stands on a command line is never one:
    /// the initializer refuses credentials there. A secret that is unresolved or empty is an error.
    ///
    /// - Parameters:
    ///   - environment: Lodge's own environment.
    ///   - readFile: returns the content of a file of secrets; one trailing line ending is dropped.
    package func resolve(
        environment: [String: String], readFile: (String) throws -> [UInt8]
    ) throws(ConfigurationError) -> ResolvedValue {
        var value = ""
        var isSecret = place.namesCredential
        for segment in segments {
            switch segment {
            case .literal(let text): value += text
            case .reference(.file(let path), _):
                value += try content(of: path, environment: environment, readFile: readFile)
                isSecret = true
            case .reference(.variable(let name), let fallback):
                let isPlain = Self.plainVariables.contains(name) || place.isVisibleToOthers
                if let found = environment[name], !found.isEmpty || (isPlain && fallback == nil) {
                    value += found
                    isSecret = isSecret || !isPlain
                } else if let fallback {
                    value += fallback
                } else {
                    let state = environment[name] == nil ? "not set" : "empty"
                    throw ConfigurationError(
                        .unresolved,
                        "\(place.label) needs the variable \(name), which is \(state); set it where Lodge runs",
                        at: place.location)
                }
            }
        }
        guard !isSecret || !value.isEmpty else {
            throw ConfigurationError(
                .unresolved, "\(place.label) is a secret and empty; give it a value or remove it", at: place.location)
        }
        return ResolvedValue(value: value, isSecret: isSecret)
    }

    private func content(
        of path: String, environment: [String: String], readFile: (String) throws -> [UInt8]
    ) throws(ConfigurationError) -> String {
        let resolved = Self.expanded(path, home: environment["HOME"])
        var bytes: [UInt8]
        do {
            bytes = try readFile(resolved)
        } catch {
            throw ConfigurationError(
                .unresolved, "\(place.label) needs a file that cannot be used: \(error)", at: place.location)
        }
        if bytes.last == UInt8(ascii: "\n") { bytes.removeLast() }
        if bytes.last == UInt8(ascii: "\r") { bytes.removeLast() }
        guard !bytes.isEmpty else {
            throw ConfigurationError(
                .unresolved, "\(place.label) needs the file '\(resolved)', which is empty; write the secret into it",
                at: place.location)
        }
        guard !bytes.contains(0), let text = String(validating: bytes, as: UTF8.self) else {
            throw ConfigurationError(
                .unresolved, "\(place.label) needs the file '\(resolved)', which is not text; name the right file",
                at: place.location)
        }
        return text
    }

    /// The path of a file with `~/` replaced.
    static func expanded(_ path: String, home: String?) -> String {
        guard path.hasPrefix("~/"), let home else { return path }
        return home + path.dropFirst(1)
    }
}
