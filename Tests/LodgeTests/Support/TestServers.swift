// SPDX-License-Identifier: Apache-2.0
import Foundation
import JSONRPC

/// Entries of a file of servers, for tests.
enum TestServers {
    /// A mode of the fixture server.
    static func fixture(_ name: String, _ mode: String..., env: JSONValue = [:]) -> JSONValue {
        entry(name, BuiltProducts.fixture, mode, env: env)
    }

    /// A fixture server that starts once a script has run.
    static func fixture(_ name: String, after script: String, _ mode: String...) -> JSONValue {
        entry(name, "/bin/sh", ["-c", script + "\nexec \"$0\" \"$@\"", BuiltProducts.fixture] + mode)
    }

    static func everything(_ name: String, _ options: String...) -> JSONValue {
        entry(name, BuiltProducts.everything, options)
    }

    static func shell(_ name: String, _ script: String) -> JSONValue {
        entry(name, "/bin/sh", ["-c", script])
    }

    /// A server with one tool of each name, which answers its lists byte for byte as told and logs what it is asked.
    ///
    /// - Parameters:
    ///   - pages: the results of `tools/list`, the first for a request without a cursor.
    ///   - log: the file that gets each line that it is sent.
    static func canned(_ name: String, pages: (first: String, second: String), call: String, log: String) -> JSONValue {
        let script = #"""
            say() { printf '{"jsonrpc":"2.0","id":%s,"result":%s}\n' "$id" "$1"; }
            while IFS= read -r line; do
                printf '%s\n' "$line" >>"$4"
                id=$(printf '%s' "$line" | sed -n 's/.*"id":\([^,}]*\).*/\1/p')
                case $line in
                    *'"initialize"'*)
                        say '{"protocolVersion":"2025-11-25","capabilities":{"tools":{}},"serverInfo":{"name":"c","version":"1"}}' ;;
                    *'"tools/list"'*'"cursor"'*) say "$2" ;;
                    *'"tools/list"'*) say "$1" ;;
                    *'"tools/call"'*) say "$3" ;;
                esac
            done
            """#
        return entry(name, "/bin/sh", ["-c", script, "sh", pages.first, pages.second, call, log])
    }

    static func entry(_ name: String, _ command: String, _ arguments: [String], env: JSONValue = [:]) -> JSONValue {
        [
            "name": .string(name), "command": .string(command), "args": .array(arguments.map { .string($0) }),
            "env": env,
        ]
    }
}

extension JSONValue {
    /// The same entry with one more member.
    func with(_ name: String, _ value: JSONValue) -> JSONValue { .object((members ?? []) + [Member(name, value)]) }

    /// The same entry with the tools that an agent may use.
    func allowing(_ patterns: String...) -> JSONValue {
        .object((members ?? []) + [Member("allowedTools", .array(patterns.map { .string($0) }))])
    }
}
