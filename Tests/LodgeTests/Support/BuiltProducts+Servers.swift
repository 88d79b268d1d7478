// SPDX-License-Identifier: Apache-2.0

extension BuiltProducts {
    /// The command line of a fixture server in one of its modes.
    static func fixture(_ mode: String, _ options: String...) -> [String] { [fixture, mode] + options }

    static var everythingServer: [String] { [everything] }

    /// A server that is no MCP server: a shell with a script.
    static func shell(_ script: String) -> [String] { ["/bin/sh", "-c", script] }
}
