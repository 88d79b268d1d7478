// SPDX-License-Identifier: Apache-2.0
import BrokerCore
import ChildProcesses
import JSONRPC
import Logging
import NIOCore
import Secrets

/// Tells a child's messages from whatever else it writes to its standard output, and reports them to its upstream.
struct ChildLineReader: Sendable {
    let upstream: Upstream
    let child: ChildProcess
    let redactor: any Redacting
    let logger: Logger
    /// The longest line that is held, in bytes.
    let lineLimit: Int

    func line(_ bytes: ByteBuffer) {
        let span = bytes.readableBytesUInt8Span
        do throws(ScanError) {
            let envelope = try MessageScanner.scan(span)
            switch envelope.kind {
            case .batch: try batch(bytes)
            case .invalid: broken(bytes, "a message with neither a result nor an error")
            case .notAnObject: stray(bytes)
            default: upstream.received(ServerMessage(bytes: bytes, envelope: envelope))
            }
        } catch {
            broken(bytes, "a message that cannot be read: \(error)")
        }
    }

    /// Takes what stood behind the last line feed: half a message is no answer, and its call fails with the child's end.
    func lastLine(_ bytes: ByteBuffer) {
        if (try? MessageScanner.scan(bytes.readableBytesUInt8Span)) != nil { line(bytes) } else { stray(bytes) }
    }

    /// Servers of 2025-03-26 may write several messages as one array (basic/transports of that revision).
    private func batch(_ bytes: ByteBuffer) throws(ScanError) {
        for range in try MessageScanner.batchElements(of: bytes.readableBytesUInt8Span) {
            guard let element = bytes.getSlice(at: bytes.readerIndex + range.lowerBound, length: range.count) else {
                continue
            }
            do throws(ScanError) {
                let envelope = try MessageScanner.scan(element.readableBytesUInt8Span)
                guard envelope.kind != .batch else { continue }
                upstream.received(ServerMessage(bytes: element, envelope: envelope))
            } catch {
                broken(element, "a message that cannot be read: \(error)")
            }
        }
    }

    /// A line over the limit: its call fails, nothing else does.
    func oversized(_ findings: OversizeScanner.Findings) {
        logger.warning("line over the limit dropped")
        let limit = lineLimit % (1 << 20) == 0 ? "\(lineLimit >> 20) MiB" : "\(lineLimit) bytes"
        fail(findings, "a line over the limit of \(limit)")
    }

    private func broken(_ bytes: ByteBuffer, _ problem: String) {
        let span = bytes.readableBytesUInt8Span
        var scanner = OversizeScanner()
        scanner.consume(span)
        let findings = scanner.finish()
        stray(bytes)
        fail(findings, problem)
    }

    /// Fails the call that an unusable line was the answer to; where it names several, it may be any of them.
    private func fail(_ findings: OversizeScanner.Findings, _ problem: String) {
        guard !findings.hasMethod else { return }
        for ticket in Set((findings.rivalIDs + [findings.id].compactMap(\.self)).compactMap(\.ticket)).sorted() {
            upstream.receivedUnusable(ticket: ticket, problem: problem)
        }
    }

    /// A line that is no message is ignored and kept for whoever looks for the reason of a failure.
    private func stray(_ bytes: ByteBuffer) {
        let start = bytes.readableBytesView.prefix(1024)
        guard start.contains(where: { $0 > 0x20 }) else { return }
        child.recordStrayOutput(start)
        let text = redactor.redact(String(decoding: start, as: UTF8.self))
        logger.info("line of the server that is no message", metadata: ["line": "\(text)"])
    }
}

extension RawID {
    /// The ticket that an id spells.
    fileprivate var ticket: Ticket? { withSpan { RawID.integer(in: $0, 0..<$0.count) } }
}
