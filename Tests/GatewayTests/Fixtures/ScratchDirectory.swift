// SPDX-License-Identifier: Apache-2.0
import Foundation

/// Makes a directory for the body, and removes it afterwards.
func withScratchDirectory(_ body: (String) async throws -> Void) async throws {
    let directory = NSTemporaryDirectory() + "lodge-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    do {
        try await body(directory)
    } catch {
        try FileManager.default.removeItem(atPath: directory)
        throw error
    }
    try FileManager.default.removeItem(atPath: directory)
}

enum FileInfo {
    /// The permission bits of a file.
    static func mode(of path: String) async throws -> Int {
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        return (attributes[.posixPermissions] as? Int) ?? -1
    }
}
