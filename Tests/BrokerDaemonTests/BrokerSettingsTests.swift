// SPDX-License-Identifier: Apache-2.0
import LodgeConfiguration
import Testing

@testable import BrokerDaemon

@Suite("The settings of a broker")
struct BrokerSettingsTests {
    private func settings(_ adjust: (inout BrokerSettings) -> Void = { _ in }) -> BrokerSettings {
        var settings = BrokerSettings(servers: [], authentication: .none, environment: [:], version: "9.9.9")
        adjust(&settings)
        return settings
    }

    private func server(_ isolation: Isolation = .shared, allowed: [String]? = nil) throws -> ServerSpecification {
        let name = try ServerName("files")
        return ServerSpecification(
            name: name, transport: .child(try ChildSpecification(server: name, literal: "true", arguments: [])),
            isolation: isolation, allowedTools: try allowed?.map { try ToolPattern.parse($0) })
    }

    @Test("without sessions, a server with a process for each is refused by name")
    func stateless() throws {
        let stateless = settings { $0.stateless = true }
        for isolation in [Isolation.shared, .call, .pool] { try stateless.check(server(isolation)) }
        try settings().check(server(.client))
        let client = try server(.client)
        #expect(
            throws: ConfigurationError(
                .unsupported,
                "server 'files' has isolation client, which needs sessions; use isolation shared, or serve without "
                    + "--stateless")
        ) { try stateless.check(client) }
    }

    @Test("where only listed tools may be used, a server that lists none has none; rules beside the list stay")
    func onlyListed() throws {
        let listed = settings { $0.onlyListedTools = true }
        #expect(try listed.toolRules(of: server()).allowed?.isEmpty == true)
        #expect(try listed.toolRules(of: server(allowed: ["a"])).allowed?.map(\.text) == ["a"])
        #expect(try settings().toolRules(of: server()) == ToolRules())
        var denying = try server()
        denying.tools.denied = [try ToolPattern.parse("x")]
        #expect(listed.toolRules(of: denying).denied.map(\.text) == ["x"])
    }
}
