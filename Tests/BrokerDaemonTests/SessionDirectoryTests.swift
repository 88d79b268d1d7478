// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

@testable import BrokerDaemon

@Suite("The directory of a session")
struct SessionDirectoryTests {
    private let files = FileManager.default

    /// Runs a test in a place for temporary files of its own.
    private func inPlace(_ body: (_ root: String, _ parent: String) throws -> Void) throws {
        let place = files.temporaryDirectory.appending(path: "lodge-test-\(UUID().uuidString)")
        try files.createDirectory(at: place, withIntermediateDirectories: false)
        defer { try? files.removeItem(at: place) }
        let root = place.path(percentEncoded: false)
        try body(root, "\(root)/lodge-\(getuid())")
    }

    private func mode(_ path: String) throws -> Int {
        try #require(files.attributesOfItem(atPath: path)[.posixPermissions] as? Int)
    }

    private func refused(in root: String, naming path: String) {
        let failure = #expect(throws: AgentSession.Failure.self) { _ = try SessionDirectory(in: root) }
        #expect(failure?.message == "the directory '\(path)' cannot be used for the session's files")
        #expect(failure?.hints == ["remove it, or name another place in TMPDIR"])
        #expect(failure?.status == 1)
    }

    @Test("session and parent are for their owner only")
    func modes() throws {
        try inPlace { root, parent in
            let directory = try SessionDirectory(in: root)
            #expect(directory.parent == parent)
            #expect(directory.path.hasPrefix(parent + "/run-"))
            #expect(try mode(parent) == 0o700)
            #expect(try mode(directory.path) == 0o700)
        }
    }

    @Test("a parent that others may look into is refused", arguments: [0o740, 0o710, 0o701, 0o777])
    func openParent(mode: Int) throws {
        try inPlace { root, parent in
            try files.createDirectory(atPath: parent, withIntermediateDirectories: false)
            try files.setAttributes([.posixPermissions: mode], ofItemAtPath: parent)
            refused(in: root, naming: parent)
            #expect(try files.contentsOfDirectory(atPath: parent).isEmpty)
        }
    }

    @Test("a parent that somebody else made is refused", .enabled(if: getuid() == 0, "only root can give one away"))
    func foreignParent() throws {
        try inPlace { root, parent in
            try files.createDirectory(
                atPath: parent, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
            try files.setAttributes([.ownerAccountID: 65_534], ofItemAtPath: parent)
            refused(in: root, naming: parent)
        }
    }

    @Test("a link to a directory, or a file, in the parent's place is refused", arguments: [true, false])
    func noDirectory(isLink: Bool) throws {
        try inPlace { root, parent in
            if isLink {
                let target = root + "/target"
                try files.createDirectory(
                    atPath: target, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
                try files.createSymbolicLink(atPath: parent, withDestinationPath: target)
            } else {
                try Data().write(to: URL(filePath: parent))
                try files.setAttributes([.posixPermissions: 0o600], ofItemAtPath: parent)
            }
            refused(in: root, naming: parent)
        }
    }

    @Test("a place that is not there is refused")
    func noRoot() throws {
        try inPlace { root, _ in
            refused(in: root + "/nowhere", naming: "\(root)/nowhere/lodge-\(getuid())")
        }
    }

    @Test("the parent goes with its last session, and a session with what is in it")
    func removal() throws {
        try inPlace { root, parent in
            let (first, second) = (try SessionDirectory(in: root), try SessionDirectory(in: root))
            #expect(first.path != second.path)
            try Data("x".utf8).write(to: URL(filePath: first.path + "/mcp.json"))
            first.remove()
            #expect(!files.fileExists(atPath: first.path))
            #expect(files.fileExists(atPath: second.path))
            second.remove()
            #expect(!files.fileExists(atPath: parent))
        }
    }
}
