// SPDX-License-Identifier: Apache-2.0
import BrokerCore
import Testing

@Suite("The gate of a server's start", .timeLimit(.minutes(1)))
struct StartGateTests {
    @Test("who waits gets the first outcome, later ones change nothing")
    func firstCounts() async {
        let gate = StartGate()
        #expect(gate.outcome == nil)
        gate.open(.failed("no"))
        gate.open(.ready)
        #expect(gate.outcome == .failed("no"))
        #expect(await gate.wait() == .failed("no"))
    }

    @Test("everyone who waited before is woken")
    func wakes() async {
        let gate = StartGate()
        let outcomes = await withTaskGroup(of: StartGate.Outcome?.self) { group in
            for _ in 0..<20 { group.addTask { await gate.wait() } }
            group.addTask {
                gate.open(.ready)
                return .ready
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(outcomes == Array(repeating: .ready, count: 21))
    }

    @Test("a cancelled wait ends without an outcome, before or after it began")
    func cancelled() async {
        let gate = StartGate()
        let outcomes = await withTaskGroup(of: StartGate.Outcome?.self) { group in
            for _ in 0..<20 { group.addTask { await gate.wait() } }
            group.cancelAll()
            group.addTask { await gate.wait() }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(outcomes == Array(repeating: nil, count: 21))
        #expect(gate.outcome == nil)
    }

    @Test("a wait that was cancelled does not take the outcome from another")
    func cancelledBesideAnother() async {
        let gate = StartGate()
        let outcome = await withTaskGroup(of: StartGate.Outcome?.self) { group in
            group.addTask { await gate.wait() }
            let cancelled = Task { await gate.wait() }
            cancelled.cancel()
            #expect(await cancelled.value == nil)
            gate.open(.ready)
            return await group.next() ?? nil
        }
        #expect(outcome == .ready)
    }

    @Test("opening races with cancellation without a wait that hangs or is woken twice")
    func race() async {
        for _ in 0..<500 {
            let gate = StartGate()
            let waiter = Task { await gate.wait() }
            async let opened: Void = gate.open(.ready)
            waiter.cancel()
            await opened
            let outcome = await waiter.value
            #expect(outcome == nil || outcome == .ready)
        }
    }
}
