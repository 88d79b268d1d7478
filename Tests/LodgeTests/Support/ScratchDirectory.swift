// SPDX-License-Identifier: Apache-2.0
import Foundation

/// A directory of one test, for its owner only, which goes with it.
struct ScratchDirectory: Sendable {
    let path: String

    /// Makes a directory, runs the body and removes it.
    static func with<Result>(_ body: (ScratchDirectory) async throws -> Result) async throws -> Result {
        let place = FileManager.default.temporaryDirectory.appending(path: "lodge-test-\(UUID().uuidString)")
        let path = place.path(percentEncoded: false)
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
        defer { try? FileManager.default.removeItem(atPath: path) }
        return try await body(ScratchDirectory(path: path))
    }

    /// Writes a file and answers its path.
    @discardableResult
    func write(_ text: String, to name: String) throws -> String {
        try Data(text.utf8).write(to: URL(filePath: path + "/" + name))
        return path + "/" + name
    }

    /// Writes a program and answers its path.
    ///
    /// Another process writes it: a program that this one has open for writing cannot be started, and a test beside
    /// this one that forks at the moment keeps it open.
    func program(_ text: String, named name: String) throws -> String {
        let file = path + "/" + name
        let writer = Process()
        writer.executableURL = URL(filePath: "/bin/sh")
        writer.arguments = ["-c", "printf '%s' \"$2\" >\"$1\" && chmod 755 \"$1\"", "sh", file, text]
        try writer.run()
        writer.waitUntilExit()
        return file
    }

    func read(_ name: String) throws -> String {
        String(decoding: try Data(contentsOf: URL(filePath: path + "/" + name)), as: UTF8.self)
    }

    func exists(_ name: String) -> Bool { FileManager.default.fileExists(atPath: path + "/" + name) }

    /// Makes a directory unless it is there, and answers its path.
    func directory(_ name: String) throws -> String {
        try FileManager.default.createDirectory(atPath: path + "/" + name, withIntermediateDirectories: true)
        return path + "/" + name
    }
}
