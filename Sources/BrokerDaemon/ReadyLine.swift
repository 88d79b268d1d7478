// SPDX-License-Identifier: Apache-2.0
import Foundation
import JSONRPC
import Secrets

/// What a program has to know of a broker that is ready, as one line of JSON: servers, token, pid.
struct ReadyLine: Sendable {
    let text: String

    init(servers: [ServedServer], token: BearerToken?) {
        let list = servers.map { server in
            var members: [JSONValue.Member] = [
                .init("name", .string(server.name)), .init("url", .string(server.url)),
            ]
            if let events = server.eventsURL { members.append(.init("sse_url", .string(events))) }
            if let own = server.ownURL { members.append(.init("own_url", .string(own))) }
            return JSONValue.object(members)
        }
        let ready: JSONValue = [
            "servers": .array(list), "token": token.map { .string($0.value) } ?? .null,
            "pid": .number(.init(Int64(getpid()))),
        ]
        text = String(decoding: ready.serialized, as: UTF8.self) + "\n"
    }
}

/// The file of `--ready-file` for an agent session: it holds the token, so it is the owner's alone and ends with it.
struct ReadyFile: Sendable {
    private let path: String

    /// Writes the file; nil where none is wanted.
    init?(
        _ path: String?, servers: [ServedServer], token: BearerToken
    ) throws(AgentSession.Failure) {
        guard let path else { return nil }
        self.path = path
        do throws(SecretsError) {
            try PrivateFile.replace(
                path, with: Array(ReadyLine(servers: servers, token: token).text.utf8), what: "ready file")
        } catch {
            throw AgentSession.Failure(message: error.message, hints: [])
        }
    }

    func remove() {
        // What cannot be removed holds a token that opens nothing any more.
        try? FileManager.default.removeItem(atPath: path)
    }
}
