// SPDX-License-Identifier: Apache-2.0
import BrokerCore
import Testing

@Suite("RestartPolicy")
struct RestartPolicyTests {
    @Test("consecutive endings wait 1, 2, 4, 8, 15, 15 seconds")
    func delays() {
        var policy = RestartPolicy()
        let waits = (0..<7).map { _ in policy.ended(after: .seconds(3)) }
        #expect(waits == [1, 2, 4, 8, 15, 15, 15].map { .seconds($0) })
    }

    @Test("an ending after a minute up begins again with the first delay")
    func reset() {
        var policy = RestartPolicy()
        for _ in 0..<4 { _ = policy.ended(after: .zero) }
        #expect(policy.ended(after: .seconds(60)) == .seconds(1))
        #expect(policy.ended(after: .zero) == .seconds(2))
    }

    @Test("an ending just short of a minute up does not reset the delays")
    func noReset() {
        var policy = RestartPolicy()
        _ = policy.ended(after: .zero)
        #expect(policy.ended(after: .milliseconds(59_999)) == .seconds(2))
    }

    @Test("delays and reset time can be set")
    func configured() {
        var policy = RestartPolicy(delays: [.milliseconds(10), .milliseconds(20)], resetAfter: .seconds(1))
        let waits = (0..<3).map { _ in policy.ended(after: .zero) }
        #expect(waits == [.milliseconds(10), .milliseconds(20), .milliseconds(20)])
        #expect(policy.ended(after: .seconds(1)) == .milliseconds(10))
    }

    @Test("an empty list of delays stands for one second")
    func empty() {
        var policy = RestartPolicy(delays: [])
        #expect(policy.ended(after: .zero) == .seconds(1))
        #expect(policy.ended(after: .zero) == .seconds(1))
    }
}
