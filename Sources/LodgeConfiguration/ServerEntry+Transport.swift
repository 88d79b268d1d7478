// SPDX-License-Identifier: Apache-2.0

/// How a server is reached, in the words of the programs whose files are read.
extension ServerEntry {
    private typealias Written = (text: String, location: SourceLocation)

    mutating func transport(
        server: String, origin: SourceLocation
    ) throws(ConfigurationError) -> ServerTransport {
        try refuseExtension()
        let type = try positionedString("type")
        // Only OpenCode has its command and arguments in one list, and it says so by this type.
        let words = type?.text == "local" ? try strings("command") ?? [] : try positionedString("command").map { [$0] }
        let url = try url()
        if words?.isEmpty == false, url != nil {
            throw ConfigurationError(.transport, "\(label) has both a command and a url; keep one", at: origin)
        }
        let kind: RemoteSpecification.Kind
        switch type?.text {
        case nil where url != nil: kind = .unstated
        case nil, "stdio": return .child(try child(server: server, words: words ?? [], origin: origin))
        case "local":
            return .child(try child(server: server, words: words ?? [], bracesAreReferences: true, origin: origin))
        case "remote": kind = .unstated
        case "http", "streamable-http", "streamable_http", "streamableHttp": kind = .streamableHTTP
        case "sse": kind = .serverSentEvents
        case .some(let word):
            throw ConfigurationError(
                .transport, "\(label): type '\(word)' is not known; use stdio, http or sse", at: type?.location)
        }
        guard let url, !url.text.allSatisfy(\.isWhitespace) else {
            throw ConfigurationError(.transport, "\(label) must have a url", at: origin)
        }
        let place = ValuePlace(server: server, role: .url, location: url.location)
        return .remote(
            RemoteSpecification(
                kind: kind, url: try ConfiguredValue(url.text, at: place),
                headers: try values("headers", server: server) { .header($0) }))
    }

    /// Zed says where a server comes from; one of an extension has no command in the file.
    private mutating func refuseExtension() throws(ConfigurationError) {
        guard let source = try positionedString("source"), source.text != "custom" else { return }
        throw ConfigurationError(
            .unsupported,
            "\(label) has the source '\(source.text)', so another program knows how to start it;"
                + " give it a command or leave it out", at: source.location)
    }

    /// `env_vars` is Codex's word for what a server gets of the environment of whoever starts it.
    private mutating func passedVariables() throws(ConfigurationError) -> [String] {
        var names: [String] = []
        for (name, location) in try strings("env_vars") ?? [] {
            guard ConfiguredValue.isVariableName(name[...]) else {
                throw ConfigurationError(
                    .value, "\(label): env_vars has '\(name)', which is not the name of a variable", at: location)
            }
            names.append(name)
        }
        return names
    }

    /// `httpUrl` is Gemini CLI's word and `serverUrl` Windsurf's.
    private mutating func url() throws(ConfigurationError) -> Written? {
        for key in ["url", "httpUrl", "serverUrl"] {
            if let written = try positionedString(key) { return written }
        }
        return nil
    }

    /// - Parameter bracesAreReferences: whether `{env:NAME}` and `{file:PATH}` are references, as OpenCode has them.
    private mutating func child(
        server: String, words: [Written], bracesAreReferences: Bool = false, origin: SourceLocation
    ) throws(ConfigurationError) -> ChildSpecification {
        guard let command = words.first, !command.text.allSatisfy(\.isWhitespace) else {
            throw ConfigurationError(.transport, "\(label) must have a command", at: origin)
        }
        func value(_ written: Written, _ role: ValuePlace.Role) throws(ConfigurationError) -> ConfiguredValue {
            try ConfiguredValue(
                bracesAreReferences ? written.text.withMarkedReferences : written.text,
                at: ValuePlace(server: server, role: role, location: written.location))
        }
        var arguments: [ConfiguredValue] = []
        for (index, argument) in (words.dropFirst() + (try strings("args") ?? [])).enumerated() {
            arguments.append(try value(argument, .argument(index + 1)))
        }
        var directory: ConfiguredValue?
        if let written = try positionedString("cwd") { directory = try value(written, .workingDirectory) }
        var environment = try values("env", server: server) { .environment($0) }
        let more = try values(
            "environment", server: server, marksReferences: bracesAreReferences
        ) { .environment($0) }
        environment.merge(more) { first, _ in first }
        return ChildSpecification(
            command: try value(command, .command), arguments: arguments, environment: environment,
            passThrough: try passedVariables(), workingDirectory: directory)
    }
}

extension String {
    /// The text with `{env:` and `{file:` as the references of Lodge, `${env:` and `${file:`.
    var withMarkedReferences: String {
        var marked = ""
        for index in indices {
            let rest = self[index...]
            if rest.hasPrefix("{env:") || rest.hasPrefix("{file:"), marked.last != "$" { marked.append("$") }
            marked.append(self[index])
        }
        return marked
    }
}
