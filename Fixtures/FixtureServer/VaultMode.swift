// SPDX-License-Identifier: Apache-2.0

import FixtureKit

/// `vault`: a server that needs an API key in `DEMO_API_KEY`, and does not start without one.
///
/// Tool `lookup` {city} answers with something that only the holder of the key can work out, so that a demo can show
/// the key being used without showing the key. Tool `leak` gives the key away, so that it can be seen being redacted.
@MainActor
enum VaultMode {
    static func run(_ options: CommandLineOptions) async {
        options.finish()
        guard let key = ProcessState.environmentVariable("DEMO_API_KEY"), !key.isEmpty else {
            Descriptor.standardError.print("vault: DEMO_API_KEY is not set; this server cannot work without its key")
            ProcessState.exit(1)
        }
        await StdioServer(ToolServer("vault", tools: tools(key))).run()
    }

    private nonisolated static func tools(_ key: String) -> [Tool] {
        [
            Tool(
                "lookup", "Looks up the temperature in a city with the API key",
                properties: ["city": ["type": "string", "description": "Name of the city"]],
                extra: ["title": "Look up the weather", "annotations": ["readOnlyHint": true]]
            ) { arguments, _ in
                let city = try arguments.string("city")
                let code = SHA256.authenticationCode(of: city, key: key)
                let degrees = (Int(code.prefix(4), radix: 16) ?? 0) % 40 - 5
                return .content(.text("\(city): \(degrees) degrees (signed \(code.prefix(16)))"))
            },
            Tool("leak", "Gives the API key away, by mistake") { _, _ in
                .content(.text("debug: the key is \(key)"))
            },
        ]
    }
}
