// SPDX-License-Identifier: Apache-2.0

import FixtureKit
import Glibc
import JSONRPCOracle

/// Lodge itself is killed, with servers that have daemonized children or do not end when asked: all are gone in time.
struct BrokerPhase {
    static let name = "broker"
    /// In which everything below a killed lodge has to be gone.
    private static let limit: Duration = .seconds(5)
    private static let calls = 8

    private struct Kind {
        var name: String
        var flags: [String] = []
        var server: [String]
        var daemon = Daemon.none
        /// Whether lodge is killed at any moment of its start.
        var early = false
    }

    /// What a server starts besides: a process in a session of its own that is nobody's child any more,
    private enum Daemon {
        case none
        /// with the environment that the server had,
        case inheriting
        /// or with none at all.
        case bare
    }

    let stage: Stage
    let kills: Int

    func run() {
        var random = SplitMix64(seed: stage.seed)
        var longest = Duration.zero
        var done = 0
        // Every kind gets its turn, however late it is.
        for round in 0..<kills where round < kinds.count || !stage.isOver {
            if Interruption.isAsked { break }
            let kind = kinds[round % kinds.count]
            do {
                longest = max(longest, try kill(kind, &random))
                done += 1
            } catch {
                stage.findings.violation("\(kind.name): \(error)")
            }
        }
        stage.findings.count("lodges killed", done)
        stage.findings.note("longest until nothing was left", "\(longest.wholeMilliseconds) ms")
        if done < kills { stage.findings.note("lodges wanted", Findings.grouped(kills)) }
    }

    private var kinds: [Kind] {
        let hostile = [stage.products.fixture, "hostile"]
        let stubborn = hostile + ["--ignore-sigterm", "--ignore-eof"]
        return [
            Kind(name: "a daemon without an environment", server: hostile, daemon: .bare),
            Kind(name: "a daemon and a server that ignores its end", server: stubborn, daemon: .inheriting),
            Kind(name: "a start with a daemon", server: stubborn, daemon: .inheriting, early: true),
            Kind(name: "a server under load", server: stage.shuffledServer),
            Kind(
                name: "a server of one session", flags: ["--isolation", "client"], server: hostile,
                daemon: .inheriting),
        ]
    }

    /// The command of a kind's server, with its daemon.
    private func command(_ kind: Kind, run: String) -> [String] {
        switch kind.daemon {
        case .none: kind.server
        case .inheriting: ["/bin/sh", "-c", #"setsid --fork sleep 600; exec "$0" "$@""#] + kind.server
        // It inherits no variable; the name of its file in its arguments tells whose it is.
        case .bare: kind.server + ["--grandchild-pid-file", "\(stage.products.scratch)/\(run).pid"]
        }
    }

    /// Answers how long it took until nothing was left.
    private func kill(_ kind: Kind, _ random: inout SplitMix64) throws -> Duration {
        let run = RunningLodge.newRun()
        let lodge = try RunningLodge(
            stage.products, run: run, flags: kind.flags, server: command(kind, run: run))
        defer { lodge.kill() }
        var sockets: [Socket] = []
        defer { for socket in sockets { socket.close() } }
        if kind.early {
            ProcessState.sleep(milliseconds: random.below(150))
        } else {
            try lodge.waitUntilReady()
            sockets = try callsInFlight(lodge)
            try waitForProcesses(kind.daemon == .none ? 1 : 2, of: lodge)
            ProcessState.sleep(milliseconds: random.below(200))
        }
        // Stopped first, so that what is seen now is what it leaves.
        lodge.signal(SIGSTOP)
        let below = left(by: lodge) + ProcessTable.descendants(of: lodge.pid)
        lodge.signal(SIGKILL)
        let start = ContinuousClock.now
        guard lodge.ended(within: RunningLodge.patience) != nil else {
            throw RunningLodge.Failure(description: "lodge outlived SIGKILL")
        }
        stage.findings.count("processes below them", Set(below.map(\.pid)).count)
        return waitUntilGone(below, lodge, kind, since: start)
    }

    private func waitUntilGone(
        _ below: [ProcessEntry], _ lodge: RunningLodge, _ kind: Kind, since start: ContinuousClock.Instant
    ) -> Duration {
        while true {
            let rest = below.filter(ProcessTable.isRunning) + left(by: lodge)
            let past = start.duration(to: .now)
            if rest.isEmpty { return past }
            if past > Self.limit {
                let names = Set(rest.map { "\($0.name) \($0.pid)" }).sorted()
                stage.findings.violation("\(kind.name): after \(Self.limit) there are still \(names)")
                for process in rest where ProcessTable.isRunning(process) { _ = Glibc.kill(process.pid, SIGKILL) }
                return past
            }
            ProcessState.sleep(milliseconds: 5)
        }
    }

    /// Leaves calls in flight, on a session of their own.
    private func callsInFlight(_ lodge: RunningLodge) throws -> [Socket] {
        let connection = try Conversation(lodge.endpoint)
        defer { connection.close() }
        let session = try connection.openSession()
        return try (0..<Self.calls).map { number in
            var body: [UInt8] = []
            Call(client: number, sequence: 0, tool: .echo).appendMessage(to: &body)
            let socket = try Socket(port: lodge.endpoint.port)
            _ = try socket.send(lodge.endpoint.post(String(decoding: body, as: UTF8.self), session: session), from: 0)
            return socket
        }
    }

    private func waitForProcesses(_ count: Int, of lodge: RunningLodge) throws {
        let end = ContinuousClock.now + RunningLodge.patience
        while left(by: lodge).count < count {
            guard ContinuousClock.now < end else {
                throw RunningLodge.Failure(description: "of \(count) processes, \(left(by: lodge).count) came up")
            }
            ProcessState.sleep(milliseconds: 5)
        }
    }

    /// What carries the name of that lodge's run, but for itself.
    private func left(by lodge: RunningLodge) -> [ProcessEntry] {
        ProcessTable.carrying(lodge.run).filter { $0.pid != lodge.pid }
    }
}
