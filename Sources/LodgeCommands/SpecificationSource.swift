// SPDX-License-Identifier: Apache-2.0
import Foundation
import LodgeConfiguration

/// A file of servers as a flag names it; `-` is standard input.
struct SpecificationSource {
    let path: String
    /// The flag, for the sentence that says what to do.
    let flag: String

    /// How errors and notices name the file.
    var name: String { path == "-" ? "standard input" : path }

    func read(_ options: SpecificationFile.Options = .init()) throws -> SpecificationFile {
        // Not by FileManager, which does not read pipes, such as a shell's <(…).
        let file = path == "-" ? FileHandle.standardInput : FileHandle(forReadingAtPath: path)
        guard let file, let data = try? file.readToEnd() ?? Data() else {
            throw CommandFailure(
                message: "the file '\(path)' cannot be read; name a readable file with \(flag)", status: 2)
        }
        do {
            return try SpecificationFile.read(Array(data), sourceName: name, options: options)
        } catch {
            throw CommandFailure(message: error.description, status: 2)
        }
    }
}
