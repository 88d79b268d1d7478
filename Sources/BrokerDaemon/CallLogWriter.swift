// SPDX-License-Identifier: Apache-2.0
package import BrokerCore
package import Logging
import ServiceLifecycle
import Synchronization

/// Writes a line for each finished call, away from the relay path.
///
/// It holds at most 4,096 records; what comes beyond is dropped and counted, and the count is logged.
package final class CallLogWriter: CallLog, Service {
    private static let capacity = 4096

    private let records: AsyncStream<CallRecord>
    private let sending: AsyncStream<CallRecord>.Continuation
    private let dropped = Mutex(0)
    private let logger: Logger

    package init(logger: Logger) {
        self.logger = logger
        (records, sending) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(Self.capacity))
    }

    package func record(_ record: CallRecord) {
        if case .dropped = sending.yield(record) { dropped.withLock { $0 += 1 } }
    }

    package func run() async throws {
        await withGracefulShutdownHandler {
            for await record in records { write(record) }
        } onGracefulShutdown: {
            self.sending.finish()
        }
    }

    private func write(_ record: CallRecord) {
        var metadata: Logger.Metadata = [
            "server": "\(record.server)", "method": "\(record.method)", "principal": "\(record.principal)",
            "outcome": "\(record.outcome.rawValue)", "duration_ms": "\(record.duration.milliseconds)",
            "answer_bytes": "\(record.answerBytes)",
        ]
        if let name = record.name { metadata["name"] = "\(name)" }
        logger.info("call", metadata: metadata)
        let lost = dropped.withLock { count in
            defer { count = 0 }
            return count
        }
        if lost > 0 { logger.warning("call records dropped", metadata: ["count": "\(lost)"]) }
    }
}
