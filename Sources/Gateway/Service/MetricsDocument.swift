// SPDX-License-Identifier: Apache-2.0
import BrokerCore
import Synchronization

/// What `/metrics` says: figures of the servers that a grant reaches, and of the process where it reaches all of them.
enum MetricsDocument {
    static func make(_ core: GatewayCore, _ grant: Grant) -> String {
        var text = PrometheusText()
        text.family("lodge_build_info", .gauge, "The version of lodge that runs.")
        text.sample("lodge_build_info", 1, labels: [("version", core.version)])
        let servers = core.routes.servers.filter { grant.reaches(server: $0.name) }.map { $0.status() }
        for family in families {
            text.family(family.name, family.kind, family.help)
            for server in servers {
                guard let value = family.value(server) else { continue }
                text.sample(family.name, value, labels: [("server", server.name), ("isolation", server.isolation)])
            }
        }
        addCalls(of: servers, to: &text)
        // What belongs to no server tells of others' servers too.
        if case .all = grant.servers { addProcess(core, to: &text) }
        return text.text
    }

    private static func addCalls(of servers: [ServerStatus], to text: inout PrometheusText) {
        text.family("lodge_server_calls_total", .counter, "Requests that ended, by how they did.")
        for server in servers {
            for outcome in CallRecord.Outcome.allCases {
                text.sample(
                    "lodge_server_calls_total", server.outcomes[outcome],
                    labels: [
                        ("server", server.name), ("isolation", server.isolation), ("outcome", outcome.rawValue),
                    ])
            }
        }
    }

    private static func addProcess(_ core: GatewayCore, to text: inout PrometheusText) {
        let meters = core.meters
        text.figure(
            "lodge_gateway_connections", .gauge, "Open connections of clients.",
            meters.connections.load(ordering: .relaxed))
        text.figure(
            "lodge_gateway_exchanges", .gauge, "Requests whose response has not ended.",
            meters.exchanges.load(ordering: .relaxed))
        text.figure(
            "lodge_gateway_streams", .gauge, "Open event streams of sessions.", meters.streams.load(ordering: .relaxed))
        let process = core.process()
        if let bytes = process.residentBytes {
            text.figure(
                "process_resident_memory_bytes", .gauge, "Resident memory of the lodge process, its servers left out.",
                bytes)
        }
        if let count = process.openDescriptors {
            text.figure("process_open_fds", .gauge, "Open file descriptors of the lodge process.", count)
        }
    }

    private struct Family {
        let name: String
        let kind: PrometheusText.Kind
        let help: String
        /// Nil where a server has no such figure yet.
        let value: @Sendable (ServerStatus) -> Int?
    }

    private static let families = [
        Family(name: "lodge_server_up", kind: .gauge, help: "Whether the server runs.") {
            $0.state == "running" ? 1 : 0
        },
        Family(name: "lodge_server_ready", kind: .gauge, help: "Whether the server can be used.") { $0.ready ? 1 : 0 },
        Family(name: "lodge_server_sessions", kind: .gauge, help: "Sessions of clients.") { $0.sessions },
        Family(name: "lodge_server_calls_in_flight", kind: .gauge, help: "Requests that wait for their answer.") {
            $0.callsInFlight
        },
        Family(name: "lodge_server_upstreams", kind: .gauge, help: "Processes of the server.") { $0.upstreams },
        Family(name: "lodge_server_requests_total", kind: .counter, help: "Requests of clients in sessions.") {
            $0.requests
        },
        Family(
            name: "lodge_server_restarts_total", kind: .counter, help: "Starts after the server had ended by itself."
        ) { $0.restarts },
        Family(
            name: "lodge_server_late_answers_total", kind: .counter,
            help: "Answers that came after their call had ended."
        ) { $0.lateAnswers },
        Family(
            name: "lodge_server_unknown_answers_total", kind: .counter, help: "Answers to ids that nobody asked with."
        ) { $0.unknownAnswers },
        Family(
            name: "lodge_server_last_activity_timestamp_seconds", kind: .gauge,
            help: "When a client last sent something, in seconds since 1970."
        ) { $0.lastActivity.map { Int($0) } },
    ]
}
