// SPDX-License-Identifier: Apache-2.0
import ChildProcesses
import NIOPosix
import Secrets
import Testing

@testable import BrokerCore
@testable import Upstreams

@Suite("The life of a child", .timeLimit(.minutes(1)))
struct ChildRunTests {
    private let owner = RecordingOwner()
    private let upstream: Upstream

    init() { upstream = owner.upstream() }

    private func plan(_ script: String) -> ChildPlan {
        ChildPlan { () throws(ChildPlan.Refusal) in
            ChildPlan.Prepared(
                specification: ChildSpecification(
                    executable: "/bin/sh", arguments: ["-c", script], environment: ["PATH": "/usr/bin:/bin"]),
                redactor: Redactor([(name: "KEY", value: "s3cret")]))
        }
    }

    /// Supervises children as a plan says, until the body returns.
    private func supervised(_ plan: ChildPlan, _ body: (ChildSupervisor) async throws -> Void) async throws {
        let supervisor = ChildSupervisor(
            plan: plan, guardian: nil, loops: MultiThreadedEventLoopGroup.singleton, logger: .quiet)
        async let running: Void = supervisor.run()
        try await body(supervisor)
        supervisor.shutDown()
        await running
    }

    @Test("a child that ends is started again, and each end is told with its redacted last words")
    func restart() async throws {
        var plan = plan("echo 'no s3cret' >&2; exit 3")
        plan.restartDelays = [.milliseconds(1)]
        try await supervised(plan) { supervisor in
            supervisor.start(upstream, restarts: true)
            var news = owner.news.makeAsyncIterator()
            for _ in 1...3 {
                #expect(await news.next() == .ended(.exited(code: 3), stderrTail: ["no [redacted:KEY]"]))
            }
        }
    }

    @Test("without restarts the first end is the last")
    func noRestart() async throws {
        try await supervised(plan("kill -9 $$")) { supervisor in
            supervisor.start(upstream, restarts: false)
            var news = owner.news.makeAsyncIterator()
            #expect(await news.next() == .ended(.signaled(number: 9, name: "SIGKILL"), stderrTail: []))
            let sink = RecordingSink()
            _ = upstream.request(
                try .of(#"{"jsonrpc":"2.0","id":7,"method":"tools/list"}"#), session: SessionKey(number: 1), sink: sink)
            let text = #""message":"server 'files' was ended by signal 9 (SIGKILL); it is not started again""#
            #expect(sink.answers.count == 1)
            #expect(sink.answers.first?.contains(text) == true)
        }
    }

    @Test("a stop during the delay ends the run at once")
    func stopDuringDelay() async throws {
        var plan = plan("exit 3")
        plan.restartDelays = [.seconds(3600)]
        try await supervised(plan) { supervisor in
            supervisor.start(upstream, restarts: true)
            var news = owner.news.makeAsyncIterator()
            #expect(await news.next() == .ended(.exited(code: 3), stderrTail: []))
            supervisor.stop(upstream)
            #expect(await news.next() == .ended(.stopped, stderrTail: []))
        }
    }

    @Test("a stop tears a running child down")
    func stop() async throws {
        try await supervised(plan("exec cat >/dev/null")) { supervisor in
            supervisor.start(upstream, restarts: true)
            supervisor.stop(upstream)
            var news = owner.news.makeAsyncIterator()
            #expect(await news.next() == .ended(.stopped, stderrTail: []))
        }
    }

    @Test("a child that answers no handshake is ended after the limit")
    func handshakeLimit() async throws {
        var plan = plan("exec cat >/dev/null")
        plan.startTimeout = .milliseconds(50)
        try await supervised(plan) { supervisor in
            supervisor.start(upstream, restarts: false)
            var news = owner.news.makeAsyncIterator()
            let cause = Ending.Cause.handshake("no answer to initialize within 0.05 s")
            #expect(await news.next() == .ended(cause, stderrTail: []))
        }
    }

    @Test("a child that closes its output and lives is ended")
    func closedOutput() async throws {
        try await supervised(plan("exec 1>&-; while read line; do :; done")) { supervisor in
            supervisor.start(upstream, restarts: false)
            var news = owner.news.makeAsyncIterator()
            #expect(await news.next() == .ended(.closedOutput, stderrTail: []))
            #expect(Ending(.closedOutput).reason == "closed-output")
        }
    }

    @Test("what a child writes last is taken before its end is told")
    func lastWords() async throws {
        let answer =
            #"{"jsonrpc":"2.0","id":1,"result":{"protocolVersion":"2025-11-25","capabilities":{},"#
            + #""serverInfo":{"name":"s","version":"1"}}}"#
        try await supervised(plan("read line; printf '%s' '\(answer)'")) { supervisor in
            supervisor.start(upstream, restarts: false)
            var news = owner.news.makeAsyncIterator()
            #expect(await news.next() == .handshake(nil))
            #expect(await news.next() == .ended(.exited(code: 0), stderrTail: []))
        }
    }

    @Test("a plan that cannot be prepared is an end that says why")
    func notPrepared() async throws {
        let plan = ChildPlan { () throws(ChildPlan.Refusal) in throw .init("the variable API_KEY is not set; export it")
        }
        try await supervised(plan) { supervisor in
            supervisor.start(upstream, restarts: false)
            var news = owner.news.makeAsyncIterator()
            let cause = Ending.Cause.notStarted("the variable API_KEY is not set; export it")
            #expect(await news.next() == .ended(cause, stderrTail: []))
        }
    }

    @Test("nothing is started once the supervisor was shut down")
    func afterShutDown() async throws {
        try await supervised(plan("exit 3")) { supervisor in
            supervisor.shutDown()
            supervisor.start(upstream, restarts: true)
            var news = owner.news.makeAsyncIterator()
            #expect(await news.next() == .ended(.stopped, stderrTail: []))
        }
    }
}
