// SPDX-License-Identifier: Apache-2.0
import BrokerCore
import NIOCore
import Testing

@testable import Gateway

@Suite("What is written for one POST")
struct ExchangeStateTests {
    private let start = NIODeadline.uptimeNanoseconds(1_000_000_000)
    private let progress = MessageBytes(bytes: Array("progress".utf8))
    private let answer = MessageBytes(bytes: Array("answer".utf8))

    private func state(requests: Int = 1, isBatch: Bool = false, mayStream: Bool = true) -> ExchangeState {
        ExchangeState(requests: requests, isBatch: isBatch, mayStream: mayStream, start: start, limits: GatewayLimits())
    }

    @Test("an answer that comes first is the whole response")
    func plain() {
        var state = state()
        #expect(state.answer(.message(answer)) == .respond(.message(answer)))
        #expect(state.isEnded)
        #expect(state.due == nil)
    }

    @Test("a message that comes first begins a stream, which the answer ends")
    func stream() {
        var state = state()
        #expect(state.message(progress) == .startStream([progress]))
        #expect(state.message(progress) == .writeEvent(progress, ends: false))
        #expect(state.answer(.message(answer)) == .writeEvent(answer, ends: true))
        #expect(state.isEnded)
    }

    @Test("nothing follows the answer")
    func afterTheEnd() {
        var state = state()
        _ = state.answer(.message(answer))
        #expect(state.message(progress) == .nothing)
        #expect(state.answer(.message(answer)) == .nothing)
        #expect(state.tick(now: start + .hours(1)) == .nothing)
        #expect(state.left() == false)
    }

    @Test("waiting for 15 seconds begins a stream, once")
    func waiting() {
        var state = state()
        #expect(state.tick(now: start + .milliseconds(14_999)) == .nothing)
        #expect(state.tick(now: start + .seconds(15)) == .startStream([]))
        #expect(state.due == nil)
        #expect(state.tick(now: start + .seconds(30)) == .nothing)
    }

    @Test("initialize never becomes a stream, because its head has to name the session")
    func initialize() {
        var state = state(mayStream: false)
        #expect(!state.acceptsStream)
        #expect(state.due == nil)
        #expect(state.message(progress) == .nothing)
        #expect(state.tick(now: start + .hours(1)) == .nothing)
        #expect(state.answer(.opened(answer, session: "s")) == .respond(.opened(answer, session: "s")))
    }

    @Test("a refusal that comes after the stream began is an event like any answer")
    func refusalInStream() {
        var state = state()
        _ = state.message(progress)
        #expect(state.answer(.unknownSession(answer)) == .writeEvent(answer, ends: true))
    }

    @Test("the answers to a batch are held until all are there")
    func batch() {
        var state = state(requests: 2, isBatch: true)
        #expect(state.answer(.message(answer)) == .nothing)
        #expect(state.answer(.message(progress)) == .respondWithBatch([answer, progress]))
        #expect(state.isEnded)
    }

    @Test("a batch of one request is answered with an array too")
    func batchOfOne() {
        var state = state(requests: 1, isBatch: true)
        #expect(state.answer(.message(answer)) == .respondWithBatch([answer]))
    }

    @Test("answers to a batch that were held are the first events when it becomes a stream")
    func batchStream() {
        var state = state(requests: 3, isBatch: true)
        _ = state.answer(.message(answer))
        #expect(state.message(progress) == .startStream([answer, progress]))
        #expect(state.answer(.message(answer)) == .writeEvent(answer, ends: false))
        #expect(state.answer(.message(answer)) == .writeEvent(answer, ends: true))
    }

    @Test("after the client has left nothing is written")
    func left() {
        var state = state()
        #expect(state.left() == true)
        #expect(state.left() == false)
        #expect(state.answer(.message(answer)) == .nothing)
        #expect(state.message(progress) == .nothing)
    }
}

@Suite("A client that takes nothing")
struct WriteProgressTests {
    private let start = NIODeadline.uptimeNanoseconds(1_000_000_000)

    @Test("is stalled once the limit has passed without a byte taken")
    func stalled() {
        var progress = WriteProgress()
        progress.wrote(1000)
        progress.becameUnwritable(waiting: 900, now: start)
        #expect(progress.isStalled(waiting: 900, now: start + .seconds(59), limit: .seconds(60)) == false)
        #expect(progress.isStalled(waiting: 900, now: start + .seconds(60), limit: .seconds(60)) == true)
    }

    @Test("is not stalled while it takes a little, also when more is written meanwhile")
    func slow() {
        var progress = WriteProgress()
        progress.wrote(1000)
        progress.becameUnwritable(waiting: 900, now: start)
        progress.wrote(500)
        #expect(progress.isStalled(waiting: 1399, now: start + .seconds(60), limit: .seconds(60)) == false)
        #expect(progress.isStalled(waiting: 1399, now: start + .seconds(119), limit: .seconds(60)) == false)
        #expect(progress.isStalled(waiting: 1399, now: start + .seconds(120), limit: .seconds(60)) == true)
    }

    @Test("is forgotten when the connection takes more again")
    func writable() {
        var progress = WriteProgress()
        progress.becameUnwritable(waiting: 0, now: start)
        progress.becameWritable()
        #expect(progress.isStalled(waiting: 0, now: start + .hours(1), limit: .seconds(60)) == false)
    }
}
