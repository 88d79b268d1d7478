// SPDX-License-Identifier: Apache-2.0
import MCPProtocol

/// The members of one server's object, taken one by one with their types checked; what is never taken is unknown.
struct ServerEntry {
    /// How errors name the server.
    var label: String
    var warnings: [(text: String, location: SourceLocation)] = []

    let text: SourceText
    private let offset: Int
    let foldsCase: Bool
    private(set) var members: [PositionedJSON.Member]

    init(
        _ members: [PositionedJSON.Member], at offset: Int, label: String, foldsCase: Bool, text: SourceText
    ) throws(ConfigurationError) {
        self.label = label
        self.text = text
        self.offset = offset
        self.foldsCase = foldsCase
        self.members = members
        var seen: Set<String> = []
        for member in members where !seen.insert(Self.folded(member.key, foldsCase)).inserted {
            throw ConfigurationError(
                .duplicate, "\(label): '\(member.key)' appears twice; keep one", at: text.location(of: member.offset))
        }
    }

    private static func folded(_ key: String, _ foldsCase: Bool) -> String { foldsCase ? key.lowercased() : key }

    /// Takes a member out; one that is null counts as absent.
    mutating func take(_ key: String) -> PositionedJSON? {
        let wanted = Self.folded(key, foldsCase)
        guard let index = members.firstIndex(where: { Self.folded($0.key, foldsCase) == wanted }) else { return nil }
        let value = members.remove(at: index).value
        if case .null = value.content { return nil }
        return value
    }

    mutating func string(_ key: String) throws(ConfigurationError) -> String? {
        try positionedString(key)?.text
    }

    mutating func positionedString(
        _ key: String
    ) throws(ConfigurationError) -> (text: String, location: SourceLocation)? {
        guard let value = take(key) else { return nil }
        guard case .string(let string) = value.content else {
            throw wrong("\(key) must be a string, not \(value.kind)", value.offset)
        }
        return (string, text.location(of: value.offset))
    }

    mutating func boolean(_ key: String) throws(ConfigurationError) -> Bool? {
        guard let value = take(key) else { return nil }
        guard case .boolean(let boolean) = value.content else {
            throw wrong("\(key) must be true or false, not \(value.kind)", value.offset)
        }
        return boolean
    }

    mutating func strings(
        _ key: String
    ) throws(ConfigurationError) -> [(text: String, location: SourceLocation)]? {
        guard let value = take(key) else { return nil }
        guard case .array(let elements) = value.content else {
            throw wrong("\(key) must be a list of strings, not \(value.kind)", value.offset)
        }
        var strings: [(String, SourceLocation)] = []
        for element in elements {
            guard case .string(let string) = element.content else {
                throw wrong("\(key) must be a list of strings, not of \(element.kind)", element.offset)
            }
            strings.append((string, text.location(of: element.offset)))
        }
        return strings
    }

    func wrong(_ message: String, _ offset: Int) -> ConfigurationError {
        ConfigurationError(.value, "\(label): \(message)", at: text.location(of: offset))
    }

    /// Reads a map of values; a null leaves its name out, a number or boolean is taken as it is written.
    ///
    /// - Parameter marksReferences: whether a brace alone begins a reference, as in `{env:NAME}`.
    mutating func values(
        _ key: String, server: String, marksReferences: Bool = false, _ role: (String) -> ValuePlace.Role
    ) throws(ConfigurationError) -> [String: ConfiguredValue] {
        guard let map = take(key) else { return [:] }
        guard case .object(let entries) = map.content else {
            throw wrong("\(key) must be an object of strings, not \(map.kind)", map.offset)
        }
        var seen: Set<String> = []
        var values: [String: ConfiguredValue] = [:]
        for entry in entries {
            let name = entry.key
            guard !name.isEmpty, !name.contains("="), !name.utf8.contains(0) else {
                throw wrong("\(key) has the name '\(name)', which cannot be used; rename it", entry.offset)
            }
            guard seen.insert(name).inserted else {
                throw ConfigurationError(
                    .duplicate, "\(label): \(key) \(name) appears twice; keep one",
                    at: text.location(of: entry.offset))
            }
            let string: String
            switch entry.value.content {
            case .null: continue
            case .string(let written): string = marksReferences ? written.withMarkedReferences : written
            case .number(let written): string = written
            case .boolean(let written): string = written ? "true" : "false"
            case .array, .object:
                throw wrong("\(key) \(name) must be a string, not \(entry.value.kind)", entry.value.offset)
            }
            let location = text.location(of: entry.value.offset)
            if string.hasPrefix("$"), ConfiguredValue.isVariableName(string.dropFirst()) {
                warnings.append(
                    ("\(label): \(key) \(name) is taken as it is written; a variable is written ${NAME}", location))
            }
            values[name] = try ConfiguredValue(
                string, at: ValuePlace(server: server, role: role(name), location: location))
        }
        return values
    }

    /// Builds the specification; nil for a server that is switched off, of which nothing else has to be right.
    ///
    /// - Parameters:
    ///   - isolation: what an entry gets that names none.
    ///   - replicas: what a pool gets that names none.
    mutating func specification(
        name: ServerName, written: String, origin: SourceLocation, isolation fallback: Isolation, replicas: Int
    ) throws(ConfigurationError) -> ServerSpecification? {
        _ = take("name")
        let disabled = try boolean("disabled") ?? false
        let enabled = try boolean("enabled") ?? true
        guard enabled, !disabled else { return nil }
        let isolation = try isolation() ?? fallback
        let replicas = try self.replicas(isolation) ?? replicas
        let era = try era() ?? .legacy
        let tools = try tools(server: name)
        let resultLimit = try resultLimit()
        let requires = try requiredVariables()
        let (port, timeout) = (try hostPort(), callTimeout())
        let transport = try transport(server: written, origin: origin)
        for member in members {
            warnings.append(("\(label): '\(member.key)' is not known and ignored", text.location(of: member.offset)))
        }
        var specification = ServerSpecification(
            name: name, transport: transport, isolation: isolation, origin: origin)
        specification.replicas = replicas
        specification.tools = tools
        specification.resultLimit = resultLimit
        specification.requires = requires
        specification.hostPort = port
        specification.callTimeout = timeout
        specification.era = era
        return specification
    }

    private mutating func isolation() throws(ConfigurationError) -> Isolation? {
        guard let (word, location) = try positionedString("isolation") else { return nil }
        guard let isolation = Isolation(rawValue: word) else {
            throw ConfigurationError(
                .value, "\(label): isolation '\(word)' is not known; use \(Isolation.list)", at: location)
        }
        return isolation
    }

    private mutating func era() throws(ConfigurationError) -> Era? {
        guard let (word, location) = try positionedString("era") else { return nil }
        guard let era = Era(rawValue: word) else {
            throw ConfigurationError(
                .value, "\(label): era '\(word)' is not known; use legacy or modern", at: location)
        }
        return era
    }
}
