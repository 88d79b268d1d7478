// SPDX-License-Identifier: Apache-2.0

/// Collects the entries of one file, keeps their names apart, and gathers notices.
///
/// An entry that cannot be used is one result among others; whether it spoils the rest is for the caller to say.
struct SpecificationReader {
    private struct Known {
        var written: String
        var location: SourceLocation
    }

    let text: SourceText
    /// What an entry that names no isolation gets.
    let isolation: Isolation
    /// What a pool that names no number of replicas gets.
    let replicas: Int
    private(set) var entries: [SpecificationFile.Entry] = []
    private(set) var notices: [ConfigurationNotice] = []
    private var known: [ServerName: Known] = [:]

    init(text: SourceText, isolation: Isolation, replicas: Int) {
        self.text = text
        self.isolation = isolation
        self.replicas = replicas
    }

    mutating func read(list elements: [PositionedJSON]) {
        for (index, element) in elements.enumerated() {
            add { reader throws(ConfigurationError) in try reader.server(element, number: index + 1) }
        }
    }

    mutating func read(document members: [PositionedJSON.Member], at offset: Int) throws(ConfigurationError) {
        guard let (name, found) = SpecificationShape.found(in: members), let servers = found.first else {
            throw ConfigurationError(
                .syntax,
                "there are no servers; give a list of servers, or an object with \(SpecificationShape.names)",
                at: text.location(of: offset))
        }
        if found.count > 1 {
            throw ConfigurationError(
                .duplicate, "'\(name)' appears twice; join the two", at: text.location(of: found[1].offset))
        }
        noteIgnored(members.map(\.key).filter { $0 != name.prefix { $0 != "." } }, beside: name)
        guard case .object(let entries) = servers.value.content else {
            throw ConfigurationError(
                .value, "'\(name)' must be an object, not \(servers.value.kind)",
                at: text.location(of: servers.value.offset))
        }
        for entry in entries {
            add { reader throws(ConfigurationError) in try reader.server(entry, of: name) }
        }
    }

    /// The settings of a whole program may stand beside its servers: a few names tell which file it is.
    private mutating func noteIgnored(_ others: [String], beside name: String) {
        guard !others.isEmpty else { return }
        let listed = others.prefix(5).joined(separator: ", ")
        let more = others.count > 5 ? " and \(others.count - 5) more" : ""
        warn("only '\(name)' is read; ignored: \(listed)\(more)", at: nil)
    }

    private mutating func add(
        _ read: (inout SpecificationReader) throws(ConfigurationError) -> ServerSpecification?
    ) {
        do throws(ConfigurationError) {
            if let server = try read(&self) { entries.append(.server(server)) }
        } catch {
            entries.append(.refused(error))
        }
    }

    private mutating func server(
        _ element: PositionedJSON, number: Int
    ) throws(ConfigurationError) -> ServerSpecification? {
        guard case .object(let members) = element.content else {
            throw ConfigurationError(
                .value, "server \(number) must be an object, not \(element.kind)",
                at: text.location(of: element.offset))
        }
        var entry = try ServerEntry(
            members, at: element.offset, label: "server \(number)", foldsCase: true, text: text)
        let name = try entry.string("name") ?? ""
        guard name.contains(where: { !$0.isWhitespace }) else {
            throw ConfigurationError(
                .name, "server \(number) must have a name", at: text.location(of: element.offset))
        }
        return try server(&entry, named: name, at: text.location(of: element.offset))
    }

    private mutating func server(
        _ entry: PositionedJSON.Member, of shape: String
    ) throws(ConfigurationError) -> ServerSpecification? {
        let location = text.location(of: entry.offset)
        guard entry.key.contains(where: { !$0.isWhitespace }) else {
            throw ConfigurationError(.name, "a server of '\(shape)' must have a name", at: location)
        }
        guard case .object(let members) = entry.value.content else {
            throw ConfigurationError(
                .value, "server '\(entry.key)' must be an object, not \(entry.value.kind)",
                at: text.location(of: entry.value.offset))
        }
        var reader = try ServerEntry(
            members, at: entry.value.offset, label: "server '\(entry.key)'", foldsCase: false, text: text)
        return try server(&reader, named: entry.key, at: location)
    }

    private mutating func server(
        _ entry: inout ServerEntry, named written: String, at location: SourceLocation
    ) throws(ConfigurationError) -> ServerSpecification? {
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
        let specification = try entry.specification(
            name: name, written: written, origin: location, isolation: isolation, replicas: replicas)
        for warning in entry.warnings { warn(warning.text, at: warning.location) }
        guard let specification else {
            notices.append(
                ConfigurationNotice(.info, "server '\(written)' is disabled and left out", at: location))
            return nil
        }
        if name.text != written { warn("server '\(written)' is named '\(name)' here", at: location) }
        return specification
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
        notices.append(
            location.map { ConfigurationNotice(.warning, message, at: $0) }
                ?? ConfigurationNotice(.warning, message, at: text.name))
    }
}
