// SPDX-License-Identifier: Apache-2.0
import AgentClients
import BrokerCore
import ChildProcesses
import Foundation
import LodgeConfiguration
import Logging
import Sandbox
import Secrets
import ServiceLifecycle
import Synchronization
import UnixSignals

/// Waits for the servers, starts the agent, passes signals on, and waits for the agent's end.
final class AgentService: Service {
    private let plan: AgentSession.Plan
    private let broker: Broker
    private let redactor: SharedRedactor
    private let logger: Logger
    private let ended = Mutex<Result<Int32, AgentSession.Failure>?>(nil)

    init(plan: AgentSession.Plan, broker: Broker, redactor: SharedRedactor, logger: Logger) {
        self.plan = plan
        self.broker = broker
        self.redactor = redactor
        self.logger = logger
    }

    var outcome: Result<Int32, AgentSession.Failure>? { ended.withLock { $0 } }

    func result() throws(AgentSession.Failure) -> Int32 {
        guard let outcome else { throw AgentSession.Failure(message: "the session was given up", hints: []) }
        return try outcome.get()
    }

    func run() async throws {
        let signals = await UnixSignalsSequence(trapping: RunningAgent.signals)
        let result = await withTaskGroup(of: Result<Int32, AgentSession.Failure>?.self) { group in
            let agent = RunningAgent()
            group.addTask { await self.session(agent) }
            group.addTask {
                for await signal in signals {
                    if let early = agent.take(signal) { return .failure(early) }
                }
                return nil
            }
            defer { group.cancelAll() }
            for await result in group {
                if let result { return result }
            }
            return .failure(AgentSession.Failure(message: "the session was given up", hints: []))
        }
        // What is left is the end of the servers, which takes seconds at most and is not to be cut short.
        for signal in RunningAgent.signals { _ = Foundation.signal(signal.rawValue, SIG_IGN) }
        ended.withLock { $0 = result }
    }

    private func session(_ agent: RunningAgent) async -> Result<Int32, AgentSession.Failure> {
        do throws(AgentSession.Failure) {
            let port = try await start()
            let directory = try SessionDirectory()
            defer { directory.remove() }
            let readyFile = try ReadyFile(plan.readyFile, servers: broker.servers(at: port), token: plan.token)
            defer { readyFile?.remove() }
            return .success(try await runAgent(directory, port: port, agent))
        } catch {
            return .failure(error)
        }
    }

    /// Starts the servers side by side; the agent starts only when each of them is ready.
    private func start() async throws(AgentSession.Failure) -> Int {
        guard let port = await broker.listeningPort() else {
            throw AgentSession.Failure(message: "the broker could not listen on 127.0.0.1", hints: [])
        }
        broker.startServers()
        if let failure = await broker.firstFailure() {
            throw AgentSession.Failure(
                message: "server '\(failure.server)' did not start: \(redactor.redact(failure.reason))",
                hints: ["its stderr stands in the log above; the agent was not started"])
        }
        return port
    }

    private func runAgent(
        _ directory: SessionDirectory, port: Int, _ agent: RunningAgent
    ) async throws(AgentSession.Failure) -> Int32 {
        let configFile = directory.path + "/mcp-config.json"
        let endpoints = plan.broker.servers.map { server in
            AgentEndpoint(
                name: server.name, url: broker.url(of: server.name.text, port: port),
                allowedTools: plan.broker.toolRules(of: server).patternsOfClients(of: server.name))
        }
        let launch = try plan.agent.resolved(
            configFile: configFile, endpoints: endpoints, token: plan.token, secrets: broker.knownSecrets,
            logger: logger)
        let request = SandboxRequest(
            command: launch.command, workingDirectory: FileManager.default.currentDirectoryPath,
            hiddenPaths: plan.hiddenPaths + [plan.readyFile, directory.parent].compactMap(\.self)
                + SandboxRequest.standardHiddenPaths(
                    environment: plan.broker.environment, user: SandboxProbe.currentUser),
            ownDirectory: directory.path)
        let confined = try confine(request)
        let terminal = TerminalInUse()
        let status = try await agent.run(isOnTerminal: terminal != nil) { () throws(AgentSession.Failure) in
            let child = try spawn(confined, launch, request, onTerminal: terminal != nil)
            logger.info("agent started", metadata: ["pid": "\(child.pid)"])
            return child
        }
        terminal?.restore()
        logger.info("agent ended", metadata: ["status": "\(status)"])
        return status.shellStatus
    }

    private func confine(_ request: SandboxRequest) throws(AgentSession.Failure) -> SandboxPlan {
        let confined: SandboxPlan
        do throws(SandboxError) {
            let capability = SandboxProbe().detect(searchPath: plan.broker.environment["PATH"])
            confined = try SandboxPlan.make(
                capability: capability, mode: plan.sandbox, request: request, user: SandboxProbe.currentUser)
        } catch {
            throw AgentSession.Failure(message: error.message, hints: [])
        }
        for line in confined.statement.lines {
            logger.log(
                level: confined.statement.isConfined ? .debug : .warning, "sandbox", metadata: ["note": "\(line)"])
        }
        if !confined.statement.isConfined, plan.sandbox == .auto {
            logger.warning("the agent is not confined; install bubblewrap, or accept what SECURITY.md says of it")
        }
        return confined
    }

    private func spawn(
        _ confined: SandboxPlan, _ launch: AgentLaunch.Resolved, _ request: SandboxRequest, onTerminal: Bool
    ) throws(AgentSession.Failure) -> ChildProcess {
        func specification(
            _ program: String, _ arguments: [String]
        ) -> ChildProcesses.ChildSpecification {
            ChildProcesses.ChildSpecification(
                executable: program, arguments: arguments, environment: launch.environment,
                workingDirectory: request.workingDirectory, streams: .inherited,
                group: .forInheritedStreams(onTerminal: onTerminal))
        }
        do throws(SpawnError) {
            // The sandbox would start, and then report what it cannot find in its own words and with its own status.
            try specification(launch.command[0], Array(launch.command.dropFirst())).checkProgram()
            var wrapped = specification(confined.launch.executable, confined.launch.arguments)
            wrapped.wrappers = confined.launch.wrappers
            return try ChildProcess.spawn(wrapped, guardedBy: broker.guardian)
        } catch {
            throw AgentSession.Failure(message: error.message, hints: [])
        }
    }
}
