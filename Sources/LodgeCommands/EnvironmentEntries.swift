// SPDX-License-Identifier: Apache-2.0
import Foundation
import LodgeConfiguration
import Secrets

/// What `--env` and `--env-file` name for a server's environment.
struct EnvironmentEntries {
    /// Names to take from Lodge's own environment.
    private(set) var passed: [String] = []
    private(set) var values: [String: ConfiguredValue] = [:]
    /// What should be mended and is no reason to refuse.
    private(set) var warnings: [String] = []

    /// - Parameter environment: Lodge's own, in which a passed variable has to be.
    init(server: ServerName, flags: [String], file: String?, environment: [String: String]) throws {
        if let file {
            for (name, value) in try Self.lines(of: file) {
                values[name] = try Self.literal(value, name, server)
            }
            if PrivateFile.isOpenToOthers(file) {
                warnings.append("env file '\(file)' is open to other users; run: chmod 600 '\(file)'")
            }
        }
        for flag in flags {
            guard let mark = flag.firstIndex(of: "=") else {
                guard !flag.isEmpty else {
                    throw CommandFailure(message: "--env needs a NAME or NAME=VALUE", status: 2)
                }
                guard environment[flag] != nil else {
                    throw CommandFailure(
                        message: "--env \(flag) names a variable that is not set",
                        hints: ["export \(flag), or leave --env \(flag) out"], status: 2)
                }
                passed.append(flag)
                continue
            }
            let name = String(flag[..<mark])
            guard !name.isEmpty else {
                throw CommandFailure(message: "--env '\(flag)' has no name before the '='", status: 2)
            }
            guard !CredentialNames.isCredential(name) else {
                throw CommandFailure(
                    message: "--env \(name)=… would put a credential into the process list",
                    hints: ["export \(name) and pass --env \(name), or put it into a file for --env-file"], status: 2)
            }
            values[name] = try Self.literal(String(flag[flag.index(after: mark)...]), name, server)
        }
    }

    private static func literal(_ text: String, _ name: String, _ server: ServerName) throws -> ConfiguredValue {
        try ConfiguredValue(
            text.replacing("${", with: "$${"), at: ValuePlace(server: server.text, role: .environment(name)))
    }

    /// `NAME=VALUE` lines; blank ones and those that begin with # are passed over.
    private static func lines(of file: String) throws -> [(String, String)] {
        guard let text = try? String(contentsOf: URL(filePath: file), encoding: .utf8) else {
            throw CommandFailure(message: "the file '\(file)' cannot be read; name a readable text file", status: 2)
        }
        // A CR and a line feed are one character, and not a line feed.
        let lines = text.split(omittingEmptySubsequences: false) { $0 == "\n" || $0 == "\r\n" }
        return try lines.enumerated().compactMap { index, line in
            let line = line.trimmingCharacters(in: .whitespaces)
            guard !line.isEmpty, !line.hasPrefix("#") else { return nil }
            guard let mark = line.firstIndex(of: "="), mark > line.startIndex else {
                throw CommandFailure(
                    message: "\(file):\(index + 1): the line is not NAME=VALUE; correct or remove it", status: 2)
            }
            return (String(line[..<mark]), String(line[line.index(after: mark)...]))
        }
    }
}
