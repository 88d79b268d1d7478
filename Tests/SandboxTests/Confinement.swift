// SPDX-License-Identifier: Apache-2.0

import Foundation
import Sandbox
import Testing

/// One way in which this machine confines, as a user of this machine: the argument of every test that is run for real.
struct Confinement: Sendable, CustomStringConvertible {
    var description: String
    var capability: SandboxCapability
    var user: SandboxUser
    /// What goes before a command so that it runs as the user.
    var prefix: [String]

    /// Every way that works here, so that a machine with bubblewrap tests unshare too, and root tests as a user too.
    static let all: [Confinement] = {
        var all: [Confinement] = []
        let own = SandboxProbe.currentUser
        var users = [(name: own.isRoot ? "root" : "user", user: own, prefix: [String]())]
        if own.isRoot, FileManager.default.isExecutableFile(atPath: "/usr/bin/setpriv") {
            users.append(
                (
                    "nobody", SandboxUser(userID: 65534, groupID: 65534),
                    ["/usr/bin/setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--"]
                ))
        }
        for (name, user, prefix) in users {
            for missing in ["unshare", "bwrap"] {
                let facts = PathFacts { $0.hasSuffix("/\(missing)") ? nil : PathFacts.live.look($0) }
                let probe = SandboxProbe(
                    run: { launch, _ in
                        let ended = try? Launched(launch, prefix: prefix).end()
                        return ended?.status == 0 ? .succeeded : .failed(ended?.errors ?? "")
                    }, facts: facts)
                let capability = probe.detect(searchPath: nil, user: user)
                switch capability {
                case .none: continue
                case .bubblewrap:
                    all.append(
                        .init(description: "bubblewrap as \(name)", capability: capability, user: user, prefix: prefix))
                case .unshare:
                    all.append(
                        .init(description: "unshare as \(name)", capability: capability, user: user, prefix: prefix))
                }
            }
        }
        return all
    }()

    static let asRoot = all.filter(\.user.isRoot)

    func start(
        _ command: [String], hiding hidden: [String] = [], own: String? = nil, environment: [String: String] = [:]
    ) throws -> Launched {
        let request = SandboxRequest(command: command, workingDirectory: "/", hiddenPaths: hidden, ownDirectory: own)
        let plan = try SandboxPlan.make(capability: capability, mode: .required, request: request, user: user)
        return try Launched(plan.launch, prefix: prefix, environment: environment)
    }

    /// Runs a script with words as `$1` … and waits for its end.
    func run(_ script: String, _ words: [String] = [], hiding hidden: [String] = [], own: String? = nil) throws -> Ended
    {
        try start(["/bin/sh", "-c", script, "sh"] + words, hiding: hidden, own: own).end()
    }
}

/// How a launched command ended.
struct Ended: Equatable {
    /// The exit status, or 128 + signal.
    var status: Int32
    var output: String
    var errors: String
}

/// A command that was started, with its output.
final class Launched {
    private let process = Process()
    private let output = Pipe()
    private let errors = Pipe()

    init(_ launch: LaunchCommand, prefix: [String] = [], environment: [String: String] = [:]) throws {
        let words = prefix + [launch.executable] + launch.arguments
        process.executableURL = URL(filePath: words[0])
        process.arguments = Array(words.dropFirst())
        process.environment = ["PATH": "/usr/bin:/bin:/usr/sbin:/sbin"].merging(environment) { $1 }
        process.currentDirectoryURL = URL(filePath: "/")
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output
        process.standardError = errors
        try process.run()
    }

    var processID: pid_t { process.processIdentifier }

    /// Blocks until the command has written a line, and returns it.
    func line() -> String {
        var bytes = Data()
        while let byte = try? output.fileHandleForReading.read(upToCount: 1), !byte.isEmpty, byte != Data([10]) {
            bytes += byte
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Signals the process group, as a terminal does.
    func signalGroup(_ signal: Int32) { kill(-processID, signal) }

    /// Blocks until everything that holds the output is gone.
    func end() throws -> Ended {
        let text = try output.fileHandleForReading.readToEnd() ?? Data()
        let messages = try errors.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        let status = process.terminationStatus + (process.terminationReason == .uncaughtSignal ? 128 : 0)
        return Ended(
            status: status, output: String(decoding: text, as: UTF8.self),
            errors: String(decoding: messages, as: UTF8.self))
    }
}

/// A directory of one test that every user may enter, removed when the test lets go of it.
final class OpenDirectory: Sendable {
    let path: String

    init() throws {
        path =
            try #require(PathFacts.live.look(NSTemporaryDirectory())).path + "/lodge sandbox '$(x) \(UUID().uuidString)"
        try directory("")
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    @discardableResult
    func directory(_ name: String) throws -> String {
        let made = name.isEmpty ? path : "\(path)/\(name)"
        try FileManager.default.createDirectory(
            atPath: made, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o777])
        // The mode of the call above is narrowed by the umask.
        try FileManager.default.setAttributes([.posixPermissions: 0o777], ofItemAtPath: made)
        return made
    }

    func file(_ name: String, _ content: String = "canary") throws -> String {
        try Data(content.utf8).write(to: URL(filePath: "\(path)/\(name)"))
        return "\(path)/\(name)"
    }
}
