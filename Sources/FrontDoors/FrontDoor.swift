// SPDX-License-Identifier: Apache-2.0

/// A program that Lodge stands in for: its flags, variables and defaults, translated into Lodge's own settings.
///
/// A door only translates. It starts nothing, reads no clock, and knows the process only by what it is given: the
/// arguments, the environment, and a way to read files. What a door needs of the broker is an option of the broker.
package enum FrontDoor: String, CaseIterable, Sendable {
    case clawMCPStdio = "claw-mcp-stdio"
    case mcpProxy = "mcp-proxy"

    /// The door that a program's own path names, as a symbolic link does; nil where it is Lodge under its own name.
    package init?(programPath: String) {
        self.init(rawValue: String(programPath.split(separator: "/").last ?? ""))
    }

    /// What is to be done for a command line.
    ///
    /// - Parameters:
    ///   - arguments: without the program's name.
    ///   - version: Lodge's own.
    ///   - readFile: the bytes of a file; nil where it cannot be read.
    package func request(
        _ arguments: [String], environment: [String: String], version: String, readFile: (String) -> [UInt8]?
    ) throws(DoorRefusal) -> DoorRequest {
        switch self {
        case .clawMCPStdio:
            try ClawMCPStdioDoor(environment: environment, version: version).request(arguments)
        case .mcpProxy:
            try MCPProxyDoor(environment: environment, version: version).request(arguments, readFile: readFile)
        }
    }
}
