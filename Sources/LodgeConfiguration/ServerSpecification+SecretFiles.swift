// SPDX-License-Identifier: Apache-2.0

extension ServerSpecification {
    /// The files that `${file:PATH}` references of this server name, for hiding them from an agent.
    ///
    /// - Parameter home: what `~/` stands for, as when the references are resolved.
    package func secretFiles(home: String?) -> [String] {
        let values: [ConfiguredValue]
        switch transport {
        case .child(let child):
            values =
                [child.command] + child.arguments + child.environment.values
                + (child.workingDirectory.map { [$0] } ?? [])
        case .remote(let remote): values = [remote.url] + remote.headers.values
        }
        return Set(values.flatMap { $0.secretFiles(home: home) }).sorted()
    }
}

extension ConfiguredValue {
    fileprivate func secretFiles(home: String?) -> [String] {
        segments.compactMap { segment in
            guard case .reference(.file(let path), _) = segment else { return nil }
            return Self.expanded(path, home: home)
        }
    }
}
