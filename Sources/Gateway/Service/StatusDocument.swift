// SPDX-License-Identifier: Apache-2.0
import BrokerCore
import JSONRPC

/// What `/status` says: the servers that a grant reaches, and nothing of others.
enum StatusDocument {
    static func make(_ core: GatewayCore, _ grant: Grant) -> [UInt8] {
        let servers = core.routes.servers.filter { grant.reaches(server: $0.name) }.map { describe($0.status()) }
        return JSONValue.object([.init("servers", .array(servers))]).serialized
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
        ]
        if let ending = status.lastEnding { members.append(.init("lastEnding", .string(ending))) }
        if let version = status.protocolVersion { members.append(.init("protocolVersion", .string(version))) }
        if let info = status.serverInfo { members.append(.init("serverInfo", info)) }
        return .object(members)
    }
}
