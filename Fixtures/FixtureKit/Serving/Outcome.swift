// SPDX-License-Identifier: Apache-2.0

/// What became of work: its result, its error, or nil when it was cancelled by the end of a stream or from outside.
///
/// Work that does not look whether it is cancelled is awaited all the same, and its result is thrown away.
package func outcome(
    until cancellation: AsyncStream<Never>, of work: @escaping @Sendable () async throws -> JSONValue
) async -> Result<JSONValue, RPCError>? {
    await withTaskGroup { race in
        race.addTask { await outcome(of: work) }
        race.addTask {
            for await _ in cancellation {}
            return nil
        }
        let first = await race.next() ?? nil
        race.cancelAll()
        return first
    }
}

private func outcome(of work: @Sendable () async throws -> JSONValue) async -> Result<JSONValue, RPCError>? {
    do {
        return .success(try await work())
    } catch let error as RPCError {
        return .failure(error)
    } catch is CancellationError {
        return nil
    } catch is AnswerSent {
        return nil
    } catch {
        return .failure(RPCError(-32_603, "internal error: \(error)"))
    }
}

/// Thrown by work that has written its answer itself, in a form that no JSON value can express.
package struct AnswerSent: Error {
    package init() {}
}
