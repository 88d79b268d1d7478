// SPDX-License-Identifier: Apache-2.0
import Foundation

@testable import FrontDoors

/// One file of Golden/: what a door is given, a rule, and what it makes of that.
///
/// Lines of the input: the command line, which begins with the door's name; `NAME=VALUE` or `NAME="VALUE"` for a
/// variable; `file NAME` and, behind `| `, the lines of that file; `# ` for a remark. With LODGE_RECORD_GOLDEN=1 the
/// second part is written instead of compared; what is written is read before it is committed.
struct GoldenCase: Sendable, CustomStringConvertible {
    static let rule = "----------"
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Golden")

    let description: String
    let door: FrontDoor
    private let place: URL
    private let input: String
    let expected: String
    private var arguments: [String] = []
    private var environment: [String: String] = [:]
    private var files: [String: String] = [:]

    static let all: [GoldenCase] = {
        let paths = FileManager.default.enumerator(atPath: folder.path(percentEncoded: false))?.allObjects ?? []
        return paths.compactMap { $0 as? String }.filter { $0.hasSuffix(".golden") }.sorted()
            .compactMap { GoldenCase($0) }
    }()

    private init?(_ path: String) {
        place = Self.folder.appending(path: path)
        guard let text = try? String(contentsOf: place, encoding: .utf8),
            let door = path.split(separator: "/").first.flatMap({ FrontDoor(rawValue: String($0)) })
        else { return nil }
        let parts = text.split(separator: Self.rule + "\n", maxSplits: 1, omittingEmptySubsequences: false)
        description = path
        self.door = door
        input = String(parts[0])
        expected = parts.count > 1 ? String(parts[1]) : ""
        var file = ""
        for line in input.split(separator: "\n") {
            if line.hasPrefix("# ") { continue }
            if line.hasPrefix("| ") {
                files[file, default: ""] += line.dropFirst(2) + "\n"
            } else if line.hasPrefix("file ") {
                file = String(line.dropFirst(5))
                files[file] = ""
            } else if line == door.rawValue || line.hasPrefix(door.rawValue + " ") {
                guard let words = try? ShellWords.split(String(line)) else { return nil }
                arguments = Array(words.dropFirst())
            } else if let mark = line.firstIndex(of: "=") {
                let value = line[line.index(after: mark)...]
                let isQuoted = value.count > 1 && value.hasPrefix("\"") && value.hasSuffix("\"")
                environment[String(line[..<mark])] = String(isQuoted ? value.dropFirst().dropLast() : value)
            } else {
                return nil
            }
        }
    }

    /// What the door makes of the input, as text.
    var actual: String {
        do throws(DoorRefusal) {
            let files = files
            return try door.request(arguments, environment: environment, version: "9.9.9") { name in
                files[name].map { Array($0.utf8) }
            }.dump
        } catch {
            let hints = error.hints.map { "hint: \($0)\n" }.joined()
            return "error, status \(error.status)\(error.help == nil ? "" : ", with help"): \(error.message)\n" + hints
        }
    }

    func record() throws {
        try Data((input + Self.rule + "\n" + actual).utf8).write(to: place)
    }
}
