// SPDX-License-Identifier: Apache-2.0
import Foundation
import LodgeConfiguration
import Testing

@Suite("Random clients and a random server", .timeLimit(.minutes(5)))
struct RandomizedRoutingTests {
    /// Steps of each run; `LODGE_MODEL_STEPS` asks for more.
    private static let steps = ProcessInfo.processInfo.environment["LODGE_MODEL_STEPS"].flatMap(Int.init) ?? 4000

    @Test(
        "a shared server's answers reach their own callers once each, over crashes, cancellations and ended sessions",
        arguments: UInt64(1)...8)
    func shared(seed: UInt64) throws {
        let model = try RoutingModel(isolation: .shared, seed: seed)
        for _ in 0..<Self.steps { try model.step() }
        try model.finish()
        #expect(model.callCount > Self.steps / 5)
        #expect(model.crashes > 0)
    }

    @Test(
        "a client's own server reaches that client, and its requests are answered at most once",
        arguments: UInt64(1)...4)
    func ofOneClient(seed: UInt64) throws {
        let model = try RoutingModel(isolation: .client, seed: seed)
        for _ in 0..<Self.steps { try model.step() }
        try model.finish()
        #expect(model.callCount > Self.steps / 5)
    }
}
