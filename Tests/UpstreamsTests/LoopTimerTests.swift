// SPDX-License-Identifier: Apache-2.0
import NIOCore
import NIOEmbedded
import Testing

@testable import Upstreams

@Suite("The timer of an upstream")
struct LoopTimerTests {
    private let loop = EmbeddedEventLoop()
    private let fired = OutputHarness.Count()
    private let timer: LoopTimer

    init() { timer = LoopTimer(on: loop) { [fired] in fired.increase() } }

    @Test("a later deadline does not replace an earlier one")
    func laterAfterEarlier() {
        let now = ContinuousClock.now
        timer.arm(at: now + .seconds(10))
        timer.arm(at: now + .seconds(20))
        loop.advanceTime(by: .seconds(10))
        #expect(fired.value == 1)
        loop.advanceTime(by: .seconds(10))
        #expect(fired.value == 1)
    }

    @Test("an earlier deadline replaces a later one")
    func earlierAfterLater() {
        let now = ContinuousClock.now
        timer.arm(at: now + .seconds(20))
        timer.arm(at: now + .seconds(10))
        loop.advanceTime(by: .seconds(10))
        #expect(fired.value == 1)
        loop.advanceTime(by: .seconds(10))
        #expect(fired.value == 1)
    }

    @Test("a timer that fired can be armed for any deadline again")
    func again() {
        let now = ContinuousClock.now
        timer.arm(at: now + .seconds(10))
        loop.advanceTime(by: .seconds(10))
        timer.arm(at: now + .seconds(60))
        loop.advanceTime(by: .seconds(60))
        #expect(fired.value == 2)
    }

    @Test("a deadline that has passed fires in the next turn")
    func passed() {
        timer.arm(at: .now - .seconds(1))
        #expect(fired.value == 0)
        loop.run()
        #expect(fired.value == 1)
    }
}
