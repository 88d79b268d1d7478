// SPDX-License-Identifier: Apache-2.0
import Synchronization

/// The port that a gateway listens on, for whoever has to wait for it.
final class BoundPort: Sendable {
    private let stream: AsyncStream<Int>
    private let report: AsyncStream<Int>.Continuation

    init() {
        (stream, report) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    func set(_ port: Int) {
        report.yield(port)
        report.finish()
    }

    /// Waits for the port; nil when the waiting task is cancelled. It can be asked once.
    func wait() async -> Int? {
        for await port in stream { return port }
        return nil
    }
}
