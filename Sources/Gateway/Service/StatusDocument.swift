// SPDX-License-Identifier: Apache-2.0
import BrokerCore
import JSONRPC

/// What `/status` says: the servers that a grant reaches, and nothing of others.
///
/// Two members repeat it in the words of mcp-proxy, whose users read them: `api_last_activity`, which begins with the
/// start of the gateway, and `server_instances`.
enum StatusDocument {
    static func make(_ core: GatewayCore, _ grant: Grant) -> [UInt8] {
        let statuses = core.routes.servers.filter { grant.reaches(server: $0.name) }.map { $0.status() }
        let last = statuses.compactMap(\.lastActivity).max()
        return JSONValue.object([
            .init("servers", .array(statuses.map(describe))),
            .init("lastActivity", time(last)),
            .init("api_last_activity", time(last ?? core.started)),
            .init("server_instances", .object(statuses.map { .init($0.name, .string($0.state)) })),
        ]).serialized
    }

    private static func time(_ seconds: UInt64?) -> JSONValue {
        seconds.map { .string(CivilTime(secondsSince1970: Int64($0)).rfc3339) } ?? .null
    }

    private static func describe(_ status: ServerStatus) -> JSONValue {
        var members: [JSONValue.Member] = [
            .init("name", .string(status.name)),
            .init("state", .string(status.state)),
            .init("isolation", .string(status.isolation)),
            .init("ready", .bool(status.ready)),
            .init("sessions", .number(.init(Int64(status.sessions)))),
            .init("callsInFlight", .number(.init(Int64(status.callsInFlight)))),
            .init("upstreams", .number(.init(Int64(status.upstreams)))),
            .init("restarts", .number(.init(Int64(status.restarts)))),
            .init("lateAnswers", .number(.init(Int64(status.lateAnswers)))),
            .init("unknownAnswers", .number(.init(Int64(status.unknownAnswers)))),
            .init("lastActivity", time(status.lastActivity)),
        ]
        if let ending = status.lastEnding { members.append(.init("lastEnding", .string(ending))) }
        if let version = status.protocolVersion { members.append(.init("protocolVersion", .string(version))) }
        if let info = status.serverInfo { members.append(.init("serverInfo", info)) }
        return .object(members)
    }
}
