// SPDX-License-Identifier: Apache-2.0

import Glibc
import Testing

@testable import ChildProcesses

@Suite("teardown plan")
struct TeardownPlanTests {
    @Test("the standard plan closes, waits, terminates, waits and kills")
    func standard() {
        var plan = TeardownPlan(.standard)
        #expect(plan.start(at: .zero) == [.closeStandardInput, .wake(at: .seconds(1))])
        #expect(plan.timePassed(to: .seconds(1)) == [.signalGroup(SIGTERM), .wake(at: .seconds(3))])
        #expect(plan.timePassed(to: .seconds(3)) == [.killTree])
        #expect(plan.treeEnded() == [.finished])
    }

    @Test("a wake that comes too early is asked for again")
    func tooEarly() {
        var plan = TeardownPlan([.wait(.seconds(1))])
        #expect(plan.start(at: .zero) == [.wake(at: .seconds(1))])
        #expect(plan.timePassed(to: .milliseconds(999)) == [.wake(at: .seconds(1))])
        #expect(plan.timePassed(to: .seconds(1)) == [.killTree])
    }

    @Test("a plan without a kill ends with one")
    func impliedKill() {
        var plan = TeardownPlan([.signalGroup(SIGINT)])
        #expect(plan.start(at: .zero) == [.signalGroup(SIGINT), .killTree])
    }

    @Test("a tree that ends early finishes the plan, once")
    func early() {
        var plan = TeardownPlan(.standard)
        _ = plan.start(at: .zero)
        #expect(plan.treeEnded() == [.finished])
        #expect(plan.treeEnded() == [])
        #expect(plan.timePassed(to: .seconds(9)) == [])
    }

    @Test("nothing follows a kill")
    func afterKill() {
        var plan = TeardownPlan([.killTree, .signalGroup(SIGTERM)])
        #expect(plan.start(at: .zero) == [.killTree])
        #expect(plan.timePassed(to: .seconds(9)) == [])
    }
}
