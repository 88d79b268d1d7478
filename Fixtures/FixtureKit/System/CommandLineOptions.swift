// SPDX-License-Identifier: Apache-2.0

/// Words of a command line split into `--name value` options, bare `--name` flags and the rest.
///
/// A fixture takes every option it knows and then calls ``finish()``, which ends the process when words are left: a
/// misspelt option must not silently test something else.
package struct CommandLineOptions {
    private var words: [String]

    package init(_ words: some Sequence<String>) { self.words = Array(words) }

    /// Takes the next word that is no option.
    package mutating func takeWord() -> String? {
        guard let first = words.first, !first.hasPrefix("--") else { return nil }
        return words.removeFirst()
    }

    package mutating func takeFlag(_ name: String) -> Bool {
        guard let place = words.firstIndex(of: "--\(name)") else { return false }
        words.remove(at: place)
        return true
    }

    package mutating func takeValue(_ name: String) -> String? {
        guard let place = words.firstIndex(of: "--\(name)") else { return nil }
        guard place + 1 < words.count else { Self.refuse("option '--\(name)' needs a value") }
        words.remove(at: place)
        return words.remove(at: place)
    }

    /// Takes an option whose value is a number from zero on.
    package mutating func takeNumber(_ name: String) -> Int? {
        guard let value = takeValue(name) else { return nil }
        guard let number = Int(value), number >= 0 else {
            Self.refuse("option '--\(name)' needs a number and got '\(value)'")
        }
        return number
    }

    package func finish() {
        guard let first = words.first else { return }
        Self.refuse("unknown argument '\(first)'")
    }

    /// Says what is wrong on standard error and ends with status 2.
    package static func refuse(_ reason: String) -> Never {
        Descriptor.standardError.print("error: \(reason)")
        ProcessState.exit(2)
    }
}
