// SPDX-License-Identifier: Apache-2.0

import FixtureKit
import Glibc

/// A `lodge serve` that was started for one part of a run.
///
/// Its owner ends it by ``stop()``, or kills it. It can be asked for what it says of itself and looked at from outside.
final class RunningLodge {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// What stands in the environment of its server and nowhere else on this machine.
    let run: String
    let log: String
    private let program: SpawnedProgram
    private(set) var endpoint = Endpoint()

    /// The time that it has to be ready, to end in order, and to settle after a storm.
    static let patience: Duration = .seconds(20)

    var pid: pid_t { program.pid }

    static func newRun() -> String { "chaos-\(getpid())-\(UInt64.random(in: .min ... .max))" }

    /// Starts it; ``waitUntilReady()`` comes next.
    init(
        _ products: Products, run: String = newRun(), flags: [String] = [], server: [String]
    ) throws(SystemError) {
        self.run = run
        log = "\(products.scratch)/\(run).log"
        let environment = ProcessState.environment.map { "\($0.name)=\($0.value)" } + ["LODGE_CHAOS_RUN=\(run)"]
        program = try SpawnedProgram(
            [products.lodge, "serve", "--listen", "127.0.0.1:0", "--json", "--env", "LODGE_CHAOS_RUN"]
                + ["--restart-delays", "0.01", "--log-level", "error"] + flags + ["--"] + server,
            environment: environment, log: log)
    }

    func waitUntilReady() throws {
        guard program.output.hasInput(within: Self.patience.wholeMilliseconds) else {
            throw Failure(description: "lodge was not ready after \(Self.patience)")
        }
        var reader = LineReader(program.output)
        guard let line = try reader.next() else {
            let status = program.wait(within: .seconds(5)).map(String.init) ?? "unknown"
            throw Failure(description: "lodge ended with status \(status) before it was ready")
        }
        let ready = try JSONValue(parsing: line)
        guard let url = ready["servers"]?.elements?.first?["url"]?.text, let token = ready["token"]?.text,
            let endpoint = Endpoint(url: url, token: token)
        else { throw Failure(description: "not the line of --json: \(String(decoding: line, as: UTF8.self))") }
        self.endpoint = endpoint
    }

    // MARK: What it says of itself

    struct Status: CustomStringConvertible {
        var state: String
        var sessions: Int
        var callsInFlight: Int
        var restarts: Int

        var description: String {
            "state '\(state)', \(sessions) sessions, \(callsInFlight) calls in flight, \(restarts) restarts"
        }
    }

    func status() throws -> Status {
        let connection = try Conversation(endpoint)
        defer { connection.close() }
        try connection.ask(endpoint.get("/status"))
        let server = try JSONValue(parsing: connection.response.body)["servers"]?.elements?.first
        guard let server, let state = server["state"]?.text, let sessions = server["sessions"]?.integer,
            let calls = server["callsInFlight"]?.integer, let restarts = server["restarts"]?.integer
        else { throw Failure(description: "/status says \(String(decoding: connection.response.body, as: UTF8.self))") }
        return Status(state: state, sessions: sessions, callsInFlight: calls, restarts: restarts)
    }

    // MARK: What is seen from outside

    /// Its server's process, if one runs: its child that is not the guard.
    var serverProcess: ProcessEntry? {
        ProcessTable.children(of: pid).first { $0.name != "lodge-guard" && !$0.isZombie }
    }

    var descriptors: Int { ProcessTable.descriptors(of: pid) ?? 0 }
    var residentKibibytes: Int { ProcessTable.residentKibibytes(of: pid) ?? 0 }

    /// The number of descriptors once it stays the same for a third of a second.
    func settledDescriptors() -> Int {
        var (last, same) = (descriptors, 0)
        let end = ContinuousClock.now + Self.patience
        while same < 10, ContinuousClock.now < end {
            ProcessState.sleep(milliseconds: 33)
            let now = descriptors
            same = now == last ? same + 1 : 0
            last = now
        }
        return last
    }

    // MARK: Its end

    func signal(_ number: Int32) { program.signal(number) }

    /// Waits for its end after a signal; answers its status, or nil where it goes on.
    func ended(within limit: Duration) -> Int32? { program.wait(within: limit) }

    /// Asks it to end, and answers what is wrong with how it did.
    func stop() -> [String] {
        program.signal(SIGTERM)
        guard let status = program.wait(within: Self.patience) else {
            kill()
            return ["lodge had not ended \(Self.patience) after SIGTERM"]
        }
        var problems = status == 0 ? [] : ["lodge ended with status \(status) after SIGTERM"]
        let left = ProcessTable.carrying(run)
        if !left.isEmpty { problems.append("left behind by a lodge that ended in order: \(left.map(\.name))") }
        return problems
    }

    /// Kills it, whatever that leaves behind.
    func kill() {
        program.signal(SIGKILL)
        _ = program.wait(within: Self.patience)
    }
}
