// SPDX-License-Identifier: Apache-2.0
import BrokerCore
import ChildProcesses
import Logging
import NIOCore
import NIOPosix
import Secrets

/// The life of one upstream's process: started, watched, torn down, started again.
///
/// It is one serial loop over events; whatever happens elsewhere is only yielded into it.
struct ChildRun: Sendable {
    struct Environment: Sendable {
        let plan: ChildPlan
        let guardian: GuardProcess?
        let loops: any EventLoopGroup
        let logger: Logger
    }

    /// What can happen to a run. `generation` tells late news of an older process from news of this one.
    enum Event: Sendable {
        case stop
        case exited(generation: Int, ExitStatus)
        case outputEnded(generation: Int)
        case handshakeDue(generation: Int)
        case delayOver(generation: Int)
        /// What was given to the other of two signs of an end, its exit and the end of its output, is over.
        case graceOver(generation: Int)
    }

    /// How long the output of a process that ended is waited for, when something of its tree still holds the pipe.
    static let lastOutputLimit: TimeAmount = .milliseconds(30)
    /// How long the exit of a process that closed its output is waited for.
    static let exitLimit: TimeAmount = .milliseconds(200)

    let upstream: Upstream
    let restarts: Bool
    let report: AsyncStream<Event>.Continuation
    let environment: Environment

    private struct Generation {
        var child: ChildProcess
        var connection: ChildConnection
        var redactor: any Redacting
        var started: ContinuousClock.Instant
    }

    func supervise(_ events: AsyncStream<Event>) async {
        var iterator = events.makeAsyncIterator()
        var policy = RestartPolicy(
            delays: environment.plan.restartDelays, resetAfter: environment.plan.restartReset)
        let loop = environment.loops.next()
        var number = 0
        while true {
            number += 1
            var uptime = Duration.zero
            let ending: Ending
            do throws(ChildPlan.Refusal) {
                let generation = try await start(number, on: loop)
                let began = generation.started
                ending = await watch(generation, number, &iterator, on: loop)
                uptime = began.duration(to: .now)
            } catch {
                ending = Ending(.notStarted(error.message))
            }
            guard restarts, ending.cause != .stopped else { return upstream.generationEnded(ending, retry: nil) }
            let delay = policy.ended(after: uptime)
            environment.logger.warning(
                "server ended, it is started again",
                metadata: ["ending": "\(ending.text)", "delay_ms": "\(delay.milliseconds)"])
            upstream.generationEnded(ending, retry: ContinuousClock.now.advanced(by: delay))
            guard await wait(delay, number, &iterator, on: loop) else {
                return upstream.generationEnded(Ending(.stopped), retry: nil)
            }
        }
    }

    /// Waits out a delay; false when the run has to stop.
    private func wait(
        _ delay: Duration, _ number: Int, _ iterator: inout AsyncStream<Event>.Iterator, on loop: any EventLoop
    ) async -> Bool {
        let timer = loop.scheduleTask(in: .init(delay)) { _ = report.yield(.delayOver(generation: number)) }
        defer { timer.cancel() }
        while let event = await iterator.next() {
            switch event {
            case .stop: return false
            case .delayOver(number): return true
            default: continue
            }
        }
        return false
    }

    private func start(_ number: Int, on loop: any EventLoop) async throws(ChildPlan.Refusal) -> Generation {
        let prepared = try environment.plan.prepare()
        let (logger, redactor) = (environment.logger, prepared.redactor)
        let prefix = environment.plan.standardErrorPrefix
        let child: ChildProcess
        do throws(SpawnError) {
            child = try ChildProcess.spawn(prepared.specification, guardedBy: environment.guardian) { line in
                let line = redactor.redact(line)
                if let prefix {
                    logger.info("\(prefix)\(line)")
                } else {
                    logger.info("stderr", metadata: ["line": "\(line)"])
                }
            }
        } catch {
            throw ChildPlan.Refusal(error.message)
        }
        guard let connection = await connect(child, redactor: redactor, number, on: loop) else {
            await child.reapTree()
            throw ChildPlan.Refusal("the pipes to the process could not be opened; raise the limit of open files")
        }
        child.onExit { status in _ = report.yield(.exited(generation: number, status)) }
        loop.scheduleTask(in: .init(environment.plan.startTimeout)) {
            _ = report.yield(.handshakeDue(generation: number))
        }
        logger.info("server started", metadata: ["pid": "\(child.pid)", "generation": "\(number)"])
        let timer = LoopTimer(on: loop) { [weak upstream] in upstream?.deadlineReached() }
        upstream.generationStarted(connection, timer: timer)
        return Generation(child: child, connection: connection, redactor: redactor, started: .now)
    }

    private func connect(
        _ child: ChildProcess, redactor: any Redacting, _ number: Int, on loop: any EventLoop
    ) async -> ChildConnection? {
        let handover = LateConnection()
        guard let output = child.takeStandardOutput(), let input = child.takeStandardInput(closer: handover.closeInput)
        else { return nil }
        let lineLimit = environment.plan.lineLimit
        let reader = ChildLineReader(
            upstream: upstream, child: child, redactor: redactor, logger: environment.logger, lineLimit: lineLimit)
        do {
            let channel = try await NIOPipeBootstrap(group: loop)
                .channelOption(.allowRemoteHalfClosure, value: true)
                .channelOption(
                    .writeBufferWaterMark,
                    value: .init(low: ChildConnection.heldLimit / 2, high: ChildConnection.heldLimit)
                )
                .channelOption(
                    .recvAllocator,
                    value: AdaptiveRecvByteBufferAllocator(minimum: 4096, initial: 16 * 1024, maximum: 1024 * 1024)
                )
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(
                            ChildOutputHandler(reader: reader, lineLimit: lineLimit) {
                                _ = report.yield(.outputEnded(generation: number))
                            })
                    }
                }
                .takingOwnershipOfDescriptors(input: output, output: input).get()
            let connection = ChildConnection(channel: channel)
            handover.set(connection)
            return connection
        } catch {
            environment.logger.error("pipes of the server not opened", metadata: ["error": "\(error)"])
            return nil
        }
    }

    /// Waits for the end of a generation and cleans up after it; answers how it ended.
    private func watch(
        _ generation: Generation, _ number: Int, _ iterator: inout AsyncStream<Event>.Iterator, on loop: any EventLoop
    ) async -> Ending {
        defer { generation.connection.close() }
        var outputHasEnded = false
        while let event = await iterator.next() {
            switch event {
            case .stop:
                // What leaves the server now still reaches its callers; then their calls fail with the reason.
                await generation.child.teardown()
                return Ending(.stopped)
            case .exited(number, let status):
                if !outputHasEnded { await lastOutput(number, &iterator, on: loop) }
                return ending(status, generation)
            case .outputEnded(number):
                if let status = generation.child.exitStatus { return ending(status, generation) }
                outputHasEnded = true
                loop.scheduleTask(in: Self.exitLimit) { _ = report.yield(.graceOver(generation: number)) }
            case .graceOver(number) where outputHasEnded:
                // The exit did not follow: the process lives and can answer nobody any more.
                await generation.child.teardown()
                return ending(.closedOutput, generation)
            case .handshakeDue(number):
                guard upstream.inspect({ $0.isHandshaking }) else { continue }
                await generation.child.teardown()
                let limit = environment.plan.startTimeout
                return ending(.handshake("no answer to initialize within \(limit.text)"), generation)
            default:
                continue
            }
        }
        await generation.child.teardown()
        return Ending(.stopped)
    }

    /// Gives the event loop the time to read what the process wrote last.
    private func lastOutput(
        _ number: Int, _ iterator: inout AsyncStream<Event>.Iterator, on loop: any EventLoop
    ) async {
        let timer = loop.scheduleTask(in: Self.lastOutputLimit) { _ = report.yield(.graceOver(generation: number)) }
        defer { timer.cancel() }
        while let event = await iterator.next() {
            switch event {
            case .outputEnded(number), .graceOver(number): return
            case .stop:
                // Kept for the loop that waits for the next start.
                _ = report.yield(.stop)
                return
            default: continue
            }
        }
    }

    private func ending(_ status: ExitStatus, _ generation: Generation) -> Ending {
        switch status {
        case .exited(let code): ending(.exited(code: code), generation)
        case .signaled(let number):
            ending(.signaled(number: number, name: SignalName.of(number) ?? "unknown"), generation)
        case .unknown: ending(Ending.Cause.unknown, generation)
        }
    }

    private func ending(_ cause: Ending.Cause, _ generation: Generation) -> Ending {
        let tail = generation.child.stderrTail.suffix(20).map(generation.redactor.redact)
        return Ending(cause, stderrTail: Array(tail))
    }
}
