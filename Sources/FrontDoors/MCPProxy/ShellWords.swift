// SPDX-License-Identifier: Apache-2.0

/// Splits a command line as a POSIX shell splits words, without expanding anything.
enum ShellWords {
    enum Failure: Error, Equatable {
        case openQuote
        case nothingEscaped
    }

    /// Between double quotes a backslash escapes a double quote and itself; between single quotes nothing is special.
    static func split(_ line: String) throws(Failure) -> [String] {
        var words: [String] = []
        var word: String?
        var quote: Character?
        var rest = line[...]
        while let character = rest.popFirst() {
            switch (quote, character) {
            case ("'", "'"), ("\"", "\""): quote = nil
            case ("\"", "\\"):
                guard let next = rest.popFirst() else { throw .openQuote }
                word = (word ?? "") + (next == "\"" || next == "\\" ? "\(next)" : "\\\(next)")
            case (.some, _): word = (word ?? "") + "\(character)"
            case (nil, "'"), (nil, "\""):
                quote = character
                word = word ?? ""
            case (nil, "\\"):
                guard let next = rest.popFirst() else { throw .nothingEscaped }
                word = (word ?? "") + "\(next)"
            case (nil, _) where character.isWhitespace:
                if let word { words.append(word) }
                word = nil
            case (nil, _): word = (word ?? "") + "\(character)"
            }
        }
        if quote != nil { throw .openQuote }
        if let word { words.append(word) }
        return words
    }
}
