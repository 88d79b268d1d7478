// SPDX-License-Identifier: Apache-2.0
import BrokerCore
import Synchronization

/// A client request's sink that keeps everything it is handed.
final class RecordingSink: CallSink {
    private struct State {
        var messages: [String] = []
        var answers: [Answer] = []
    }

    let acceptsStream: Bool
    let keepsMessages: Bool
    private let state = Mutex(State())

    init(acceptsStream: Bool = true, keepsMessages: Bool = false) {
        self.acceptsStream = acceptsStream
        self.keepsMessages = keepsMessages
    }

    func deliver(_ message: MessageBytes) { state.withLock { $0.messages.append(message.text) } }
    func finish(_ answer: Answer) { state.withLock { $0.answers.append(answer) } }

    /// What came beside answers, oldest first.
    var messages: [String] { state.withLock { $0.messages } }
    /// Every answer as the client would see its body.
    var bodies: [String] { answers.map(\.bytes.text) }
    var answers: [Answer] { state.withLock { $0.answers } }

    /// The id of the session that was opened, if one was.
    var openedSession: String? {
        for case .opened(_, let session) in answers { return session }
        return nil
    }

    /// The seconds after which a refused `initialize` may be tried again.
    var retryAfter: Int? {
        for case .unavailable(_, let seconds) in answers { return seconds }
        return nil
    }
}

/// A session's stream that keeps everything it is handed.
final class RecordingStream: StreamSink {
    private struct State {
        var messages: [String] = []
        var closings = 0
    }

    private let state = Mutex(State())

    func deliver(_ message: MessageBytes) -> Bool {
        state.withLock { state in
            guard state.closings == 0 else { return false }
            state.messages.append(message.text)
            return true
        }
    }

    func close() { state.withLock { $0.closings += 1 } }

    var messages: [String] { state.withLock { $0.messages } }
    var isClosed: Bool { state.withLock { $0.closings > 0 } }
}
