// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import BrokerCore

@Suite("The choice of a replica")
struct ReplicaChoiceTests {
    private func index(_ loads: (ready: Bool, calls: Int)...) -> Int {
        ReplicaChoice.index(among: loads.map { .init(isReady: $0.ready, calls: $0.calls) })
    }

    @Test("the ready one with the fewest calls, the lowest of equals")
    func fewest() {
        #expect(index((true, 0), (true, 0)) == 0)
        #expect(index((true, 1), (true, 0), (true, 0)) == 1)
        #expect(index((true, 2), (true, 2), (true, 1)) == 2)
    }

    @Test("one that is not ready gets nothing while another is")
    func notReady() {
        #expect(index((false, 0), (true, 7)) == 1)
        #expect(index((true, 7), (false, 0)) == 0)
    }

    @Test("where none is ready the home has it")
    func none() {
        #expect(index((false, 3), (false, 0)) == 0)
        #expect(index((false, 3)) == 0)
    }
}
