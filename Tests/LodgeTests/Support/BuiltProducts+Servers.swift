// SPDX-License-Identifier: Apache-2.0

extension BuiltProducts {
    /// The command line of a fixture server in one of its modes.
    static func fixture(_ mode: String, _ options: String...) -> [String] { [fixture, mode] + options }

    static var everythingServer: [String] { [everything] }

    /// A server that is no MCP server: a shell with a script.
    static func shell(_ script: String) -> [String] { ["/bin/sh", "-c", script] }

    /// A small server in shell: it answers `initialize`, and every other request with the line that it got.
    ///
    /// - Parameters:
    ///   - before: what it does first.
    ///   - request: what it does with a request, `$line` with the id `$id`, instead of answering.
    static func script(
        before: String = ":", protocolVersion: String = "2025-11-25", serverVersion: String = "1",
        capabilities: String = #"{"tools":{}}"#, request: String? = nil
    ) -> [String] {
        let mirror =
            #"printf '{"jsonrpc":"2.0","x":{"k":[1.0,2e1]},"id":%s,"result":{"got":%s},"z":null}\n' "$id" "$line""#
        return shell(
            #"""
            \#(before)
            while IFS= read -r line; do
                id=$(printf '%s' "$line" | sed -n 's/.*"id":\([0-9]*\).*/\1/p')
                case $line in
                    *'"initialize"'*)
                        printf '{"jsonrpc":"2.0","id":%s,"result":{"protocolVersion":"\#(protocolVersion)",' "$id"
                        printf '"capabilities":\#(capabilities),"serverInfo":{"name":"sh","version":"%s"}}}\n' "\#(serverVersion)" ;;
                    *'"id"'*) \#(request ?? mirror) ;;
                esac
            done
            """#)
    }
}
