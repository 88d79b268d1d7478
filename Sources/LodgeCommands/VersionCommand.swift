// SPDX-License-Identifier: Apache-2.0
import ArgumentParser

/// Prints the version.
struct VersionCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "version", abstract: "Print the version.")

    func run() async throws { print("lodge \(Version.current)") }
}
