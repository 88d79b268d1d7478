// SPDX-License-Identifier: Apache-2.0

extension ChildSpecification {
    /// Throws what a spawn would throw for a program that is not there or cannot be run; starts nothing.
    package func checkProgram() throws(SpawnError) {
        try validate()
        _ = try ExecutableLookup(self).find()
    }

    /// Throws for what no program can be given: execve(2) ends every text at its first NUL.
    func validate() throws(SpawnError) {
        func refuse(_ reason: String) -> SpawnError {
            SpawnError(.badSpecification, starting: executable.filter { $0 != "\0" }, reason)
        }
        if executable.isEmpty { throw refuse("the command is empty; name a program") }
        if executable.utf8.contains(0) { throw refuse("the command contains a NUL character; remove it") }
        if let index = arguments.firstIndex(where: { $0.utf8.contains(0) }) {
            throw refuse("argument \(index + 1) contains a NUL character; remove it")
        }
        if workingDirectory?.utf8.contains(0) == true {
            throw refuse("the working directory contains a NUL character; remove it")
        }
        for (name, value) in environment.sorted(by: { $0.key < $1.key }) {
            if name.isEmpty || name.utf8.contains(UInt8(ascii: "=")) || name.utf8.contains(0) {
                let shown = name.filter { $0 != "\0" }
                throw refuse("'\(shown)' cannot name an environment variable; rename it without '=' and NUL")
            }
            // The value may be a secret, so only its name is told.
            if value.utf8.contains(0) {
                throw refuse("environment variable '\(name)' contains a NUL character; remove it")
            }
        }
        if !ProcessMarker.isValid(marker) {
            throw refuse("its marker is not 1 to 64 letters, digits, '-' and '_'; use a random one")
        }
    }

    /// The environment as it is handed over, in a stable order with the marker first.
    ///
    /// First, because a scan of /proc reads only the start of a very large environment.
    func environmentEntries(outerMarker: String?) -> [String] {
        let marker = "\(ProcessMarker.variable)=\(ProcessMarker.chain(outer: outerMarker, own: marker))"
        return [marker]
            + environment.filter { $0.key != ProcessMarker.variable }
            .sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
    }
}
