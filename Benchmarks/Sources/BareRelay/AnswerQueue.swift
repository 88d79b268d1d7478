// SPDX-License-Identifier: Apache-2.0
import NIOCore

/// The connections that wait for an answer of the child, in the order in which their lines were written to it.
///
/// The whole cleverness of the bare relay, and its limit: the child answers in the order of its input, so the oldest
/// waiting connection owns the next line. Ids are never looked at. That is only right for a child that answers every
/// line once and in order, which the benchmark's child does; a message without an answer would shift all that follow.
/// Lives on one event loop and is touched by nothing else.
final class AnswerQueue {
    private var waiting = CircularBuffer<RelayHandler>(initialCapacity: 64)
    private var child: (any Channel)?

    func use(_ child: any Channel) {
        self.child = child
    }

    func send(_ line: ByteBuffer, for handler: RelayHandler) {
        waiting.append(handler)
        child?.writeAndFlush(line, promise: nil)
    }

    func answer(_ line: ByteBuffer) {
        waiting.popFirst()?.answer(line)
    }
}
