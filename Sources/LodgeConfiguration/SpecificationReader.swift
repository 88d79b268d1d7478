// SPDX-License-Identifier: Apache-2.0

/// Collects the servers of one file, keeps their names apart, and gathers warnings.
struct SpecificationReader {
    private struct Known {
        var written: String
        var location: SourceLocation
    }

    let text: SourceText
    private(set) var servers: [ServerSpecification] = []
    private(set) var warnings: [String] = []
    private var known: [ServerName: Known] = [:]

    init(text: SourceText) { self.text = text }

    mutating func read(list elements: [PositionedJSON]) throws(ConfigurationError) {
        for (index, element) in elements.enumerated() {
            guard case .object(let members) = element.content else {
                throw ConfigurationError(
                    .value, "server \(index + 1) must be an object, not \(element.kind)",
                    at: text.location(of: element.offset))
            }
            var entry = try ServerEntry(
                members, at: element.offset, label: "server \(index + 1)", foldsCase: true, text: text)
            let name = try entry.string("name") ?? ""
            guard name.contains(where: { !$0.isWhitespace }) else {
                throw ConfigurationError(
                    .name, "server \(index + 1) must have a name", at: text.location(of: element.offset))
            }
            try add(&entry, named: name, at: text.location(of: element.offset))
        }
    }

    mutating func read(document members: [PositionedJSON.Member], at offset: Int) throws(ConfigurationError) {
        let found = members.filter { $0.key == "mcpServers" }
        guard let servers = found.first else {
            throw ConfigurationError(
                .syntax, "there is no 'mcpServers'; give an object with 'mcpServers' or a list of servers",
                at: text.location(of: offset))
        }
        if found.count > 1 {
            throw ConfigurationError(
                .duplicate, "'mcpServers' appears twice; join the two", at: text.location(of: found[1].offset))
        }
        let others = members.map(\.key).filter { $0 != "mcpServers" }
        if !others.isEmpty { warn("only 'mcpServers' is read; ignored: \(others.joined(separator: ", "))", at: nil) }
        guard case .object(let entries) = servers.value.content else {
            throw ConfigurationError(
                .value, "'mcpServers' must be an object, not \(servers.value.kind)",
                at: text.location(of: servers.value.offset))
        }
        for entry in entries {
            let location = text.location(of: entry.offset)
            guard entry.key.contains(where: { !$0.isWhitespace }) else {
                throw ConfigurationError(.name, "a server of 'mcpServers' must have a name", at: location)
            }
            guard case .object(let members) = entry.value.content else {
                throw ConfigurationError(
                    .value, "server '\(entry.key)' must be an object, not \(entry.value.kind)",
                    at: text.location(of: entry.value.offset))
            }
            var reader = try ServerEntry(
                members, at: entry.value.offset, label: "server '\(entry.key)'", foldsCase: false, text: text)
            try add(&reader, named: entry.key, at: location)
        }
    }

    private mutating func add(
        _ entry: inout ServerEntry, named written: String, at location: SourceLocation
    ) throws(ConfigurationError) {
        entry.label = "server '\(written)'"
        let name = try name(for: written, at: location)
        if let earlier = known[name] {
            let message =
                earlier.written == written
                ? "server name '\(written)' is used twice (first on line \(earlier.location.line)); rename one of them"
                : "servers '\(earlier.written)' and '\(written)' would both be named '\(name)'; rename one of them"
            throw ConfigurationError(.duplicate, message, at: location)
        }
        known[name] = Known(written: written, location: location)
        let specification = try entry.specification(name: name, written: written, origin: location)
        for warning in entry.warnings { warn(warning.text, at: warning.location) }
        if name.text != written { warn("server '\(written)' is named '\(name)' here", at: location) }
        if let specification {
            servers.append(specification)
        } else {
            warn("server '\(written)' is disabled and left out", at: location)
        }
    }

    private func name(for written: String, at location: SourceLocation) throws(ConfigurationError) -> ServerName {
        if let name = try? ServerName(written) { return name }
        guard let slug = ServerName.slug(of: written) else {
            if written.lowercased().contains(ServerName.reserved) { throw ServerName.isReserved(written, at: location) }
            throw ConfigurationError(
                .name, "server name '\(written)' has no letter a-z and no digit; rename it", at: location)
        }
        return slug
    }

    private mutating func warn(_ message: String, at location: SourceLocation?) {
        warnings.append(location.map { "\($0): \(message)" } ?? "\(text.name): \(message)")
    }
}
