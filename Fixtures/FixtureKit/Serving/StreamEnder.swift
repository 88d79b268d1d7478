// SPDX-License-Identifier: Apache-2.0

/// Ends a stream when it is released, so that a stream fed by several closures ends with the last of them.
final class StreamEnder: Sendable {
    let continuation: AsyncStream<JSONValue>.Continuation

    init(_ continuation: AsyncStream<JSONValue>.Continuation) { self.continuation = continuation }

    deinit { continuation.finish() }
}
