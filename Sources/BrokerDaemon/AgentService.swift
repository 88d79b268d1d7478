// SPDX-License-Identifier: Apache-2.0
import AgentClients
import BrokerCore
import ChildProcesses
import Foundation
import Logging
import Sandbox
import Secrets
import ServiceLifecycle
import Synchronization
import UnixSignals
import LodgeConfiguration

/// Waits for the servers, starts the agent, passes signals on, and waits for the agent's end.
final class AgentService: Service {
    /// How long an agent that was told to end may take.
    static let grace: Duration = .seconds(5)

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
        let signals = await UnixSignalsSequence(trapping: [.sighup, .sigint, .sigterm])
        let result = await withTaskGroup(of: Result<Int32, AgentSession.Failure>?.self) { group in
            let box = RunningAgent()
            group.addTask { await self.session(box) }
            group.addTask {
                for await signal in signals {
                    if let early = box.take(signal) { return .failure(early) }
                }
                return nil
            }
            defer { group.cancelAll() }
            for await result in group {
                if let result { return result }
            }
            return .failure(AgentSession.Failure(message: "the session was given up", hints: []))
        }
        ended.withLock { $0 = result }
    }

    private func session(_ box: RunningAgent) async -> Result<Int32, AgentSession.Failure> {
        do throws(AgentSession.Failure) {
            let port = try await start()
            let directory = try SessionDirectory()
            defer { directory.remove() }
            return .success(try await runAgent(directory, port: port, box))
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
        for (server, outcome) in await broker.firstOutcomes() {
            guard case .failed(let reason) = outcome else { continue }
            throw AgentSession.Failure(
                message: "server '\(server)' did not start: \(redactor.redact(reason))",
                hints: ["its stderr stands in the log above; the agent was not started"])
        }
        return port
    }

    private func runAgent(
        _ directory: SessionDirectory, port: Int, _ box: RunningAgent
    ) async throws(AgentSession.Failure) -> Int32 {
        let configFile = directory.path + "/mcp-config.json"
        let endpoints = plan.broker.servers.map { server in
            AgentEndpoint(
                name: server.name, url: broker.url(of: server.name.text, port: port),
                allowedTools: server.allowedTools ?? (plan.broker.onlyListedTools ? [] : nil))
        }
        let launch = try plan.agent.resolved(
            configFile: configFile, endpoints: endpoints, token: plan.token, secrets: broker.knownSecrets,
            logger: logger)
        let request = SandboxRequest(
            command: launch.command, workingDirectory: FileManager.default.currentDirectoryPath,
            hiddenPaths: plan.hiddenPaths + [directory.parent]
                + SandboxRequest.standardHiddenPaths(
                    environment: plan.broker.environment, user: SandboxProbe.currentUser),
            ownDirectory: directory.path)
        let child = try spawn(launch, request, directory)
        logger.info("agent started", metadata: ["pid": "\(child.pid)"])
        let status = await box.run(child)
        logger.info("agent ended", metadata: ["status": "\(status)"])
        return status.shellStatus
    }

    private func spawn(
        _ launch: AgentLaunch.Resolved, _ request: SandboxRequest, _ directory: SessionDirectory
    ) throws(AgentSession.Failure) -> ChildProcess {
        let confined: SandboxPlan
        do throws(SandboxError) {
            let capability = SandboxProbe().detect(searchPath: plan.broker.environment["PATH"])
            confined = try SandboxPlan.make(
                capability: capability, mode: plan.sandbox, request: request, user: SandboxProbe.currentUser)
        } catch {
            throw AgentSession.Failure(message: error.message, hints: [])
        }
        for line in confined.statement.lines {
            logger.log(level: confined.statement.isConfined ? .debug : .warning, "sandbox", metadata: ["": "\(line)"])
        }
        if !confined.statement.isConfined, plan.sandbox == .auto {
            logger.warning("the agent is not confined; install bubblewrap, or accept what SECURITY.md says of it")
        }
        let onTerminal = TerminalModes.hasTerminal
        do throws(SpawnError) {
            return try ChildProcess.spawn(
                ChildSpecification(
                    executable: confined.launch.executable, arguments: confined.launch.arguments,
                    environment: launch.environment, workingDirectory: request.workingDirectory, streams: .inherited,
                    group: .forInheritedStreams(onTerminal: onTerminal)),
                guardedBy: broker.guardian)
        } catch {
            throw AgentSession.Failure(message: error.message, hints: [])
        }
    }
}

/// The agent of a session, once there is one, and the signals that are meant for it.
private final class RunningAgent: Sendable {
    private struct State {
        var child: ChildProcess?
        /// Set when the agent has been told to end, so that it is told only once.
        var isEnding = false
    }

    private let state = Mutex(State())
    private let ending = AsyncStream<Void>.makeStream()

    /// Passes a signal on; answers the session's end where there is no agent yet.
    func take(_ signal: UnixSignal) -> AgentSession.Failure? {
        let number: Int32 =
            switch signal {
            case .sighup: SIGHUP
            case .sigint: SIGINT
            default: SIGTERM
            }
        guard let child = state.withLock({ $0.child }) else {
            return AgentSession.Failure(
                message: "interrupted before the agent was started", hints: [], status: 128 + number)
        }
        // On a terminal the agent's group is Lodge's own, and Ctrl-C has reached it already.
        if !(number == SIGINT && TerminalModes.hasTerminal) { child.sendToGroup(number) }
        // Interactive agents take Ctrl-C as "stop what you do"; everything else asks for the end.
        if number != SIGINT || !TerminalModes.hasTerminal { ending.continuation.yield() }
        return nil
    }

    /// Waits for the agent's end; one that was asked to end and does not is torn down.
    func run(_ child: ChildProcess) async -> ExitStatus {
        state.withLock { $0.child = child }
        return await withTaskGroup(of: ExitStatus?.self) { group in
            group.addTask { await child.waitForExit() }
            group.addTask { [ending] in
                for await _ in ending.stream {
                    // Cancelled, which throws, as soon as the agent has ended.
                    guard (try? await Task.sleep(for: AgentService.grace)) != nil else { return nil }
                    await child.teardown([.signalGroup(SIGTERM), .wait(.seconds(1)), .killTree])
                    return nil
                }
                return nil
            }
            var status = ExitStatus.unknown
            for await result in group {
                guard let result else { continue }
                status = result
                break
            }
            group.cancelAll()
            await child.reapTree()
            return status
        }
    }
}
