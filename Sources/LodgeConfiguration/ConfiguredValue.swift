// SPDX-License-Identifier: Apache-2.0

private import Secrets

/// A value as a configuration gives it: a literal, or one with references that are resolved when an upstream starts.
///
/// It never holds the value that a reference stands for. `${VAR}`, `${VAR:-default}`, `${env:NAME}` and `${file:PATH}`
/// are references and `$${` is a literal `${`; a `$` before anything else is itself. References do not nest.
package struct ConfiguredValue: Hashable, Sendable {
    enum Source: Hashable, Sendable {
        case variable(String)
        case file(String)
    }

    enum Segment: Hashable, Sendable {
        case literal(String)
        case reference(Source, fallback: String?)
    }

    /// As written, references unresolved.
    package let text: String
    package let place: ValuePlace
    let segments: [Segment]

    /// Variables that are settings of the machine, never secrets, however they are referred to.
    ///
    /// Without this list a server with `${HOME}/data` in its environment would have every path redacted.
    package static let plainVariables: Set<String> = [
        "HOME", "USER", "LOGNAME", "PWD", "PATH", "LANG", "TERM", "TMPDIR", "SHELL", "HOSTNAME",
        "CLAUDE_PROJECT_DIR", "CLAUDE_PLUGIN_ROOT",
    ]

    /// Reads a value as written at a place; throws for a reference that is malformed, unknown or not allowed there.
    package init(_ text: String, at place: ValuePlace) throws(ConfigurationError) {
        guard !text.utf8.contains(0) else {
            throw ConfigurationError(.value, "\(place.label) holds a NUL character; remove it", at: place.location)
        }
        self.text = text
        self.place = place
        self.segments = try Self.segments(of: text, at: place)
    }

    /// Tells whether resolving needs anything from outside.
    package var hasReferences: Bool {
        segments.contains { if case .reference = $0 { true } else { false } }
    }

    private static func segments(of text: String, at place: ValuePlace) throws(ConfigurationError) -> [Segment] {
        var segments: [Segment] = []
        var literal = ""
        var rest = Substring(text)
        while let dollar = rest.firstIndex(of: "$") {
            literal += rest[..<dollar]
            rest = rest[dollar...]
            if rest.hasPrefix("$${") {
                literal += "${"
                rest = rest.dropFirst(3)
            } else if rest.hasPrefix("${") {
                guard let end = rest.firstIndex(of: "}") else {
                    throw ConfigurationError(
                        .value, "\(place.label) has a '${' without '}'; write '$${' for a literal '${'",
                        at: place.location)
                }
                if !literal.isEmpty { segments.append(.literal(literal)) }
                literal = ""
                segments.append(try reference(String(rest[rest.index(rest.startIndex, offsetBy: 2)..<end]), at: place))
                rest = rest[rest.index(after: end)...]
            } else {
                literal += "$"
                rest = rest.dropFirst()
            }
        }
        literal += rest
        if !literal.isEmpty { segments.append(.literal(literal)) }
        return segments
    }

    private static func reference(_ body: String, at place: ValuePlace) throws(ConfigurationError) -> Segment {
        let segment: Segment
        if body.hasPrefix("env:"), isVariableName(body.dropFirst(4)) {
            segment = .reference(.variable(String(body.dropFirst(4))), fallback: nil)
        } else if body.hasPrefix("file:"), body.utf8.count > 5 {
            segment = .reference(.file(String(body.dropFirst(5))), fallback: nil)
        } else if isVariableName(body[...]) {
            segment = .reference(.variable(body), fallback: nil)
        } else if let (name, fallback) = withFallback(body) {
            segment = .reference(.variable(name), fallback: fallback)
        } else {
            throw refusal(of: body, at: place)
        }
        try refuseVisibleSecret(segment, at: place)
        return segment
    }

    private static func withFallback(_ body: String) -> (String, String)? {
        guard let mark = body.firstRange(of: ":-"), isVariableName(body[..<mark.lowerBound]) else { return nil }
        return (String(body[..<mark.lowerBound]), String(body[mark.upperBound...]))
    }

    private static func refusal(of body: String, at place: ValuePlace) -> ConfigurationError {
        let server = "server '\(place.server)'"
        if body.hasPrefix("secret:") {
            return ConfigurationError(
                .unsupported,
                "\(server): ${\(body)} needs the vault, which this version does not have yet;"
                    + " use ${env:NAME} or ${file:PATH}", at: place.location)
        }
        if body.hasPrefix("exec:") {
            return ConfigurationError(
                .unsupported,
                "\(server): ${exec:…} is refused in an imported file, since it would run a command;"
                    + " use ${env:NAME} or ${file:PATH}", at: place.location)
        }
        if body.hasPrefix("input:") {
            return ConfigurationError(
                .unsupported,
                "\(place.label) has ${\(body)}, for which an editor asks its user, and Lodge asks nobody;"
                    + " use ${env:NAME} or ${file:PATH}", at: place.location)
        }
        return ConfigurationError(
            .value,
            "\(place.label) has ${\(body)}, which Lodge cannot resolve; use ${env:NAME} or ${file:PATH},"
                + " or '$${' for a literal '${'", at: place.location)
    }

    private static func refuseVisibleSecret(_ segment: Segment, at place: ValuePlace) throws(ConfigurationError) {
        guard place.isVisibleToOthers, case .reference(let source, _) = segment else { return }
        let name: String
        switch source {
        case .variable(let variable):
            guard CredentialNames.isCredential(variable) else { return }
            name = variable
        case .file(let path): name = "the content of '\(path)'"
        }
        throw ConfigurationError(
            .value,
            "\(place.label) would put \(name) on the command line, where every process can read it;"
                + " put it under env", at: place.location)
    }

    static func isVariableName(_ name: Substring) -> Bool {
        guard let first = name.unicodeScalars.first, !("0"..."9").contains(first) else { return false }
        return name.unicodeScalars.allSatisfy {
            ("a"..."z").contains($0) || ("A"..."Z").contains($0) || ("0"..."9").contains($0) || $0 == "_"
        }
    }
}
