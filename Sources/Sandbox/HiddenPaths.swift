// SPDX-License-Identifier: Apache-2.0

/// The paths of a request in the order in which they must be covered.
///
/// A path inside a hidden directory is gone with it and is not covered again, unless it lies in the session's own
/// directory, which is put back.
struct HiddenPaths: Hashable {
    /// Covered before the own directory is put back.
    private(set) var outer: [PathFacts.Fact] = []
    /// The own directory, if covering the outer paths hides it.
    private(set) var own: String?
    /// Covered after that.
    private(set) var inner: [PathFacts.Fact] = []
    /// Paths where there is nothing to cover.
    private(set) var absent: [String] = []

    init(_ request: SandboxRequest, facts: PathFacts) throws(SandboxError) {
        var found: [PathFacts.Fact] = []
        for path in request.hiddenPaths {
            guard path.hasPrefix("/") else {
                throw SandboxError("the path '\(path)' cannot be hidden; give it in full, from /")
            }
            guard let fact = facts.look(path) else {
                if !absent.contains(path) { absent.append(path) }
                continue
            }
            guard fact.path != "/" else {
                throw SandboxError("the path '\(path)' is the root directory, which cannot be hidden; name less")
            }
            if !found.contains(fact) { found.append(fact) }
        }
        let own = request.ownDirectory.flatMap(facts.look)?.path
        if let directory = request.ownDirectory, own == nil {
            throw SandboxError("the session's directory '\(directory)' does not exist; make it first")
        }
        for fact in found where !found.contains(where: { $0 != fact && Self.contains($0.path, fact.path) }) {
            outer.append(fact)
        }
        if let own, outer.contains(where: { Self.contains($0.path, own) }) {
            self.own = own
            inner = found.filter { $0.path != own && Self.contains(own, $0.path) && !outer.contains($0) }
        }
        try refuse(hidden: request.workingDirectory, "the working directory", facts)
        if let program = request.command.first, program.hasPrefix("/") {
            try refuse(hidden: program, "the program", facts)
        }
    }

    /// Everything that is covered, for the statement.
    var all: [String] { (outer + inner).map(\.path).sorted() }

    private func refuse(hidden path: String, _ what: String, _ facts: PathFacts) throws(SandboxError) {
        let resolved = facts.look(path)?.path ?? path
        if let own, Self.contains(own, resolved), !inner.contains(where: { Self.contains($0.path, resolved) }) {
            return
        }
        guard let cover = (outer + inner).first(where: { Self.contains($0.path, resolved) }) else { return }
        throw SandboxError(
            "\(what) '\(path)' lies in '\(cover.path)', which the sandbox hides; use another or --sandbox=off")
    }

    private static func contains(_ directory: String, _ path: String) -> Bool {
        path == directory || path.hasPrefix(directory + "/")
    }
}
