// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0
// One section for each target and its tests, in the order of layers.txt; every list is sorted.
import PackageDescription

let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

func library(
    _ name: String, _ dependencies: [Target.Dependency] = [], path: String? = nil, readme: Bool = false
) -> Target {
    .target(
        name: name, dependencies: dependencies, path: path, exclude: readme ? ["README.md"] : [],
        swiftSettings: settings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency] = [], exclude: [String] = []) -> Target {
    .testTarget(name: name, dependencies: dependencies, exclude: exclude, swiftSettings: settings)
}

func executable(_ name: String, _ dependencies: [Target.Dependency] = [], path: String? = nil) -> Target {
    .executableTarget(name: name, dependencies: dependencies, path: path, swiftSettings: settings)
}

let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioHTTP1 = Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")

let package = Package(
    name: "lodge",
    platforms: [.macOS(.v15)],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-crypto", "4.5.2"..<"5.0.0"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        // MARK: JSONRPC
        library("JSONRPC", readme: true),
        library("JSONRPCOracle", ["JSONRPC"], path: "Tests/JSONRPCTests/Oracle"),
        tests("JSONRPCTests", ["JSONRPC", "JSONRPCOracle"], exclude: ["Oracle"]),

        // MARK: ServerSentEvents
        library("ServerSentEvents"),
        tests("ServerSentEventsTests", ["ServerSentEvents"]),

        // MARK: ChildProcesses
        library("CProcessShim"),
        library("ChildProcesses", ["CProcessShim"]),
        executable("ChildProcessesFixture", ["ChildProcesses"], path: "Tests/ChildProcessesTests/Fixture"),
        tests(
            "ChildProcessesTests", ["ChildProcesses", "ChildProcessesFixture", "CProcessShim"], exclude: ["Fixture"]),

        // MARK: HTTPTransport
        library(
            "HTTPTransport",
            [
                .product(name: "AsyncHTTPClient", package: "async-http-client"), nioCore, nioHTTP1, nioPosix,
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ]),
        tests("HTTPTransportTests", ["HTTPTransport"]),

        // MARK: Secrets
        library("Secrets", [.product(name: "Crypto", package: "swift-crypto")], readme: true),
        tests("SecretsTests", ["Secrets"]),

        // MARK: MCPProtocol
        library("MCPProtocol", ["JSONRPC"]),
        tests("MCPProtocolTests", ["JSONRPC", "MCPProtocol"]),

        // MARK: Sandbox
        library("Sandbox", readme: true),
        tests("SandboxTests", ["Sandbox"]),

        // MARK: LodgeConfiguration
        library("LodgeConfiguration", ["MCPProtocol", "Secrets"], readme: true),
        tests("LodgeConfigurationTests", ["LodgeConfiguration"]),

        // MARK: BrokerCore
        library("BrokerCore", ["JSONRPC", "LodgeConfiguration", "MCPProtocol", "Secrets", logging, nioCore]),
        tests(
            "BrokerCoreTests",
            ["BrokerCore", "JSONRPC", "LodgeConfiguration", "MCPProtocol", "Secrets", logging, nioCore]),

        // MARK: Upstreams
        library(
            "Upstreams",
            [
                "BrokerCore", "ChildProcesses", "HTTPTransport", "JSONRPC", "MCPProtocol", "Secrets",
                "ServerSentEvents", logging, nioCore, nioPosix,
            ]),
        tests(
            "UpstreamsTests",
            [
                "BrokerCore", "ChildProcesses", "HTTPTransport", "JSONRPC", "LodgeConfiguration", "LodgeTestSupport",
                "MCPProtocol", "Secrets", "Upstreams", logging, nioCore,
                .product(name: "NIOEmbedded", package: "swift-nio"), nioPosix,
            ]),

        // MARK: Gateway
        library(
            "Gateway",
            [
                "BrokerCore", "JSONRPC", "MCPProtocol", .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"), logging, nioCore, nioHTTP1,
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ], readme: true),

        tests(
            "GatewayTests",
            [
                "BrokerCore", "Gateway", "JSONRPC", "LodgeTestSupport", logging, nioCore,
                .product(name: "NIOEmbedded", package: "swift-nio"), nioHTTP1, nioPosix,
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ]),

        // MARK: AgentClients
        library("AgentClients", ["LodgeConfiguration", "Secrets"], readme: true),
        tests("AgentClientsTests", ["AgentClients", "LodgeConfiguration", "Secrets"]),

        // MARK: BrokerDaemon
        library(
            "BrokerDaemon",
            [
                "AgentClients", "BrokerCore", "ChildProcesses", "Gateway", "HTTPTransport", "JSONRPC",
                "LodgeConfiguration", "MCPProtocol", "Sandbox", "Secrets", "Upstreams", logging, nioCore, nioHTTP1,
                nioPosix,
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ]),
        tests("BrokerDaemonTests", ["BrokerDaemon", "LodgeConfiguration", "Secrets", logging]),

        // MARK: FrontDoors
        library("FrontDoors", ["BrokerDaemon", "JSONRPC", "LodgeConfiguration", "Secrets", logging]),
        tests(
            "FrontDoorsTests", ["BrokerDaemon", "FrontDoors", "LodgeConfiguration", "Secrets"],
            exclude: ["Golden"]),

        // MARK: LodgeCommands
        library(
            "LodgeCommands",
            [
                "AgentClients", "BrokerDaemon", "FrontDoors", "HTTPTransport", "LodgeConfiguration", "MCPProtocol",
                "Sandbox", "Secrets", "Upstreams",
                .product(name: "ArgumentParser", package: "swift-argument-parser"), logging,
            ]),
        tests(
            "LodgeCommandsTests",
            [
                "LodgeCommands", "LodgeConfiguration", "Secrets",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),

        // MARK: lodge
        executable("lodge", ["ChildProcesses", "LodgeCommands"]),
        tests(
            "LodgeTests",
            [
                "ChildProcesses", "DemoAgent", "EverythingServer", "FixtureServer", "JSONRPC", "LodgeTestSupport",
                "lodge",
                nioCore,
            ]),

        // MARK: Fixtures
        library("FixtureKit", path: "Fixtures/FixtureKit"),
        executable("DemoAgent", ["FixtureKit"], path: "Fixtures/DemoAgent"),
        executable("EverythingServer", ["FixtureKit"], path: "Fixtures/EverythingServer"),
        executable("FixtureServer", ["FixtureKit"], path: "Fixtures/FixtureServer"),
        tests("FixtureTests", ["EverythingServer", "FixtureKit"]),
        library("LodgeTestSupport", [nioCore, nioPosix], path: "Tests/TestSupport"),

        // MARK: Fuzz
        executable("JSONRPCFuzz", ["JSONRPCOracle"], path: "Fuzz/JSONRPCFuzz"),
        executable("lodge-chaos", ["FixtureKit", "JSONRPCOracle"], path: "Fuzz/Chaos"),
    ]
)
